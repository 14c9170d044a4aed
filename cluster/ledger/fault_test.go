package ledger

import (
	"bytes"
	"errors"
	"net"
	"sync/atomic"
	"testing"

	"hongbao"
)

// cutter is a proxy before the server that cuts a connection at a statement.
type cutter struct {
	at     atomic.Pointer[string] // part of the statement, or nil: nothing is cut
	behind bool                   // after the server has answered it, otherwise before it gets there
}

// newCutter returns a DSN through the proxy.
func newCutter(t *testing.T, l *Ledger, c *cutter) string {
	t.Helper()
	config := dsnOf(t)
	network, server := config.Net, config.Addr
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			go c.forward(client, network, server)
		}
	}()
	config.Net, config.Addr, config.DBName = "tcp", listener.Addr().String(), l.database
	return config.FormatDSN()
}

func (c *cutter) forward(client net.Conn, network, address string) {
	defer client.Close()
	server, err := net.Dial(network, address)
	if err != nil {
		return
	}
	defer server.Close()
	var deaf atomic.Bool // answers are swallowed
	answered := make(chan struct{})
	go func() {
		defer client.Close()
		buffer := make([]byte, 1<<16)
		for {
			n, err := server.Read(buffer)
			if deaf.Load() {
				close(answered)
				return
			}
			if err != nil {
				return
			}
			if _, err := client.Write(buffer[:n]); err != nil {
				return
			}
		}
	}()
	buffer := make([]byte, 1<<16)
	for {
		n, err := client.Read(buffer)
		if err != nil {
			return
		}
		at := c.at.Load()
		cut := at != nil && bytes.Contains(buffer[:n], []byte(*at))
		if cut && !c.behind {
			return
		}
		deaf.Store(cut)
		if _, err := server.Write(buffer[:n]); err != nil {
			return
		}
		if cut {
			<-answered // the server has done it, and nobody will know
			return
		}
	}
}

func TestALostReplyToCommitIsUnknownAndAppliedOnce(t *testing.T) {
	l, s := newLedger(t, 1), newScript(1)
	c := &cutter{behind: true}
	far := openLedger(t, newCutter(t, l, c))
	all := s.wins(5)
	commit := "COMMIT"
	c.at.Store(&commit)
	if _, err := far.Apply(t.Context(), all); !errors.Is(err, hongbao.ErrUnknown) || errors.Is(err, hongbao.ErrBusy) {
		t.Fatal(err)
	}
	c.at.Store(nil)
	if o, err := far.Apply(t.Context(), all); err != nil || o.Applied != 0 || o.Next[0] != 6 {
		t.Error(o, err)
	}
	if n := verify(t, l); n != 6 {
		t.Errorf("%d events", n)
	}
}

func TestAConnectionLostBeforeCommitIsBusyAndAppliesNothing(t *testing.T) {
	l, s := newLedger(t, 1), newScript(1)
	c := &cutter{}
	far := openLedger(t, newCutter(t, l, c))
	all := s.wins(5)
	for _, at := range []string{"SELECT shard", "UPDATE (SELECT 0 AS shard", "INSERT INTO journal", "INSERT INTO envelope", "INSERT INTO campaign_event"} {
		c.at.Store(&at)
		if _, err := far.Apply(t.Context(), all); !errors.Is(err, hongbao.ErrBusy) {
			t.Errorf("%s: %v", at, err)
		}
		c.at.Store(nil)
		if n := verify(t, l); n != 0 {
			t.Fatalf("%s: %d events", at, n)
		}
	}
	apply(t, far, all)
}
