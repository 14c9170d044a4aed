// Package ledger keeps the books of the cluster engine in MySQL 8 or MariaDB 10.11 and newer: the journal, and what
// follows from it: envelopes, wallets, sign-ups, campaigns.
//
// It promises that each event of a shard is applied exactly once and in order of its sequence, whoever delivers it, how
// often and by how many writers at once; that the journal of each shard is a hash chain from its first event; that an
// envelope is paid at most once and to its first holder only, and whatever contradicts that is kept for people to see.
// Every write is one transaction.
//
// It does not talk to Redis or Kafka, does not decide anything about a snatch, and does not judge the journal: that is
// what package audit is for.
//
// Errors: [hongbao.ErrBusy] where nothing happened, trouble with the connection above all; [hongbao.ErrUnknown] where the
// reply to a write was lost; [hongbao.ErrBroken] where a promise is broken. All text keys are binary, all times Unix
// milliseconds, all amounts fen. The connections use what both servers share and nothing else.
//
// Locks are taken in this order, so that writers wait for each other instead of running into a deadlock: shard marks
// ascending, then journal, envelopes, wallets, sign-ups, each ascending by key.
package ledger
