// Package enginetest is the suite that every engine must pass, and the model that it is held against.
//
// [Run] puts an engine through the guarantees of the domain: random histories compared with the [Model] step by step,
// crowds on one player, one envelope, one key and the last envelope, revising and cancelling under load, opening against
// refunding, linearizability (porcupine), what reads must see, the bounds, restarts and power cuts. Nothing sleeps; no
// test waits for anything but an answer.
//
// The [Model] is an engine itself: one lock, maps, and the pure rules of the root. Replaying a journal through it
// decides every event again, so that whatever order a crowd was served in, each win must have been the right one then.
// The suite's own tests put the model through it, and models that lie: each lie must be found.
//
// Random parts print their seed; ENGINETEST_SEED repeats its choices, while nonces, and with them amounts and draws, stay
// the engine's own. HONGBAO_LONG=1 does more of everything.
//
// It asks for a journal with one order, in which times never go back, and a campaign's numbers are given out as 0, 1, 2 …
// unless the [Harness] says that they are leased to shards: then the engine may do what DESIGN.md section 5 lets a cluster
// do, and nothing else. Linear pace is not tested where numbers are leased ahead.
//
// It does not test what only a process can show: kill -9 of the shipped binary, full disks, two processes on one folder.
package enginetest
