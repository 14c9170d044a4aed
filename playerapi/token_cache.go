package playerapi

import (
	"crypto/sha256"
	"sync"
	"time"
)

// tokenCache remembers tokens that were verified, by their hash, until they end. It is bounded: when the young half is
// full it becomes the old one, and what was not asked for since the last time is forgotten.
type tokenCache struct {
	limit int // of each half

	mu         sync.RWMutex
	young, old map[tokenHash]verified
}

type tokenHash [sha256.Size]byte

type verified struct {
	uid   uint64
	until time.Time
}

func newTokenCache(limit int) *tokenCache {
	return &tokenCache{limit: limit / 2, young: map[tokenHash]verified{}}
}

// find tells the uid of a token that is known and has not ended.
func (c *tokenCache) find(hash tokenHash, now time.Time) (uid uint64, ok bool) {
	c.mu.RLock()
	token, young := c.young[hash]
	if !young {
		token = c.old[hash]
	}
	c.mu.RUnlock()
	if !now.Before(token.until) {
		return 0, false
	}
	if !young {
		c.add(hash, token.uid, token.until)
	}
	return token.uid, true
}

func (c *tokenCache) add(hash tokenHash, uid uint64, until time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.young) >= c.limit {
		c.old, c.young = c.young, make(map[tokenHash]verified, c.limit)
	}
	c.young[hash] = verified{uid, until}
}
