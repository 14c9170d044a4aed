package systemtest

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"hongbao"
	"hongbao/bench"
)

// rush is players who play on all nodes of a fleet, and everything that they were told. What bench.Told finds wrong at
// once, and a record of our own beside it.
type rush struct {
	t        testing.TB
	fleet    *fleet
	told     *bench.Told
	noted    *notes
	campaign uint32
	first    uint64 // uid of the first player
	forgot   int64  // tick at which Redis lost what it had; 0: it did not
	sellsOut bool   // the budget is to be given away to the fen

	stop    atomic.Bool
	workers sync.WaitGroup

	mu      sync.Mutex
	asked   []bench.Snatch
	answers map[string]int   // by what was asked and answered, since tellAll
	byShard []map[string]int // since fresh
}

const (
	playing  = 40 // players at once
	thinking = 50 * time.Millisecond
	players  = 5000
	faithful = 2  // of them stay with each shard
	eager    = 20 // uids play as much as all others together, and meet their limit
	winsMax  = 10
)

// firstUID keeps the players of each rush apart from those of all others.
var firstUID atomic.Uint64

// newRush makes a campaign and its players, who do not begin yet.
func newRush(f *fleet, count int, totalFen int64) *rush {
	f.t.Helper()
	r := &rush{
		t: f.t, fleet: f, told: bench.NewTold(0), noted: newNotes(),
		first: firstUID.Add(1_000_000),
	}
	r.fresh()
	r.tellAll()
	var spec hongbao.Spec
	parse(f.t, fmt.Sprintf(`{"name": "rush-%d", "kind": "rain", "opens_at": "+0s", "lasts": "24h", "chance": 0.8, "wins_max": %d,
		"reveal": "on_snatch", "budget": {"total_fen": %d, "count": %d}}`, r.first, winsMax, totalFen, count), &spec)
	eventually(f.t, 20*time.Second, "a campaign is made", func() bool {
		id, err := f.node(0).admin().Create(context.Background(), spec)
		if err != nil {
			f.t.Log(err)
		}
		r.campaign = id
		return err == nil
	})
	for i := range f.nodes {
		eventually(f.t, 5*time.Second, "every node knows the campaign", func() bool {
			_, err := f.node(i).client.Campaign(r.campaign)
			return err == nil
		})
	}
	return r
}

// tellAll is what was answered since it was called before.
func (r *rush) tellAll() (answers map[string]int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	answers, r.answers = r.answers, map[string]int{}
	return answers
}

// fresh is what was answered since it was called before, by shard.
func (r *rush) fresh() (byShard []map[string]int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	byShard, r.byShard = r.byShard, nil
	for range r.fleet.stores.shards {
		r.byShard = append(r.byShard, map[string]int{})
	}
	return byShard
}

// begin lets the players play until end is called.
func (r *rush) begin(random *rand.Rand) {
	r.stop.Store(false)
	for i := range playing {
		own := &player{Rand: rand.New(rand.NewPCG(random.Uint64(), 0)), shard: -1}
		if i < faithful*r.fleet.stores.shards {
			own.shard = i % r.fleet.stores.shards
		}
		r.workers.Go(func() {
			for !r.stop.Load() {
				r.act(own)
				time.Sleep(time.Duration(own.Int64N(int64(2 * thinking)))) // players think
			}
		})
	}
}

// player is one connection's worth of players. It stays with a shard, so that somebody plays there while others wait for an
// answer from another one; or it plays on all of them (-1).
type player struct {
	*rand.Rand
	shard int
}

// end waits until every request is answered, or given up.
func (r *rush) end() {
	r.stop.Store(true)
	r.workers.Wait()
}

// play lets the rush go on for a while: how many answers of a kind there must be more of.
func (r *rush) play(d time.Duration) { time.Sleep(d) }

// awaitWins waits until so many more wins were told.
func (r *rush) awaitWins(more uint64) {
	r.t.Helper()
	from := r.told.Counts().Wins
	eventually(r.t, time.Minute, fmt.Sprint(more, " more wins"), func() bool { return r.told.Counts().Wins >= from+more })
}

func (r *rush) witness(n *node) bench.Witness { return bench.Witness{Client: n.client, Told: r.told} }

func (r *rush) act(p *player) {
	n := r.fleet.some(p.Rand)
	switch p.IntN(10) {
	case 0:
		r.wallet(n, r.uid(p))
		return
	case 1:
		if ask, some := pick(&r.mu, p.Rand, &r.asked); some && r.concerns(p, ask.UID) {
			r.snatch(n, ask)
			return
		}
	case 2, 3, 4:
		if win, some := r.noted.some(p.Rand); some && r.concerns(p, win.uid) {
			r.open(n, win)
			return
		}
	}
	r.snatch(n, bench.Snatch{UID: r.uid(p), Campaign: r.campaign, Key: strconv.FormatUint(p.Uint64(), 36)})
}

func (r *rush) concerns(p *player, uid uint64) bool {
	return p.shard < 0 || p.shard == shardOf(uid, r.fleet.stores.shards)
}

func (r *rush) uid(p *player) uint64 {
	for {
		uid := r.first + p.Uint64N(players)
		if p.shard < 0 && p.IntN(2) == 0 {
			uid = r.first + p.Uint64N(eager)
		}
		if r.concerns(p, uid) {
			return uid
		}
	}
}

func (r *rush) snatch(n *node, ask bench.Snatch) bench.Snatched {
	sent := r.noted.now()
	answer := r.witness(n).Snatch(ask)
	n.heard(answer.Label)
	r.count("snatch", ask.UID, answer.Result)
	r.mu.Lock()
	r.asked = append(r.asked, ask)
	r.mu.Unlock()
	if answer.Won() {
		r.noted.won(win{ask.UID, answer.Envelope, answer.AmountFen, ask.Key, answer.Receipt, span{sent, r.noted.now()}})
	}
	return answer
}

func (r *rush) open(n *node, w win) bench.Opened {
	sent := r.noted.now()
	answer := r.witness(n).Open(w.uid, w.envelope)
	n.heard(answer.Label)
	r.count("open", w.uid, answer.Result)
	if answer.Outcome == bench.Answered && !answer.Expired {
		r.noted.opened(w, answer.AmountFen, sent)
	}
	return answer
}

// count counts an answer by what was asked, and by shard.
func (r *rush) count(asked string, uid uint64, result bench.Result) {
	r.mu.Lock()
	defer r.mu.Unlock()
	label := asked + " " + result.Label
	r.answers[label]++
	r.byShard[shardOf(uid, len(r.byShard))][label]++
}

// wallet reads a wallet as a player does while things break. It may be the books', which say so, and are behind then.
func (r *rush) wallet(n *node, uid uint64) {
	before := r.noted.of(uid)
	w, asOf, err := readWallet(n.Player, uid)
	if err != nil {
		r.count("wallet", uid, bench.Result{Label: err.Error()})
		return
	}
	r.count("wallet", uid, bench.Result{Label: map[bool]string{true: "of the books", false: "read"}[asOf]})
	r.noted.saw(uid, w, asOf, before)
}

// shownWallet is a page of a wallet.
type shownWallet struct {
	BalanceFen int64 `json:"balance_fen"`
	Envelopes  []struct {
		ID        hongbao.EnvelopeID `json:"id,string"`
		Status    string             `json:"status"`
		AmountFen int64              `json:"amount_fen"`
	} `json:"envelopes"`
	Next string `json:"next"`
	AsOf string `json:"as_of"`
}

var walletReader = http.Client{Timeout: answerMax, Transport: &http.Transport{MaxIdleConnsPerHost: playing}}

// readWallet reads the first page; the error says in a word why there is none.
func readWallet(player string, uid uint64) (w shownWallet, asOf bool, err error) {
	request, err := http.NewRequest("GET", player+"/v1/wallet?limit=200", nil)
	if err != nil {
		return w, false, err
	}
	request.Header.Set("X-Player-Id", strconv.FormatUint(uid, 10))
	response, err := walletReader.Do(request)
	if err != nil {
		return w, false, fmt.Errorf("no answer")
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != 200 {
		return w, false, fmt.Errorf("HTTP %d", response.StatusCode)
	}
	if err := json.Unmarshal(body, &w); err != nil {
		return w, false, fmt.Errorf("no wallet: %w", err)
	}
	return w, w.AsOf != "", nil
}

// tell is what was answered since the last time, for the log.
func tell(answers map[string]int) (text string) {
	var labels []string
	for label := range answers {
		labels = append(labels, label)
	}
	slices.Sort(labels)
	for _, label := range labels {
		text += fmt.Sprintf(" %s %d,", label, answers[label])
	}
	return text
}
