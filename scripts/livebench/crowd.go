package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"sync"
	"time"
)

// crowd is the process of the clients, as the measuring one sees it: it is told a number of connections to have, or to wait for
// the next event, and answers with a line of JSON.
type crowd struct {
	command *exec.Cmd
	in      io.WriteCloser
	out     *bufio.Reader
}

// told is what became of an event: how long after it was decided the receivers had it.
type told struct {
	Median, Last time.Duration
	FrameBytes   int
	Err          string
}

func startCrowd(address string) (*crowd, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	c := &crowd{command: exec.Command(self, "crowd", address)}
	c.command.Stderr = os.Stderr
	if c.in, err = c.command.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := c.command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	c.out = bufio.NewReader(out)
	return c, c.command.Start()
}

func (c *crowd) close() {
	_ = c.in.Close()
	_ = c.command.Wait()
}

// connect returns when as many connections are there and have been greeted.
func (c *crowd) connect(n int) error {
	if _, err := fmt.Fprintln(c.in, n); err != nil {
		return err
	}
	_, err := c.answer()
	return err
}

// event returns when all have received the event that is made.
func (c *crowd) event(made func() error) (told, error) {
	if _, err := fmt.Fprintln(c.in, "event"); err != nil {
		return told{}, err
	}
	if _, err := c.answer(); err != nil { // it is waiting
		return told{}, err
	}
	if err := made(); err != nil {
		return told{}, err
	}
	return c.answer()
}

func (c *crowd) answer() (t told, err error) {
	line, err := c.out.ReadBytes('\n')
	if err == nil {
		err = json.Unmarshal(line, &t)
	}
	if err == nil && t.Err != "" {
		err = errors.New(t.Err)
	}
	return t, err
}

// clients are the connections of the crowd, in its own process.
type clients struct {
	address string
	wait    sync.WaitGroup // for those who are to be greeted, or to receive the event

	mu     sync.Mutex
	n      int
	times  []time.Time // when each received the event
	data   []byte      // of the event
	frame  int         // its bytes
	failed error
}

// runCrowd does what it is told until it is told no more.
func runCrowd(address string, in io.Reader, out io.Writer) error {
	c := &clients{address: address}
	answer := func(t told) error {
		if c.err() != nil {
			t.Err = c.err().Error()
		}
		return json.NewEncoder(out).Encode(t)
	}
	for lines := bufio.NewScanner(in); lines.Scan(); {
		if n, err := strconv.Atoi(lines.Text()); err == nil {
			c.connect(n)
			if err := answer(told{}); err != nil {
				return err
			}
			continue
		}
		c.wait.Add(c.n)
		if err := answer(told{}); err != nil {
			return err
		}
		c.wait.Wait()
		if err := answer(c.told()); err != nil {
			return err
		}
	}
	return nil
}

func (c *clients) err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.failed
}

func (c *clients) fail(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.failed = errors.Join(c.failed, err)
}

// connect opens connections until there are n, some at a time.
func (c *clients) connect(n int) {
	const atOnce = 64
	c.wait.Add(n - c.n)
	places := make(chan struct{}, atOnce)
	for ; c.n < n; c.n++ {
		places <- struct{}{}
		go func() {
			conn, err := net.Dial("tcp", c.address)
			<-places
			if err == nil {
				err = c.listen(conn)
			}
			c.fail(err)
			c.wait.Done()
		}()
	}
	c.wait.Wait()
}

// listen reads frames for ever. It is done with waiting when it has been greeted, and with every event.
func (c *clients) listen(conn net.Conn) error {
	if _, err := fmt.Fprint(conn, "GET /v1/events HTTP/1.1\r\nHost: bench\r\n\r\n"); err != nil {
		return err
	}
	in, greeted, event, size := bufio.NewReaderSize(conn, 1<<10), false, false, 0
	for {
		line, err := in.ReadSlice('\n')
		if err != nil {
			return fmt.Errorf("the server has cut a client off: %w", err)
		}
		size += len(line)
		switch {
		case bytes.HasPrefix(line, []byte("HTTP/1.1 ")) && !bytes.Contains(line, []byte(" 200 ")):
			return fmt.Errorf("a client is answered %s", line)
		case bytes.HasPrefix(line, []byte("event: ")):
			event = string(line) == "event: paused\n" || string(line) == "event: resumed\n"
		case bytes.HasPrefix(line, []byte("data: ")) && event:
			c.receive(line[len("data: "):], size+1)
		case bytes.HasPrefix(line, []byte("id: ")) && !greeted: // it comes last
			greeted = true
			c.wait.Done()
		case len(line) == 1:
			event, size = false, 0
		}
	}
}

func (c *clients) receive(data []byte, size int) {
	now := time.Now()
	c.mu.Lock()
	c.times = append(c.times, now)
	if len(c.times) == 1 {
		c.data, c.frame = bytes.Clone(data), size
	}
	c.mu.Unlock()
	c.wait.Done()
}

// told sums up an event that all have received, and forgets it. The server tells when it was decided to the millisecond.
func (c *clients) told() (t told) {
	c.mu.Lock()
	defer c.mu.Unlock()
	var event struct {
		At time.Time `json:"server_time"`
	}
	if err := json.Unmarshal(c.data, &event); err != nil || len(c.times) != c.n {
		c.failed = errors.Join(c.failed, err, fmt.Errorf("%d of %d received an event", len(c.times), c.n))
		return t
	}
	slices.SortFunc(c.times, time.Time.Compare)
	t = told{Median: c.times[c.n/2].Sub(event.At), Last: c.times[c.n-1].Sub(event.At), FrameBytes: c.frame}
	c.times = c.times[:0]
	return t
}
