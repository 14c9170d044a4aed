package ledger

import (
	"fmt"
	"time"

	"hongbao"
)

// script writes events as a cluster would: numbered by shard, each shard's time never going back.
type script struct {
	epoch   uint64
	seqs    []uint64
	offsets []int64
	now     hongbao.Time
	numbers map[uint32]uint64
}

func newScript(shards int) *script {
	return &script{epoch: 1, seqs: make([]uint64, shards), offsets: make([]int64, shards), now: start, numbers: map[uint32]uint64{}}
}

// deliver is the next delivery of a shard, with that event.
func (s *script) deliver(shard int, e hongbao.Event) Delivery {
	if e.At == 0 {
		s.now++
		e.At = s.now
	}
	s.seqs[shard]++
	s.offsets[shard]++
	return Delivery{Record{shard, s.epoch, s.seqs[shard], hongbao.AppendEvent(nil, &e)}, s.offsets[shard] - 1}
}

func rulesOf(name string) *hongbao.Rules {
	rules, err := hongbao.Spec{
		Name: name, Kind: hongbao.Rain, OpensAt: hongbao.AtTime(start), Lasts: hongbao.Duration(10 * time.Minute),
		Budget: hongbao.BudgetSpec{TotalFen: 100_000_000, Count: 1_000_000},
	}.Rules(start)
	if err != nil {
		panic(err)
	}
	return &rules
}

func created(campaign uint32) hongbao.Event {
	e, err := hongbao.Created(campaign, hongbao.Nonce{1}, hongbao.Seed{2}, hongbao.Change{
		At: start, Actor: "test", Create: rulesOf(fmt.Sprint("rain-", campaign)),
	})
	if err != nil {
		panic(err)
	}
	return e
}

func revised(campaign, revision uint32) hongbao.Event {
	return hongbao.Event{
		Kind: hongbao.CampaignRevised, Campaign: campaign, Revision: revision, Actor: "test", Rules: rulesOf(fmt.Sprint("rain-", campaign)),
	}
}

func sealed(campaign, revision uint32) hongbao.Event {
	return hongbao.Event{Kind: hongbao.CampaignSealed, Campaign: campaign, Revision: revision, Actor: "clock", Seed: hongbao.Seed{2}}
}

func signedUp(campaign uint32, uid uint64) hongbao.Event {
	return hongbao.Event{Kind: hongbao.PlayerSignedUp, Campaign: campaign, Revision: 1, UID: uid}
}

// won is a win of the next number of a campaign.
func (s *script) won(campaign uint32, uid uint64) hongbao.Event {
	id := hongbao.NewEnvelopeID(campaign, s.numbers[campaign])
	s.numbers[campaign]++
	return hongbao.Event{
		Kind: hongbao.EnvelopeWon, Campaign: campaign, Revision: 1, Envelope: id, UID: uid, AmountFen: int64(1 + id%199),
		Key: fmt.Sprint("key'\\\x00-", id), Wins: 1, WinsMax: 5, DayWins: 1, Day: 20_833, ExpiresAt: start + 3_600_000,
	}
}

func opened(w hongbao.Event) hongbao.Event {
	return hongbao.Event{Kind: hongbao.EnvelopeOpened, Campaign: w.Campaign, Revision: 1, Envelope: w.Envelope, UID: w.UID, AmountFen: w.AmountFen}
}

func refunded(w hongbao.Event) hongbao.Event {
	e := opened(w)
	e.Kind = hongbao.EnvelopeRefunded
	return e
}

// wins are campaign 1 and n wins of it, all on shard 0.
func (s *script) wins(n int) []Delivery {
	all := []Delivery{s.deliver(0, created(1))}
	for i := range n {
		all = append(all, s.deliver(0, s.won(1, uint64(i))))
	}
	return all
}
