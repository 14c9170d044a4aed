package audit_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"iter"
	"runtime"
	"slices"
	"testing"

	"hongbao"
	"hongbao/audit"
)

// BenchmarkRun audits a rush of wins and openings, decoded from their binary form as an engine does it. MB is the heap
// when the audit is through: what it keeps, and garbage.
func BenchmarkRun(b *testing.B) {
	for _, c := range []struct {
		what          string
		wins, players int
		chance        string
	}{
		{"1M wins", 1_000_000, 500_000, "1"},
		{"1M wins by draw", 1_000_000, 500_000, "0.2"},
		{"10M wins", 10_000_000, 5_000_000, "1"},
	} {
		b.Run(c.what, func(b *testing.B) {
			if testing.Short() && c.wins > 1_000_000 {
				b.Skip("takes half a minute")
			}
			rush := newRush(b, c.wins, c.players, c.chance)
			o := audit.Options{Secret: &rush.secret}
			b.ReportAllocs()
			for b.Loop() {
				report, err := audit.Run(context.Background(), rush, o)
				if err != nil || !report.OK {
					b.Fatal(report, err)
				}
			}
			b.ReportMetric(float64(b.N)*float64(rush.events)/b.Elapsed().Seconds(), "events/s")
			var memory runtime.MemStats
			runtime.ReadMemStats(&memory)
			b.ReportMetric(float64(memory.HeapAlloc-uint64(cap(rush.encoded)))/(1<<20), "MB")
		})
	}
}

// rush is a long journal in its binary form.
type rush struct {
	secret  hongbao.Secret
	encoded []byte // each event behind its length
	events  int
}

func newRush(b *testing.B, wins, players int, chance string) *rush {
	p := newPlay(b, 1)
	s := p.create(fmt.Sprintf(`{"name":"rush","kind":"rain","opens_at":"+0s","lasts":"10m","chance":%s,"budget":{"total_fen":%d,"count":%d}}`,
		chance, 100*wins, wins))
	r := &rush{secret: p.secret}
	for i := range p.journal.events {
		r.add(&p.journal.events[i])
	}
	amounts := make([]int64, 0, wins)
	for j := range s.Segment().Tranches() {
		amounts = append(amounts, s.Segment().Cut(s.seed, s.ID, j)...)
	}
	for i := range wins {
		p.now = s.Rules().OpensAt + hongbao.Time(i/1000) // a million a second
		e := p.nextWin(s.ID, uint64(i%players)*0x9E3779B97F4A7>>1&hongbao.UIDMax)
		e.At, e.Envelope, e.AmountFen = p.now, hongbao.NewEnvelopeID(s.ID, uint64(i)), amounts[i]
		e.Wins, e.DayWins, e.Key = i/players+1, i/players+1, fmt.Sprintf("%022d", i)
		for n := 0; !s.Rules().Chance.Wins(s.seed.Draw(s.ID, e.UID, e.Key)); n++ {
			e.Key = fmt.Sprintf("%016d%06d", i, n)
		}
		r.add(&e)
		p.balances[e.UID] += e.AmountFen
		if i%4 == 0 {
			opened := p.closing(&e, hongbao.EnvelopeOpened, func(o *hongbao.Event) { o.At, o.BalanceFen = p.now, e.AmountFen })
			if i >= players {
				opened.BalanceFen += amounts[i-players] // players is a multiple of four
			}
			r.add(&opened)
		}
	}
	r.encoded = slices.Clip(r.encoded)
	return r
}

func (r *rush) add(e *hongbao.Event) {
	event := hongbao.AppendEvent(nil, e)
	r.encoded = append(binary.AppendUvarint(r.encoded, uint64(len(event))), event...)
	r.events++
}

func (r *rush) Journal(context.Context, hongbao.Position) iter.Seq2[hongbao.Entry, error] {
	return func(yield func(hongbao.Entry, error) bool) {
		var event hongbao.Event
		for rest := r.encoded; len(rest) > 0; {
			length, n := binary.Uvarint(rest)
			err := hongbao.DecodeEvent(rest[n:n+int(length)], &event)
			rest = rest[n+int(length):]
			if !yield(hongbao.Entry{Position: "1.0", Event: &event}, err) || err != nil {
				return
			}
		}
	}
}

func (r *rush) Head() string { return "" }

func (r *rush) CheckHead(context.Context, string) error { return nil }
