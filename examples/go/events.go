package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"iter"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Event is what the server tells everybody: that a campaign opens, is sold out, closes, …
type Event struct {
	ID   uint64 // 0: one that is neither numbered nor repeated, such as progress
	Name string
	Data json.RawMessage // an object; most have campaign_id and server_time
}

// Events are those after the event `last` (0: those from now on) until ctx ends or a refusal stands. It connects again
// whenever the connection breaks or falls silent, and asks for what it has missed; none comes twice.
func (c *Client) Events(ctx context.Context, last uint64) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		s := stream{client: c, last: last, pause: time.Second}
		for {
			err := s.read(ctx, func(e Event) bool { return yield(e, nil) })
			var stands *Refusal
			switch {
			case s.left:
				return
			case ctx.Err() != nil:
				yield(Event{}, ctx.Err())
				return
			case errors.As(err, &stands):
				yield(Event{}, err)
				return
			}
			select {
			case <-time.After(s.pause/2 + rand.N(s.pause/2)):
			case <-ctx.Done():
			}
		}
	}
}

// stream is one connection after another.
type stream struct {
	client *Client
	last   uint64        // the event told last
	pause  time.Duration // before connecting again, at most; the server says how long
	stands bool          // the frame that is being read has an id
	left   bool          // whoever listened has gone
}

// silence is how long nothing may come before the connection is taken for dead: the server sends something every 15 s.
const silence = 40 * time.Second

// read connects and tells events until the connection ends, which is an error too.
func (s *stream) read(ctx context.Context, tell func(Event) bool) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	watch := time.AfterFunc(silence, cancel)
	defer watch.Stop()
	header := http.Header{"Accept": {"text/event-stream"}}
	if s.last > 0 {
		header.Set("Last-Event-ID", strconv.FormatUint(s.last, 10))
	}
	response, err := s.client.send(ctx, "GET", "/v1/events", header)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		body, _ := io.ReadAll(io.LimitReader(response.Body, 1<<20)) // a part of it says less, but no wrong
		return problem(response.StatusCode, body)
	}
	lines := bufio.NewScanner(response.Body)
	lines.Buffer(nil, 1<<20)
	var e Event
	for lines.Scan() {
		watch.Reset(silence)
		if line := lines.Text(); line != "" {
			s.field(&e, line)
			continue
		}
		if !s.end(&e, tell) {
			return nil
		}
	}
	return errors.Join(lines.Err(), io.ErrUnexpectedEOF)
}

// field reads a line of a frame. One that begins with a colon is there to be heard, not read.
func (s *stream) field(e *Event, line string) {
	name, value, _ := strings.Cut(line, ":")
	value = strings.TrimPrefix(value, " ")
	number, err := strconv.ParseUint(value, 10, 63)
	switch {
	case name == "event":
		e.Name = value
	case name == "data":
		e.Data = append(e.Data, value...)
	case name == "id" && err == nil:
		e.ID, s.stands = number, true
	case name == "retry" && err == nil:
		s.pause = max(time.Duration(number)*time.Millisecond, time.Second)
	}
}

// end tells a frame that has come whole, unless it was told before; it returns false when nobody listens any more. One that is
// an id and nothing more says where the server stands, and from where on to ask later: that is before what was told where its
// data are new, or were restored from an older copy.
func (s *stream) end(e *Event, tell func(Event) bool) bool {
	whole, stands := *e, s.stands
	*e, s.stands = Event{}, false
	if whole.Data == nil {
		if stands {
			s.last = whole.ID
		}
		return true
	}
	if whole.ID > 0 && whole.ID <= s.last {
		return true
	}
	s.last = max(s.last, whole.ID)
	s.left = !tell(whole)
	return !s.left
}
