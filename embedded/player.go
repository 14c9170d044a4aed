package embedded

import (
	"sync"

	"hongbao"
)

// shardCount is how many locks the players share. A power of two.
const shardCount = 1024

// shard holds a share of the players. Its lock is a player's lock: whatever concerns one uid happens one at a time.
type shard struct {
	mu      sync.Mutex
	rights  map[rightKey]right // until the campaign is settled
	players map[uint64]player
	recent  recent
	_       [40]byte // a lock to a cache line
}

// rightKey names what a player has in a campaign.
type rightKey struct {
	uid      uint64
	campaign uint32
}

// right is what a player has done in a campaign: the counters that its limits rest on.
type right struct {
	wins     uint32
	signedUp bool
}

// player is what is known of a player beyond campaigns.
type player struct {
	block      uint64 // of the last event: what is told of the player waits for it
	balanceFen int64
	day        int32     // that dayWins count
	dayWins    [2]uint32 // by kind: rain, bomb
	loaded     bool      // balanceFen is known; otherwise the views have it
}

func (p *player) winsOn(day int32, kind hongbao.Kind) int {
	if p.day != day {
		return 0
	}
	return int(p.dayWins[kindIndex(kind)])
}

// countWin counts a win of the day; days only go forward, because engine time does.
func (p *player) countWin(day int32, kind hongbao.Kind) {
	if p.day != day {
		p.day, p.dayWins = day, [2]uint32{}
	}
	p.dayWins[kindIndex(kind)]++
}

func kindIndex(kind hongbao.Kind) int {
	if kind == hongbao.Bomb {
		return 1
	}
	return 0
}

// players are all shards.
type players [shardCount]shard

func newPlayers() *players {
	var p players
	for i := range p {
		p[i].rights = map[rightKey]right{}
		p[i].players = map[uint64]player{}
	}
	return &p
}

// of is the shard of a uid. Multiplying by an odd constant spreads uids that come in steps.
func (p *players) of(uid uint64) *shard {
	return &p[uid*0x9E3779B97F4A7C15>>(64-10)]
}

// forgetCampaign drops what a settled campaign no longer decides.
func (p *players) forgetCampaign(campaign uint32) {
	for i := range p {
		s := &p[i]
		s.mu.Lock()
		for key := range s.rights {
			if key.campaign == campaign {
				delete(s.rights, key)
			}
		}
		s.mu.Unlock()
	}
}

// forgetBefore drops players whose last event is in the views and who have no wins on the day: all that is left of them
// is there.
func (p *players) forgetBefore(day int32, applied uint64) {
	for i := range p {
		s := &p[i]
		s.mu.Lock()
		for uid, known := range s.players {
			if known.day < day && known.block <= applied {
				delete(s.players, uid)
			}
		}
		s.recent.drop(applied)
		s.mu.Unlock()
	}
}

// change is one transition of an envelope that the views may not have yet.
type change struct {
	block    uint64
	uid      uint64
	envelope hongbao.Envelope
	balance  int64 // after it, when it opened the envelope
}

// recent is a queue of changes in the order of the journal. Those that the views have are dropped when a new one comes.
type recent struct {
	changes []change
}

func (r *recent) add(c change, applied uint64) {
	if len(r.changes) == cap(r.changes) {
		r.drop(applied)
	}
	r.changes = append(r.changes, c)
}

// drop forgets what the views have. It moves what stays to the front, so that the memory is used again.
func (r *recent) drop(applied uint64) {
	n := 0
	for n < len(r.changes) && r.changes[n].block <= applied {
		n++
	}
	kept := copy(r.changes, r.changes[n:])
	clear(r.changes[kept:])
	r.changes = r.changes[:kept]
}

// of is a copy of a player's changes.
func (r *recent) of(uid uint64) (list []change) {
	for i := range r.changes {
		if r.changes[i].uid == uid {
			list = append(list, r.changes[i])
		}
	}
	return list
}
