package playerapi

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// keyFiles is what the files of keys have, as a test changes it.
type keyFiles struct {
	mu    sync.Mutex
	texts [][]byte
	err   error
}

func (f *keyFiles) write(texts ...[]byte) { f.set(texts, nil) }
func (f *keyFiles) lose(err error)        { f.set(nil, err) }

func (f *keyFiles) set(texts [][]byte, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.texts, f.err = texts, err
}

func (f *keyFiles) read() ([][]byte, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.texts, f.err
}

// rotation is a server that watches its keys, in a bubble of time.
type rotation struct {
	*jwtGame
	files   keyFiles
	logs    bytes.Buffer
	current string // a token of each key
	former  string
}

// rotating runs a test while keys are watched; it begins with both keys in force.
func rotating(t *testing.T, test func(*rotation)) {
	synctest.Test(t, func(t *testing.T) {
		r := &rotation{
			current: sign(t, jwt.SigningMethodHS256, secret, player("7", time.Hour)),
			former:  sign(t, jwt.SigningMethodHS256, retired, player("8", time.Hour)),
		}
		r.files.write(secret, retired)
		r.jwtGame = newJWT(t, JWTOptions{Keys: r.files.texts, Reload: r.files.read}, func(o *Options) {
			o.Logger = slog.New(slog.NewTextHandler(&r.logs, &slog.HandlerOptions{Level: slog.LevelError}))
		})
		ctx, cancel := context.WithCancel(t.Context())
		var watch sync.WaitGroup
		watch.Go(func() { r.server.Watch(ctx) })
		test(r)
		cancel()
		watch.Wait()
	})
}

// settle lets time pass until a change was seen twice.
func (r *rotation) settle() {
	time.Sleep(2 * time.Second)
	synctest.Wait()
}

func (r *rotation) expect(what string, current, former bool, degraded string, errors int) {
	r.t.Helper()
	if got := r.believes(r.current); got != current {
		r.t.Errorf("%s: a token of the current key is believed: %v", what, got)
	}
	if got := r.believes(r.former); got != former {
		r.t.Errorf("%s: a token of the former key is believed: %v", what, got)
	}
	err := r.server.Degraded()
	if (err != nil) != (degraded != "") || err != nil && !strings.Contains(err.Error(), degraded) {
		r.t.Errorf("%s: degraded is %v, want %q", what, err, degraded)
	}
	if n := strings.Count(r.logs.String(), "keys for tokens were refused"); n != errors {
		r.t.Errorf("%s: %d errors were logged, want %d:\n%s", what, n, errors, r.logs.String())
	}
}

func TestATokenOfARemovedKeyIsRefused(t *testing.T) {
	rotating(t, func(r *rotation) {
		r.files.write(retired)
		r.settle()
		r.expect("the former alone", false, true, "", 0)
		r.files.write(secret, retired)
		r.settle()
		r.expect("the current one is added", true, true, "", 0)
		r.files.write(secret)
		r.settle()
		r.expect("the former is removed", true, false, "", 0)
		if got, want := r.server.KeyReloads(), (KeyReloads{Taken: 3}); got != want {
			r.t.Errorf("counted %+v, want %+v", got, want)
		}
	})
}

func TestBadKeysLeaveTheOldOnesInForce(t *testing.T) {
	rotating(t, func(r *rotation) {
		keys := r.tokens.keys.Load()
		r.files.lose(errors.New("player.jwt.key_file: gone"))
		r.settle()
		r.expect("a file is missing", true, true, "key_file: gone", 1)
		time.Sleep(time.Hour)
		r.expect("it stays missing", true, true, "key_file: gone", 1)
		r.files.write([]byte{}, secret)
		r.settle()
		r.expect("one of them is empty", true, true, "player.jwt: key 1 of 2", 2)
		time.Sleep(time.Hour)
		r.expect("it stays empty", true, true, "player.jwt: key 1 of 2", 2)
		r.files.write()
		r.settle()
		r.expect("there is none", true, true, "player.jwt.key", 3)
		r.files.write(secret, retired)
		r.settle()
		r.expect("they are back as they were", true, true, "", 3)
		if r.tokens.keys.Load() != keys {
			r.t.Error("tokens that are known were forgotten though no key changed")
		}
		r.files.lose(errors.New("gone"))
		r.settle()
		r.files.write(secret)
		r.settle()
		r.expect("others are there", true, false, "", 4)
		if got, want := r.server.KeyReloads(), (KeyReloads{Taken: 1, Refused: 4}); got != want {
			r.t.Errorf("counted %+v, want %+v", got, want)
		}
	})
}

// Who writes a file in place is read in the middle of it now and then.
func TestHalfWrittenKeysAreNotTaken(t *testing.T) {
	rotating(t, func(r *rotation) {
		keys := r.tokens.keys.Load()
		for _, half := range [][]byte{{}, retired[:10], retired[:20]} {
			r.files.write(half)
			time.Sleep(time.Second)
			synctest.Wait()
			r.expect("half", true, true, "", 0)
		}
		r.files.write(secret, retired)
		time.Sleep(time.Minute)
		r.expect("whole", true, true, "", 0)
		if r.tokens.keys.Load() != keys {
			r.t.Error("tokens that are known were forgotten though no key changed")
		}
	})
}

// The limit is asked between looking a token up and verifying it: then its key is removed.
func TestATokenVerifiedWhileItsKeyIsRemovedIsNotKnownAfterwards(t *testing.T) {
	limit := &guard{}
	j := newJWT(t, JWTOptions{Keys: [][]byte{secret, retired}}, func(o *Options) { o.Failed = limit })
	limit.allow = func() bool {
		limit.allow = nil
		if err := j.tokens.use([][]byte{secret}); err != nil {
			t.Error(err)
		}
		return true
	}
	token := sign(t, jwt.SigningMethodHS256, retired, player("8", time.Hour))
	if !j.believes(token) {
		t.Error("a request that began before its key was removed is refused")
	}
	if j.believes(token) {
		t.Error("a token outlives its key")
	}
}

func TestNoTokenOutlivesItsKeyUnderACrowd(t *testing.T) {
	j := newJWT(t, JWTOptions{Keys: [][]byte{secret, retired}})
	token := sign(t, jwt.SigningMethodHS256, retired, player("8", time.Hour))
	for range 50 {
		if err := j.tokens.use([][]byte{secret, retired}); err != nil {
			t.Fatal(err)
		}
		var crowd sync.WaitGroup
		for range 4 {
			crowd.Go(func() {
				for j.believes(token) {
				}
			})
		}
		if err := j.tokens.use([][]byte{secret}); err != nil {
			t.Fatal(err)
		}
		crowd.Wait() // for ever, if it were known still
		if j.believes(token) {
			t.Fatal("a token outlives its key")
		}
	}
}

func TestKeysAreNotWatchedWhereThereAreNone(t *testing.T) {
	g := newGame(t)
	g.server.Watch(t.Context())
	if err := g.server.Degraded(); err != nil || g.server.KeyReloads() != (KeyReloads{}) {
		t.Errorf("degraded: %v", err)
	}
	newJWT(t, JWTOptions{Keys: [][]byte{secret}}).server.Watch(t.Context())
}
