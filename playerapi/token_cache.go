package playerapi

import (
	"hash/maphash"
	"math/rand/v2"
	"sync/atomic"
	"time"
)

const (
	tokenCacheWays = 4       // slots that a token may lie in: with their marks they fill a cache line
	tokenBytesMax  = 1 << 10 // longer tokens are verified each time, so that the cache's memory has a bound
)

// tokenCache remembers tokens that were verified, until they end. It never holds more than it has slots, and who asks
// waits for nobody: a crowd that comes back reads, without a lock and without allocating. Where all slots that a token
// may lie in are taken, it pushes one out at random; whoever that was is verified again when he comes back.
type tokenCache struct {
	seed maphash.Seed // random, so that nobody can choose tokens that push each other out
	sets []tokenSet   // a power of two
}

type tokenSet [tokenCacheWays]tokenSlot

// tokenSlot is written to without a lock: where two write at once the mark may be of one and the token of the other. It
// then finds nothing, for a mark only says where to look and the whole token is compared.
type tokenSlot struct {
	mark  atomic.Uint64 // hash of the token
	token atomic.Pointer[verified]
}

type verified struct {
	token string
	uid   uint64
	until time.Time
}

// newTokenCache makes one of that many slots, a power of two from 4 on.
func newTokenCache(limit int) *tokenCache {
	return &tokenCache{seed: maphash.MakeSeed(), sets: make([]tokenSet, limit/tokenCacheWays)}
}

// find tells the uid of a token that is known and has not ended.
func (c *tokenCache) find(token []byte, now time.Time) (uid uint64, ok bool) {
	mark := maphash.Bytes(c.seed, token)
	set := c.set(mark)
	for i := range set {
		if set[i].mark.Load() != mark {
			continue
		}
		known := set[i].token.Load()
		if known != nil && known.token == string(token) && now.Before(known.until) {
			return known.uid, true
		}
	}
	return 0, false
}

// add remembers a token that was verified.
func (c *tokenCache) add(token string, uid uint64, until, now time.Time) {
	if len(token) > tokenBytesMax {
		return
	}
	mark := maphash.String(c.seed, token)
	slot := c.set(mark).place(mark, now)
	slot.token.Store(&verified{token, uid, until})
	slot.mark.Store(mark)
}

func (c *tokenCache) set(mark uint64) *tokenSet { return &c.sets[mark&uint64(len(c.sets)-1)] }

// place is the slot for a token: its own, one that nobody needs, or anybody's.
func (s *tokenSet) place(mark uint64, now time.Time) *tokenSlot {
	place := &s[rand.IntN(tokenCacheWays)]
	for i := range s {
		known := s[i].token.Load()
		switch {
		case known != nil && s[i].mark.Load() == mark:
			return &s[i]
		case known == nil || !now.Before(known.until):
			place = &s[i]
		}
	}
	return place
}
