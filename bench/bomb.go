package bench

import (
	"math/rand/v2"
	"sync"
	"sync/atomic"
)

// bomb is a crowd that fires: each player in turn, at whatever is left.
type bomb struct {
	witness  Witness
	players  players
	campaign uint32
	shots    atomic.Uint64

	mu  sync.Mutex
	won []held
}

func (b *bomb) play(random *rand.Rand) (Operation, Result) {
	uid := b.players.first + (b.shots.Add(1)-1)%b.players.count
	if b.witness.Tickets.lacks(uid) {
		b.witness.Tickets.Fetch(uid) // who is given none is told so by the snatch
	}
	answer := b.witness.Snatch(Snatch{UID: uid, Campaign: b.campaign, Key: b.players.keyMaybe(random)})
	if answer.Won() {
		b.mu.Lock()
		b.won = append(b.won, held{uid, answer.Envelope})
		b.mu.Unlock()
	}
	return OpSnatch, answer.Result
}
