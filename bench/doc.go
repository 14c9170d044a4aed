// Package bench is a crowd and a witness: it puts a running hongbao server under load through its public ports, checks
// every answer, and ends by holding what players were told against their wallets and the journal.
//
// The pieces, from the wire upwards:
//
//	Client, Admin   speak the player API (/v1 or camp) and the admin API; results say won, refused, busy or unknown
//	Told            remembers what players were told, and refuses what can't be true
//	Witness         plays through a Client and writes all it hears into Told
//	Run             makes a campaign, sends the crowd, settles what stayed unknown, compares, reports
//
// Load comes as an open model: requests are due at a rate that the server does not influence, and latency is counted
// from the time a request was due, so that a server that stalls can't hide it. Requests that could not be sent in time
// are counted as such. A closed model, of workers that ask one thing after the other, is there for comparison.
//
// A Told outlives connections and servers: a test may kill the server, start it again, and compare.
//
// What it does not do: it never reads the data folder, it needs no knowledge of seeds (`hongbao verify` recomputes
// amounts), and it expects that the players it plays are nobody else's while it runs.
//
// Told has one mutex and calls nothing while it holds it.
package bench
