// Package webhook tells a company's own systems what happens: it walks the journal and posts its events, signed, to
// endpoints.
//
// It promises, for each endpoint and while the journal is kept:
//
//   - Every event that the endpoint asks for, of what was journaled after it was made, arrives at least once, always under
//     the same webhook-id ([hongbao.Entry.ID]), in the order of the journal within its campaign: a campaign's next event is
//     sent only after the one before was accepted with a 2xx.
//   - A campaign whose delivery fails falls behind alone. It holds up no other campaign, no other endpoint, and never play,
//     which knows nothing of webhooks.
//   - After three days of failing a campaign is parked, and waits to be replayed; a 410 disables the endpoint. Neither loses
//     anything: the position is kept, and the journal has the events.
//   - Memory is bounded: endpoints, campaigns that are behind, events read ahead, requests under way, bytes of an answer.
//
// What is remembered is the engine's: the list of endpoints is the system event "webhooks", and how far an endpoint has
// come is one of 32 named webhook.0 to webhook.31, written by compare-and-set about once a second while deliveries go on.
// After a crash as much as that is sent again. So any process can show and command, and whichever does the background work
// delivers.
//
// A [Sender] runs a courier for each endpoint: one goroutine that owns all its state, without locks. It reads the journal
// in batches: the front, which is for all campaigns that keep up, and for each campaign that does not, from where it stopped.
// lane.go says how a campaign that has caught up joins the front again.
//
// It does not know TLS certificates, proxies or queues beyond this, and does not send progress.
package webhook
