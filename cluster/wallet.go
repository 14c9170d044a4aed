package cluster

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"hongbao"
)

// Wallet reads a page of a player's wallet from the player's shard, or while that can't be read from the books.
func (e *Engine) Wallet(ctx context.Context, r hongbao.WalletRequest) (hongbao.Wallet, error) {
	s := e.of(r.UID)
	reply, err := e.ask(ctx, s, scriptWallet, e.time(0), []string{s.player(strconv.FormatUint(r.UID, 10))})
	if err != nil {
		return e.walletOfBooks(ctx, s, r, err)
	}
	w, err := parsePlayer(reply[1:])
	if err != nil {
		return hongbao.Wallet{}, err
	}
	return w.Page(r), nil
}

// walletOfBooks is the wallet as the ledger has it, with the time of the last event of the shard there. So that a crowd,
// and uids that somebody made up, do not bring the database down: those who ask the same share an answer, few ask at a time,
// and players that the books do not know are remembered for a moment.
func (e *Engine) walletOfBooks(ctx context.Context, s *shard, r hongbao.WalletRequest, why error) (hongbao.Wallet, error) {
	if asOf, ok := e.nobodies.asOf(r.UID); ok {
		return hongbao.Wallet{AsOf: asOf}, nil
	}
	w, err := share(&e.flights, r, func() (hongbao.Wallet, error) {
		select {
		case e.readers <- struct{}{}:
			defer func() { <-e.readers }()
		default:
			return hongbao.Wallet{}, fmt.Errorf("%w: %d others read the books", hongbao.ErrBusy, readersMax)
		}
		w, asOf, err := e.ledger.Wallet(ctx, s.index, r)
		w.AsOf = max(asOf, 1) // nothing has happened in the shard yet: the beginning of time
		if err == nil && len(w.Envelopes) == 0 && w.BalanceFen == 0 && r.After == (hongbao.Cursor{}) {
			e.nobodies.add(r.UID, w.AsOf)
		}
		return w, err
	})
	if err != nil {
		return hongbao.Wallet{}, fmt.Errorf("%w (and the books: %w)", why, err)
	}
	w.Envelopes = slices.Clone(w.Envelopes)
	return w, nil
}

const (
	readersMax  = 32              // wallets that are read from the books at a time
	nobodiesMax = 1 << 16         // players that are remembered as unknown
	nobodyFor   = 5 * time.Second // and for how long
)

// nobodies are players that the books did not know a moment ago.
type nobodies struct {
	mu    sync.Mutex
	known map[uint64]nobody
}

type nobody struct {
	asOf  hongbao.Time
	until time.Time
}

func (n *nobodies) asOf(uid uint64) (hongbao.Time, bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	known, ok := n.known[uid]
	return known.asOf, ok && time.Now().Before(known.until)
}

// add remembers a player. When there are too many, all are forgotten.
func (n *nobodies) add(uid uint64, asOf hongbao.Time) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.known == nil || len(n.known) >= nobodiesMax {
		n.known = map[uint64]nobody{}
	}
	n.known[uid] = nobody{asOf, time.Now().Add(nobodyFor)}
}

// parsePlayer reads the fields of a player's hash.
func parsePlayer(fields []string) (hongbao.Wallet, error) {
	var w hongbao.Wallet
	states := map[string]string{}
	for i := 0; i+1 < len(fields); i += 2 {
		if id, ok := strings.CutPrefix(fields[i], "o:"); ok {
			states[id] = fields[i+1]
		}
	}
	for i := 0; i+1 < len(fields); i += 2 {
		if fields[i] == "b" {
			w.BalanceFen = int64(parseUint(fields[i+1]))
		}
		if id, ok := strings.CutPrefix(fields[i], "e:"); ok {
			known, err := parseEnvelope(id, fields[i+1], states[id])
			if err != nil {
				return hongbao.Wallet{}, err
			}
			w.Envelopes = append(w.Envelopes, known)
		}
	}
	return w, nil
}

// parseEnvelope reads what a shard has of an envelope: what was won, and when it was opened or refunded.
func parseEnvelope(id, won, state string) (hongbao.Envelope, error) {
	f := fieldReader{rest: won}
	known := hongbao.Envelope{
		ID: hongbao.EnvelopeID(parseUint(id)), AmountFen: int64(f.number()), WonAt: hongbao.Time(f.number()), ExpiresAt: hongbao.Time(f.number()),
	}
	f.number() // day
	f.number() // revision
	known.Key = f.rest
	switch letter, at, _ := strings.Cut(state, " "); letter {
	case "o":
		known.State, known.ClosedAt = hongbao.StateOpened, parseTime(at)
	case "r":
		known.State, known.ClosedAt = hongbao.StateRefunded, parseTime(at)
	}
	if f.bad {
		return known, fmt.Errorf("%w: envelope %s is %q", hongbao.ErrBroken, id, won)
	}
	return known, nil
}
