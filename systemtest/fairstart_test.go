package systemtest

import (
	"cmp"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"hongbao"
	"hongbao/bench"
)

// fairStart is long enough for people on a machine that stalls for half a second.
const fairStart = 2 * time.Second

// bell is a first-come-first-served campaign and those who wait for it to open.
type bell struct {
	server   *server
	client   *bench.Client
	campaign uint32
	opens    time.Time

	players sync.WaitGroup
	mu      sync.Mutex
	won     []uint64       // uids
	answers map[string]int // of everybody
	turned  map[uint64]int // requests of a uid that were told too_fast
}

// hang makes the campaign; with tickets where they are asked for.
func hang(t *testing.T, s *server, envelopes int, more string) *bell {
	t.Helper()
	var spec hongbao.Spec
	parse(t, fmt.Sprintf(`{"name": "bell", "kind": "rain", "opens_at": "+2s", "lasts": "1h", "wins_max": 1, "fair_start": %q,
		"budget": {"total_fen": %d, "count": %d}%s}`, fairStart, 100*envelopes, envelopes, more), &spec)
	id, err := s.admin().Create(context.Background(), spec)
	if err != nil {
		t.Fatal(err)
	}
	const connections = 1000
	b := &bell{server: s, client: s.client(connections), campaign: id, answers: map[string]int{}, turned: map[uint64]int{}}
	campaign, err := b.client.Campaign(id)
	if err != nil {
		t.Fatal(err)
	}
	b.opens = campaign.OpensAt.Std()
	return b
}

// snatch sends a request of a player so long after the bell.
func (b *bell) snatch(uid uint64, after time.Duration, ticket string) {
	b.players.Go(func() {
		time.Sleep(time.Until(b.opens.Add(after)))
		answer := b.client.Snatch(bench.Snatch{UID: uid, Campaign: b.campaign, Ticket: ticket})
		b.mu.Lock()
		defer b.mu.Unlock()
		b.answers[answer.Label]++
		if answer.Won() {
			b.won = append(b.won, uid)
		}
		if answer.Label == "too_fast" {
			b.turned[uid]++
		}
	})
}

// wins counts the winners from first on.
func (b *bell) wins(first, count uint64) (wins int) {
	for _, uid := range b.won {
		if uid >= first && uid < first+count {
			wins++
		}
	}
	return wins
}

// lots are the numbers of the players in the lot, recomputed from the seed that sealing reveals.
func (b *bell) lots(t *testing.T, uids []uint64) map[uint64]uint64 {
	t.Helper()
	if err := b.server.admin().Cancel(context.Background(), b.campaign); err != nil {
		t.Fatal(err)
	}
	var seed hongbao.Seed
	eventually(t, 10*time.Second, "the seed is revealed", func() bool {
		campaign, err := b.client.Campaign(b.campaign)
		if err == nil {
			seed = campaign.Seed
		}
		return seed != hongbao.Seed{}
	})
	lots := map[uint64]uint64{}
	for _, uid := range uids {
		m := hmac.New(sha256.New, seed[:])
		message := binary.BigEndian.AppendUint32([]byte("lot"), b.campaign)
		m.Write(binary.BigEndian.AppendUint64(message, uid))
		lots[uid] = binary.BigEndian.Uint64(m.Sum(nil))
	}
	return lots
}

// Keeps G8's word: who is admitted first can be recomputed by anyone, and neither speed nor number of requests change it.
func TestAFairStartAdmitsByLotAndNotBySpeed(t *testing.T) {
	t.Parallel()
	const people, scripts, requests, envelopes = 300, 20, 20, 50
	b := hang(t, serve(t), envelopes, "")
	random := rand.New(rand.NewPCG(1, 0))
	var uids []uint64
	for uid := range uint64(people + scripts) {
		uids = append(uids, uid)
		if uid < people {
			b.snatch(uid, fairStart/20+time.Duration(random.Int64N(int64(fairStart/2))), "")
			continue
		}
		for n := range requests {
			b.snatch(uid, time.Duration(1+n)*time.Millisecond, "")
		}
	}
	b.players.Wait()
	if len(b.won) != envelopes {
		t.Fatalf("%d of %d envelopes were won: %v", len(b.won), envelopes, b.answers)
	}
	// Drawn fairly, 20 uids of 320 win 3 of 50 envelopes, and more than 12 not once in a million times.
	if wins := b.wins(people, scripts); wins > 12 {
		t.Errorf("scripts won %d of %d envelopes with %d of %d uids", wins, envelopes, scripts, len(uids))
	}
	for uid := uint64(people); uid < people+scripts; uid++ {
		if b.turned[uid] < requests/2 {
			t.Errorf("script %d has more than one request in the lot: only %d of %d were too fast", uid, b.turned[uid], requests)
		}
	}
	lots := b.lots(t, uids)
	slices.SortFunc(uids, func(x, y uint64) int { return cmp.Compare(lots[x], lots[y]) })
	lowest := 0
	for place, uid := range uids {
		if place < envelopes && slices.Contains(b.won, uid) {
			lowest++
		}
		// The lots are 6 ms apart: a machine that stalls may let neighbours change places, and no others.
		if place >= 2*envelopes && slices.Contains(b.won, uid) {
			t.Errorf("player %d won, and is the %d-th in the lot", uid, place+1)
		}
	}
	if lowest < envelopes*8/10 {
		t.Errorf("only %d of the %d lowest lots won", lowest, envelopes)
	}
}

func TestNobodyOvertakesTheLot(t *testing.T) {
	t.Parallel()
	const people, scripts, envelopes = 40, 20, 45
	b := hang(t, serve(t), envelopes, "")
	for uid := range uint64(people) {
		b.snatch(uid, fairStart/20+time.Duration(uid)*fairStart/(2*people), "")
	}
	for n := range uint64(scripts) {
		b.snatch(people+n, fairStart, "") // while most people still wait
	}
	b.players.Wait()
	// The last of 40 lots may be a few milliseconds from the end, where the others are let in.
	if wins := b.wins(0, people); wins < people-4 {
		t.Errorf("people who were in the lot won %d of %d envelopes, and %d scripts that came after it %d: %v",
			wins, envelopes, scripts, b.wins(people, scripts), b.answers)
	}
}

func TestWhoWasNotThereInTheCountdownHasNoTicket(t *testing.T) {
	t.Parallel()
	const people, scripts, envelopes = 30, 30, 40
	b := hang(t, serve(t, "--gate.ticket.pow_bits=6"), envelopes, `, "ticket": true`)
	for uid := range uint64(people + 2*scripts) {
		switch {
		case uid < people:
			ticket := b.client.Ticket(uid, b.campaign)
			if ticket.Outcome != bench.Answered {
				t.Fatal(ticket.Err)
			}
			b.snatch(uid, fairStart/20, ticket.Solve())
		case uid < people+scripts:
			b.snatch(uid, time.Millisecond, "")
		default: // with a person's ticket
			ticket := b.client.Ticket(0, b.campaign)
			b.snatch(uid, time.Millisecond, ticket.Solve())
		}
	}
	b.players.Wait()
	want := map[string]int{"won": people, "ticket_required": scripts, "ticket_invalid": scripts}
	for label, count := range want {
		if b.answers[label] != count {
			t.Errorf("%d were told %s, not %d: %v", b.answers[label], label, count, b.answers)
		}
	}
	if wins := b.wins(0, people); wins != people {
		t.Errorf("%d of %d people won", wins, people)
	}
}

// The crowd of hongbao bench plays campaigns with tickets as any other.
func TestBenchPlaysWithTickets(t *testing.T) {
	t.Parallel()
	s := serve(t, "--gate.ticket.pow_bits=6")
	for _, api := range []string{bench.V1, bench.Camp} {
		for _, kind := range []string{bench.ScenarioRain, bench.ScenarioBomb} {
			if api == bench.Camp && kind == bench.ScenarioBomb {
				continue
			}
			var spec hongbao.Spec
			parse(t, fmt.Sprintf(`{"name": "ticketed-%s-%s", "kind": %q, "opens_at": "+1s", "lasts": "1h", "ticket": true, "wins_max": 3,
				"budget": {"total_fen": 100000, "count": 100}}`, kind, api, kind), &spec)
			id, err := s.admin().Create(context.Background(), spec)
			if err != nil {
				t.Fatal(err)
			}
			report, err := bench.Run(context.Background(), bench.Options{
				PlayerURL: s.Player, AdminURL: s.Admin, AdminToken: s.token(), API: api, Scenario: kind, Campaign: fmt.Sprint(id),
				Players: 200, Rate: 500, Duration: 2 * time.Second, RetryUnknown: true, Seed: 1,
			})
			if err != nil {
				t.Fatal(err)
			}
			if !report.OK() || report.Told.Wins != 100 {
				t.Errorf("%s on %s: %d wins, %v, %v, %v", kind, api, report.Told.Wins, report.Statuses, report.Differences, report.Problems)
			}
			if err := s.admin().Cancel(context.Background(), id); err != nil {
				t.Fatal(err)
			}
		}
	}
}
