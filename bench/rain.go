package bench

import (
	"math/rand/v2"
	"strconv"
	"time"

	"hongbao"
)

// players are a range of uids, with keys that nobody used before.
type players struct {
	first uint64
	count uint64
	nonce string // sets this run's keys apart from another's with the same seed
}

func newPlayers(o *Options) players {
	return players{o.FirstUID, uint64(o.Players), strconv.FormatInt(time.Now().UnixNano(), 36)}
}

func (p players) any(random *rand.Rand) uint64 { return p.first + random.Uint64N(p.count) }

// keyMaybe is a new key for some requests; the server makes the others' keys.
func (p players) keyMaybe(random *rand.Rand) string {
	const keyed = 0.5
	if random.Float64() >= keyed {
		return ""
	}
	return p.nonce + "-" + strconv.FormatUint(random.Uint64(), 36)
}

// rain is a crowd that taps; some of it opens what it won, now and then twice, retries a key that won, or looks into
// its wallet.
type rain struct {
	witness     Witness
	players     players
	campaign    uint32
	openShare   float64
	walletShare float64
	held        pool[held]
	won         pool[Snatch]
}

// held is an envelope that a player can open.
type held struct {
	uid      uint64
	envelope hongbao.EnvelopeID
}

const (
	reopenShare = 0.2  // of openings
	replayShare = 0.02 // of taps
	walletLimit = 50
)

func (r *rain) play(random *rand.Rand) (Operation, Result) {
	choice := random.Float64()
	if choice < r.walletShare {
		return OpWallet, r.witness.Wallet(r.players.any(random), walletLimit).Result
	}
	if choice < r.walletShare+r.openShare {
		if h, ok := r.held.take(random); ok {
			return OpOpen, r.open(random, h)
		}
	}
	return r.tap(random)
}

func (r *rain) open(random *rand.Rand, h held) Result {
	answer := r.witness.Open(h.uid, h.envelope)
	if answer.Outcome != Answered || random.Float64() < reopenShare {
		r.held.put(random, h)
	}
	return answer.Result
}

// tap snatches. Where a campaign wants tickets, a player without one fetches it first; that is a request of its own.
func (r *rain) tap(random *rand.Rand) (Operation, Result) {
	ask := Snatch{UID: r.players.any(random), Campaign: r.campaign, Key: r.players.keyMaybe(random)}
	if random.Float64() < replayShare {
		if again, ok := r.won.take(random); ok {
			ask = again
		}
	}
	if r.witness.Tickets.lacks(ask.UID) {
		return OpTicket, r.witness.Tickets.Fetch(ask.UID)
	}
	answer := r.witness.Snatch(ask)
	if answer.Won() {
		r.held.put(random, held{ask.UID, answer.Envelope})
		ask.Key = answer.Key // also one that the server made can be retried
		r.won.put(random, ask)
	}
	return OpSnatch, answer.Result
}
