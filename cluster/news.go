package cluster

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/redis/rueidis"

	"hongbao"
)

const (
	callTimeout = 500 * time.Millisecond // that one server may take to pass a call on
	listenEvery = 100 * time.Millisecond // after which a connection that failed is tried again, at first
	listenMost  = 3 * time.Second        // and at most
)

// channel is where processes tell each other that there is news. Servers pass on what is published to all of them.
func (e *Engine) channel() string { return e.options.Prefix + ".live" }

// Call tells whoever listens, in any process, that there is news. Who can't be reached at that moment does not hear it. ErrBusy:
// no server passes it on.
func (e *Engine) Call(ctx context.Context) error {
	errs := fmt.Errorf("%w: a call was not passed on", hongbao.ErrBusy)
	asked := map[*lane]bool{}
	for _, s := range e.shards {
		l := e.redis.lane(s)
		if l == nil || asked[l] {
			continue
		}
		asked[l] = true
		limited, cancel := context.WithTimeout(ctx, callTimeout)
		_, _, err := e.plain(limited, s, "PUBLISH", e.channel(), "")
		cancel()
		if err == nil || ctx.Err() != nil {
			return err
		}
		errs = errors.Join(errs, err)
	}
	return errs
}

// Listen calls heard whenever there is news, until ctx ends; and whenever it has been connected, for what there was before. What
// is lost while a connection fails, or on its way, is not told: whoever must not miss it looks now and then. heard must not
// block, and may be called from any goroutine.
func (e *Engine) Listen(ctx context.Context, heard func()) {
	wait, failing := listenEvery, false
	for nth := 0; ctx.Err() == nil; nth++ {
		err := e.listen(ctx, nth, heard, func() {
			if failing {
				e.logger.Info("news are heard again")
			}
			wait, failing = listenEvery, false
		})
		if ctx.Err() != nil {
			return
		}
		if !failing {
			e.logger.Warn("news are not heard; it is tried again", "error", err)
			failing = true
		}
		pause(ctx, wait/2+rand.N(wait/2)) // not all processes at once
		wait = min(2*wait, listenMost)
	}
}

// listen connects to one of the servers, and listens for as long as that goes well. A server that hangs is found out by the
// pings that the client sends.
func (e *Engine) listen(ctx context.Context, nth int, heard, connected func()) error {
	servers := e.redis.candidates()
	client, err := e.redis.dial(servers[nth%len(servers)])
	if err != nil {
		return err
	}
	defer client.Close()
	conn, release := client.Dedicate()
	defer release()
	ended := conn.SetPubSubHooks(rueidis.PubSubHooks{
		OnMessage:      func(rueidis.PubSubMessage) { heard() },
		OnSubscription: func(rueidis.PubSubSubscription) { heard() },
	})
	limited, cancel := context.WithTimeout(ctx, dialTimeout)
	err = conn.Do(limited, conn.B().Subscribe().Channel(e.channel()).Build()).Error()
	cancel()
	if err != nil {
		return err
	}
	connected()
	select {
	case err := <-ended:
		return errors.Join(errors.New("the connection has ended"), err)
	case <-ctx.Done():
		return nil
	}
}
