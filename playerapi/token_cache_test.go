package playerapi

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// size is how many tokens are held.
func (c *tokenCache) size() (n int) {
	for i := range c.sets {
		for j := range c.sets[i] {
			if c.sets[i][j].token.Load() != nil {
				n++
			}
		}
	}
	return n
}

func TestTokenCacheIsBounded(t *testing.T) {
	const limit = 128
	c := newTokenCache(limit)
	for i := range 100 * limit {
		token := fmt.Sprint("token ", i)
		c.add(token, uint64(i), noon.Add(1), noon)
		if uid, ok := c.find([]byte(token), noon); !ok || uid != uint64(i) {
			t.Fatalf("token %d is not known right after it was added", i)
		}
		if n := c.size(); n > limit {
			t.Fatalf("%d tokens are known", n)
		}
	}
	if n := c.size(); n < limit {
		t.Errorf("%d of %d slots are used", n, limit)
	}
}

func TestTokenCacheForgetsWhatEnded(t *testing.T) {
	c := newTokenCache(128)
	c.add("a", 7, noon, noon.Add(-1))
	if _, ok := c.find([]byte("a"), noon.Add(-1)); !ok {
		t.Error("a token is not known until its end")
	}
	if _, ok := c.find([]byte("a"), noon); ok {
		t.Error("a token is known beyond its end")
	}
	if _, ok := c.find([]byte("b"), noon.Add(-1)); ok {
		t.Error("a token is known that was never added")
	}
}

// Room is taken from those who ended, and a player who asks twice at once takes one slot.
func TestTokenCachePushesOutNobodyWhereThereIsRoom(t *testing.T) {
	c := newTokenCache(tokenCacheWays) // one set
	for i := range tokenCacheWays - 1 {
		c.add(fmt.Sprint("lasting ", i), uint64(i), noon.Add(time.Hour), noon)
	}
	for i := range 1000 {
		now := noon.Add(time.Duration(i))
		for range 2 {
			c.add(fmt.Sprint("short ", i), 99, now.Add(1), now)
		}
		for j := range tokenCacheWays - 1 {
			if uid, ok := c.find([]byte(fmt.Sprint("lasting ", j)), now); !ok || uid != uint64(j) {
				t.Fatalf("token %d was pushed out after %d short ones", j, i)
			}
		}
	}
}

// Whatever a mark says, a token is known by all its bytes.
func TestTokenCacheComparesWholeTokens(t *testing.T) {
	c := newTokenCache(tokenCacheWays)
	c.add("a token", 7, noon.Add(1), noon)
	c.add("of another", 8, noon.Add(1), noon)
	for i := range c.sets[0] { // as writers that crossed would leave it
		slot := &c.sets[0][i]
		if known := slot.token.Load(); known != nil && known.uid == 7 {
			slot.token.Store(&verified{"of a third", 9, noon.Add(1)})
		}
	}
	if uid, ok := c.find([]byte("a token"), noon); ok {
		t.Errorf("it is taken for player %d's", uid)
	}
}

func TestTokensOfAnyLengthWorkAndLongOnesAreNotKept(t *testing.T) {
	j := newJWT(t, JWTOptions{Keys: [][]byte{secret}})
	claims := player("7", time.Hour)
	claims.Issuer = strings.Repeat("x", tokenBytesMax)
	token := sign(t, jwt.SigningMethodHS256, secret, claims)
	for range 2 {
		if !j.believes(token) {
			t.Error("a long token is refused")
		}
	}
	if n := j.tokens.keys.Load().known.size(); n != 0 {
		t.Errorf("%d long tokens are kept", n)
	}
}

// Only who has a key can make others be forgotten.
func TestForgedTokensPushOutNobody(t *testing.T) {
	limit := &guard{}
	j := newJWT(t, JWTOptions{Keys: [][]byte{secret}}, func(o *Options) { o.Failed = limit })
	token := sign(t, jwt.SigningMethodHS256, secret, player("7", time.Hour))
	if !j.believes(token) {
		t.Fatal("a good token is refused")
	}
	limit.asked = nil
	for i := range 1000 {
		if j.believes(sign(t, jwt.SigningMethodHS256, []byte("guessed"), player(fmt.Sprint(i), time.Hour))) {
			t.Fatal("a forged token is believed")
		}
	}
	if n := j.tokens.keys.Load().known.size(); n != 1 {
		t.Errorf("%d tokens are known, want the good one alone", n)
	}
	if !j.believes(token) || len(limit.asked) != 1000 {
		t.Error("the good one was verified again")
	}
}

func TestTokenCacheUnderACrowd(t *testing.T) {
	c := newTokenCache(64)
	var crowd sync.WaitGroup
	for range 4 {
		crowd.Go(func() {
			for i := range 20000 {
				uid := uint64(i % 97)
				token := fmt.Sprint("token ", uid)
				if found, ok := c.find([]byte(token), noon); ok && found != uid {
					t.Errorf("player %d's token is taken for player %d's", uid, found)
				} else if !ok {
					c.add(token, uid, noon.Add(1), noon)
				}
			}
		})
	}
	crowd.Wait()
}
