package main

import (
	"bufio"
	"context"
	"io"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/valyala/fasthttp"
)

// flooding is a flood that is under way, and what it counts.
type flooding struct {
	sent     atomic.Int64 // requests written
	unsent   atomic.Int64 // requests that were due and could not be written in time
	opened   atomic.Int64 // connections
	closed   atomic.Int64 // connections that the server ended
	mu       sync.Mutex
	answers  map[int]int64 // by HTTP status
	counted  int64
	flooders sync.WaitGroup
}

func (f *flooding) heard(statuses map[int]int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for status, n := range statuses {
		f.answers[status] += n
	}
}

const (
	preparedRequests = 20_000 // of a kind; then they come again
	tick             = 3 * time.Millisecond
)

// run sends a kind at a rate until ctx ends, over connections that are opened again when the server ends them. It is an
// open model: what is due is written whatever has been answered; what a full connection does not take is counted.
func (f *flooding) run(ctx context.Context, g *ground, k kind, rate, connections int) {
	if k.open != nil {
		k.open(g, f)
		return
	}
	prepared := preparedRequests
	if k.rate != nil {
		prepared = 200 // giants
	}
	requests := make([][]byte, prepared)
	for n := range requests {
		requests[n] = k.make(g, n)
	}
	for c := range connections {
		f.flooders.Go(func() { f.pour(ctx, g, requests, c, float64(rate)/float64(connections), connections) })
	}
}

// pour is the share of one connection: about every tick it writes what has become due in one piece. Connections do not do so
// at the same time: between the waves of a flood that comes in waves, honest players would find the bucket filled again.
func (f *flooding) pour(ctx context.Context, g *ground, requests [][]byte, offset int, rate float64, step int) {
	const behindMax = 500 * time.Millisecond // what is later than that is not sent any more
	next, due := offset, 0.0
	var w *wire
	defer func() {
		if w != nil {
			w.close()
		}
	}()
	var buffer []byte
	ended := make(chan struct{}, 1)
	random := rand.New(rand.NewPCG(g.options.seed, uint64(offset)))
	began := time.Now()
	for ctx.Err() == nil {
		time.Sleep(time.Duration((0.5 + random.Float64()) * float64(tick)))
		should := time.Since(began).Seconds() * rate
		if behind := should - due - rate*behindMax.Seconds(); behind >= 1 {
			f.unsent.Add(int64(behind))
			due += float64(int64(behind))
		}
		select {
		case <-ended:
			w.close()
			w = nil
			f.closed.Add(1)
		default:
		}
		if w == nil {
			var err error
			if w, err = dial(g.player); err != nil {
				w = nil
				continue
			}
			f.opened.Add(1)
			ended = make(chan struct{}, 1)
			go f.listen(w.conn, ended)
		}
		buffer = buffer[:0]
		n := 0
		for ; due+float64(n)+1 <= should && len(buffer) < 256<<10; n++ {
			buffer = append(buffer, requests[next%len(requests)]...)
			next += step
		}
		if n == 0 {
			continue
		}
		_ = w.conn.SetWriteDeadline(time.Now().Add(behindMax))
		if _, err := w.conn.Write(buffer); err != nil {
			f.unsent.Add(int64(n))
			w.conn.Close() // half a request may be on it
		} else {
			f.sent.Add(int64(n))
		}
		due += float64(n)
	}
}

// listen counts the answers of a connection until it ends.
func (f *flooding) listen(conn io.Reader, ended chan<- struct{}) {
	reader := bufio.NewReaderSize(conn, 16<<10)
	statuses := map[int]int64{}
	defer func() {
		f.heard(statuses)
		ended <- struct{}{}
	}()
	var response fasthttp.Response
	for {
		response.Reset()
		if err := response.Read(reader); err != nil {
			return
		}
		statuses[response.StatusCode()]++
	}
}

// readSlowly opens connections that ask for lists and never read an answer. Their buffers are small: it is the server that
// is to be stuck with what nobody reads, not this machine's memory for sockets.
func (g *ground) readSlowly(f *flooding) {
	lists := []string{"/v1/campaigns", "/v1/wallet?limit=200"}
	var buffer []byte
	const pipelined = 16
	for n := range pipelined {
		buffer = append(buffer, request("GET", lists[n%len(lists)], "", g.identity(madeUpUIDs+uint64(n)), floodAddress(g, n))...)
	}
	g.hold(f, g.options.slowReaders, func(w *wire) {
		for {
			if _, err := w.conn.Write(buffer); err != nil {
				return
			}
			f.sent.Add(pipelined)
		}
	})
}

// openHalf opens connections that send half a request, and then a byte now and then.
func (g *ground) openHalf(f *flooding) {
	const drip = time.Second
	half := "POST " + snatchPath(g.campaign) + " HTTP/1.1\r\nHost: bench\r\nX-Drip: "
	g.hold(f, g.options.halfOpen, func(w *wire) {
		if _, err := w.conn.Write([]byte(half)); err != nil {
			return
		}
		f.sent.Add(1)
		for {
			time.Sleep(drip)
			if _, err := w.conn.Write([]byte("x")); err != nil {
				return
			}
		}
	})
}

// hold keeps count connections busy until the flood is over, and opens those anew that the server has ended.
func (g *ground) hold(f *flooding, count int, use func(*wire)) {
	over := g.start.Add(g.options.before + g.options.during)
	for range count {
		f.flooders.Go(func() {
			for time.Now().Before(over) {
				w, err := dialSmall(g.player)
				if err != nil {
					time.Sleep(100 * time.Millisecond)
					continue
				}
				f.opened.Add(1)
				_ = w.conn.SetDeadline(over)
				use(w)
				w.close()
				if time.Now().Before(over) {
					f.closed.Add(1)
				}
			}
		})
	}
}
