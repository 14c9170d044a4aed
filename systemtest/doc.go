// Package systemtest starts the shipped binary, rushes it, and does to it what happens to servers: kill -9 at any moment,
// a disk that is full, a byte that has changed. What players were told in between is held against wallets, journal and
// audit. It also executes the examples of the documentation and the clients in examples/, drives the pages in a browser, and keeps the
// map of imports and guarantees.
//
// The binary is built once, as `make build` builds it; each server gets free ports and a folder of its own, and is
// stopped with its test. Nothing that the tests did not start is touched.
//
// Random tests print their seed; SYSTEMTEST_SEED repeats the choices of one, though not the timing. HONGBAO_LONG=1 kills
// more often and rushes longer. With HONGBAO_REQUIRE_SERVICES=1 a test that lacks what it needs fails.
//
// Faults of a cluster (fault_test.go) run on a Redis Cluster, a Kafka and a MariaDB of the tests' own, which are killed, paused,
// cut off, emptied and put back to what they were; a rush goes on meanwhile, and its record is held against the stores.
//
// It does not look inside: all but the preparation of a folder goes through ports, commands and files.
package systemtest
