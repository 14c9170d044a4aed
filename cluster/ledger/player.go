package ledger

import (
	"cmp"
	"context"
	"database/sql"
	"math"
	"slices"

	"hongbao"
)

// Player is all that the books have of a player.
type Player struct {
	UID        uint64
	BalanceFen int64
	Envelopes  []PlayerEnvelope // by ascending id
	Signups    []uint32         // campaigns, ascending
}

// PlayerEnvelope is an envelope with what it was decided under.
type PlayerEnvelope struct {
	hongbao.Envelope
	Revision uint32
	Day      int32 // days since 1970-01-01 in the server's zone
}

// Players visits everybody that the books have a balance, an envelope or a sign-up of, by ascending uid. The player is
// valid during the visit. An error of visit ends it and is returned.
func (s *Snapshot) Players(ctx context.Context, visit func(*Player) error) error {
	balances, envelopes, signups := s.balances(ctx), s.envelopes(ctx), s.signups(ctx)
	var p Player
	for {
		uid := min(balances.uid(), envelopes.uid(), signups.uid())
		if err := cmp.Or(balances.err, envelopes.err, signups.err); err != nil || uid == noUID {
			return err
		}
		p = Player{UID: uid, Envelopes: p.Envelopes[:0], Signups: p.Signups[:0]}
		for balances.uid() == uid {
			p.BalanceFen = balances.take().balanceFen
		}
		for envelopes.uid() == uid {
			p.Envelopes = append(p.Envelopes, envelopes.take().PlayerEnvelope)
		}
		for signups.uid() == uid {
			p.Signups = append(p.Signups, signups.take().campaign)
		}
		if err := cmp.Or(balances.err, envelopes.err, signups.err); err != nil {
			return err // what was collected is not whole
		}
		slices.SortFunc(p.Envelopes, func(a, b PlayerEnvelope) int { return cmp.Compare(a.ID, b.ID) })
		if err := visit(&p); err != nil {
			return err
		}
	}
}

// Wallets visits every player who has a balance or an envelope, by ascending uid, each wallet whole, its envelopes by
// ascending id. The wallet is valid during the visit. An error of visit ends it and is returned.
func (s *Snapshot) Wallets(ctx context.Context, visit func(uid uint64, w *hongbao.Wallet) error) error {
	var w hongbao.Wallet
	return s.Players(ctx, func(p *Player) error {
		if p.BalanceFen == 0 && len(p.Envelopes) == 0 {
			return nil
		}
		w = hongbao.Wallet{BalanceFen: p.BalanceFen, Envelopes: w.Envelopes[:0]}
		for i := range p.Envelopes {
			w.Envelopes = append(w.Envelopes, p.Envelopes[i].Envelope)
		}
		return visit(p.UID, &w)
	})
}

// noUID is what a stream at its end is at.
const noUID = math.MaxUint64

// stream reads rows of a table by ascending uid, page by page.
type stream[T any] struct {
	page []T
	next int
	err  error
	read func(last *T, page []T) ([]T, error) // the page after last (nil: the first); an empty one ends it
	of   func(*T) uint64
	done bool
}

// uid is that of the row that take returns, or noUID.
func (s *stream[T]) uid() uint64 {
	if s.next == len(s.page) && !s.done {
		var last *T
		if s.next > 0 {
			copied := s.page[s.next-1]
			last = &copied
		}
		s.page, s.err = s.read(last, s.page[:0])
		s.next, s.done = 0, s.err != nil || len(s.page) == 0
	}
	if s.done {
		return noUID
	}
	return s.of(&s.page[s.next])
}

func (s *stream[T]) take() *T {
	s.next++
	return &s.page[s.next-1]
}

// newStream streams what query selects: its arguments are args(last) and the size of a page.
func newStream[T any](ctx context.Context, q querier, query string, args func(last *T) []any, scan func(*sql.Rows, *T) error, of func(*T) uint64) *stream[T] {
	return &stream[T]{of: of, read: func(last *T, page []T) ([]T, error) {
		err := each(ctx, q, func(rows *sql.Rows) error {
			page = append(page, *new(T))
			return scan(rows, &page[len(page)-1])
		}, query, append(args(last), pageRowsMax)...)
		return page, err
	}}
}

type balanceRow struct {
	uid        uint64
	balanceFen int64
}

func (s *Snapshot) balances(ctx context.Context) *stream[balanceRow] {
	const query = "SELECT uid, balance_fen FROM wallet WHERE uid >= ? ORDER BY uid LIMIT ?"
	args := func(last *balanceRow) []any {
		if last == nil {
			return []any{0}
		}
		return []any{last.uid + 1}
	}
	scan := func(rows *sql.Rows, r *balanceRow) error { return rows.Scan(&r.uid, &r.balanceFen) }
	return newStream(ctx, s.conn, query, args, scan, func(r *balanceRow) uint64 { return r.uid })
}

type playerRow struct {
	uid uint64
	PlayerEnvelope
}

// Keyset paging along the index (uid, won_at, id): the range begins at uid, and the rest of the condition skips what the
// page before had of the same player.
const selectPlayers = "SELECT uid, id, state, amount_fen, won_at, expires_at, closed_at, `key`, revision, day FROM envelope FORCE INDEX (player) " +
	"WHERE uid >= ? AND (uid > ? OR won_at > ? OR (won_at = ? AND id > ?)) ORDER BY uid, won_at, id LIMIT ?"

func (s *Snapshot) envelopes(ctx context.Context) *stream[playerRow] {
	args := func(last *playerRow) []any {
		if last == nil {
			return []any{0, 0, -1, -1, 0}
		}
		return []any{last.uid, last.uid, last.WonAt, last.WonAt, uint64(last.ID)}
	}
	scan := func(rows *sql.Rows, r *playerRow) error {
		return rows.Scan(&r.uid, &r.ID, &r.State, &r.AmountFen, &r.WonAt, &r.ExpiresAt, &r.ClosedAt, &r.Key, &r.Revision, &r.Day)
	}
	return newStream(ctx, s.conn, selectPlayers, args, scan, func(r *playerRow) uint64 { return r.uid })
}

type signupRow struct {
	uid      uint64
	campaign uint32
}

func (s *Snapshot) signups(ctx context.Context) *stream[signupRow] {
	const query = "SELECT uid, campaign FROM signup WHERE uid >= ? AND (uid > ? OR campaign > ?) ORDER BY uid, campaign LIMIT ?"
	args := func(last *signupRow) []any {
		if last == nil {
			return []any{0, 0, 0}
		}
		return []any{last.uid, last.uid, last.campaign}
	}
	scan := func(rows *sql.Rows, r *signupRow) error { return rows.Scan(&r.uid, &r.campaign) }
	return newStream(ctx, s.conn, query, args, scan, func(r *signupRow) uint64 { return r.uid })
}
