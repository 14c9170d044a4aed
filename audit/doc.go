// Package audit checks a journal against the guarantees G1 to G8, event by event in one pass, and recomputes what the
// rules and the seed determine. It trusts nothing that an event says of itself: counters, balances and amounts are
// counted anew.
//
// [Run] audits a whole journal, its hash chain, and the books that reads are answered from. [Verify] is what anyone can
// do with the export of one sealed campaign: the seed is in it. [WriteLine] and [ReadLines] are the form of an export.
//
// After a lie the audit goes on from what the event says, so that one lie is reported once and not with everything that
// rests on it.
//
// It keeps 24 bytes for each envelope won, some 55 for each player, and for campaigns that are not sealed yet some 13 for
// each win: under 0.7 GB for 10 million wins by 5 million players. Keys are kept as 64-bit hashes under a seed of this run: that two of
// 10 million wins of one campaign share one by chance, and G7 raises a false alarm, happens once in 370,000 runs and
// not again in the next. A key that did win twice is always found.
//
// What players were told (G4) is outside a journal. Sign-ups and rules that are answered from memory are not compared.
package audit
