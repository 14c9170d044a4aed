package live

import (
	"context"
	"errors"
	"sync"
	"time"
)

// beats is how many parts a shard's heartbeats are spread over.
const beats = 60

// shard is some of a hub's connections, and the goroutine that writes to them.
type shard struct {
	hub  *Hub
	wake chan struct{} // there is something to send

	mu       sync.Mutex
	parts    [beats][]peer // those of one part are sent a heartbeat together
	join     int           // the part that the next one joins
	beat     int           // the part whose turn it is
	sent     uint64        // the event up to which all have been told
	progress uint64        // the number of the progress that was sent last
	closed   bool
	text     []byte     // scratch
	drop     [4096]byte // what peers send goes there
}

func newShard(h *Hub) *shard {
	return &shard{hub: h, wake: make(chan struct{}, 1)}
}

// call says that there is something to send.
func (s *shard) call() {
	select {
	case s.wake <- struct{}{}:
	default: // it has been said
	}
}

// run writes until ctx ends.
func (s *shard) run(ctx context.Context) {
	ticker := time.NewTicker(s.hub.heartbeat / beats)
	defer ticker.Stop()
	for {
		select {
		case <-s.wake:
			s.deliver()
		case <-ticker.C:
			s.keepAlive()
		case <-ctx.Done():
			return
		}
	}
}

// deliver tells all peers what they have not been told.
func (s *shard) deliver() {
	s.mu.Lock()
	defer s.mu.Unlock()
	news, ok := s.hub.news(s.sent, s.progress)
	if !ok { // events that are not kept any more: whoever reconnects is told how things stand
		s.all(func(*peer) error { return errSlow })
	}
	s.tell(&news)
	s.sent, s.progress = news.last, news.progress
	s.hub.told(&news)
}

// tell writes news to all peers. Progress comes first: it was counted before the events were known.
func (s *shard) tell(n *news) {
	if len(n.frames) == 0 && len(n.counted) == 0 {
		return
	}
	text := append(s.text[:0], n.counted...)
	for _, f := range n.frames {
		text = append(text, f.text...)
	}
	s.text = text
	events := text[len(n.counted):]
	s.all(func(p *peer) error {
		if p.from > s.sent { // it has been told of some of them
			return s.send(p, n.after(p.from, events))
		}
		return s.send(p, text)
	})
	const kept = 64 << 10
	if cap(s.text) > kept {
		s.text = nil
	}
}

func (s *shard) send(p *peer, text []byte) error {
	if len(text) == 0 {
		return nil
	}
	s.hub.written.Add(1)
	return p.send(text)
}

// all does something with every peer, and cuts off those for which it fails.
func (s *shard) all(do func(*peer) error) {
	for part := range s.parts {
		s.each(part, do)
	}
}

func (s *shard) each(part int, do func(*peer) error) {
	peers := s.parts[part]
	for i := 0; i < len(peers); {
		err := do(&peers[i])
		if err == nil {
			i++
			continue
		}
		peers[i].close()
		s.hub.lost(err)
		last := len(peers) - 1
		peers[i] = peers[last]
		peers[last] = peer{}
		peers = peers[:last]
	}
	s.parts[part] = peers
}

// keepAlive sends heartbeats to those whose turn it is, and looks whether they are still there.
func (s *shard) keepAlive() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.each(s.beat, func(p *peer) error {
		if err := p.listen(s.drop[:]); err != nil {
			return err
		}
		return p.send(heartbeat)
	})
	s.beat = (s.beat + 1) % beats
}

// errGone cuts off a connection whose hub has closed.
var errGone = errors.New("live: the server is stopping")

// add takes in a peer that has been told of events up to p.from, and tells it of those that the others have been told of.
// From here on it is told what the others are, in the same order.
func (s *shard) add(p peer) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		_ = p.send(appendRetry(nil, s.hub.spread()))
		return errGone
	}
	if p.from < s.sent {
		news, ok := s.hub.news(p.from, s.progress)
		if !ok {
			return errSlow
		}
		var text []byte
		for _, f := range news.frames {
			if f.id <= s.sent {
				text = append(text, f.text...)
			}
		}
		if err := s.send(&p, text); err != nil {
			return err
		}
	}
	s.parts[s.join] = append(s.parts[s.join], p)
	s.join = (s.join + 1) % beats
	return nil
}

// close says goodbye to all. Each is told another time to come back.
func (s *shard) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	spread := s.hub.spread()
	s.all(func(p *peer) error {
		_ = p.send(appendRetry(nil, spread))
		return errGone
	})
}
