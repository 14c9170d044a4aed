package systemtest

import (
	"bufio"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"hongbao"
)

// notes are what players were told for certain, kept by the test itself beside bench.Told, and compared with the export.
type notes struct {
	tick atomic.Int64

	mu    sync.Mutex
	wins  map[hongbao.EnvelopeID]win // as each was told first
	byUID map[uint64][]hongbao.EnvelopeID
	byKey map[string]hongbao.EnvelopeID // player and key
	opens map[hongbao.EnvelopeID]span   // that were told opened
	list  []win
	wrong []wrong
}

// wrong is something that can't be true, unless an envelope that was told may be lost.
type wrong struct {
	text string
	lost hongbao.EnvelopeID // 0: in no case
}

// span is from before a request until after its answer, in ticks: what happened did so in between.
type span struct{ sent, told int64 }

// win is an envelope that a player was told to have won.
type win struct {
	uid       uint64
	envelope  hongbao.EnvelopeID
	amountFen int64
	key       string
	receipt   string
	span
}

func newNotes() *notes {
	return &notes{
		wins: map[hongbao.EnvelopeID]win{}, byUID: map[uint64][]hongbao.EnvelopeID{}, byKey: map[string]hongbao.EnvelopeID{},
		opens: map[hongbao.EnvelopeID]span{},
	}
}

func (n *notes) now() int64 { return n.tick.Add(1) }

// find takes down something wrong; the caller holds the mutex.
func (n *notes) find(unlessLost hongbao.EnvelopeID, what string, args ...any) {
	n.wrong = append(n.wrong, wrong{fmt.Sprintf(what, args...), unlessLost})
}

// won notes a win, and holds one that was told before against how it was told.
func (n *notes) won(w win) {
	n.mu.Lock()
	defer n.mu.Unlock()
	of := fmt.Sprint(w.uid, " ", w.key)
	if other, known := n.byKey[of]; known && other != w.envelope {
		n.find(other, "player %d, key %s: won envelope %d, and then %d", w.uid, w.key, other, w.envelope)
	}
	n.byKey[of] = w.envelope
	switch first, known := n.wins[w.envelope]; {
	case !known:
		n.wins[w.envelope] = w
		n.byUID[w.uid] = append(n.byUID[w.uid], w.envelope)
		n.list = append(n.list, w)
	case first.uid != w.uid || first.key != w.key:
		n.find(0, "envelope %d was told to player %d (key %s) and to player %d (key %s)", w.envelope, first.uid, first.key, w.uid, w.key)
	case first.amountFen != w.amountFen || first.receipt != w.receipt:
		n.find(0, "envelope %d was told with %d fen, receipt %s, and then with %d, %s", w.envelope, first.amountFen, first.receipt, w.amountFen, w.receipt)
	}
}

func (n *notes) opened(w win, amountFen int64, sent int64) {
	now := n.now()
	n.mu.Lock()
	defer n.mu.Unlock()
	if amountFen != w.amountFen {
		n.find(0, "envelope %d was won with %d fen and opened with %d", w.envelope, w.amountFen, amountFen)
	}
	if _, known := n.opens[w.envelope]; !known {
		n.opens[w.envelope] = span{sent, now}
	}
}

// of is what a player was told to hold by now.
func (n *notes) of(uid uint64) []hongbao.EnvelopeID {
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.Clone(n.byUID[uid])
}

// some is a random win.
func (n *notes) some(random *rand.Rand) (w win, any bool) {
	return pick(&n.mu, random, &n.list)
}

// saw holds a wallet against what the player had been told before asking. The books may be behind, and must say so.
func (n *notes) saw(uid uint64, w shownWallet, asOf bool, before []hongbao.EnvelopeID) {
	n.mu.Lock()
	defer n.mu.Unlock()
	opened, shown := int64(0), map[hongbao.EnvelopeID]bool{}
	for _, e := range w.Envelopes {
		shown[e.ID] = true
		if e.Status == "opened" {
			opened += e.AmountFen
		}
		if told, known := n.wins[e.ID]; known && (told.uid != uid || told.amountFen != e.AmountFen) {
			n.find(0, "player %d's wallet shows envelope %d with %d fen; it was told to player %d with %d", uid, e.ID, e.AmountFen, told.uid, told.amountFen)
		}
	}
	if w.Next == "" && opened != w.BalanceFen {
		n.find(0, "player %d's wallet says %d fen, and shows %d opened", uid, w.BalanceFen, opened)
	}
	for _, id := range before {
		if !asOf && w.Next == "" && !shown[id] {
			n.find(id, "player %d's wallet lacks envelope %d, which was told before", uid, id)
		}
	}
}

// line is what matters here of a line of the export.
type line struct {
	Kind      string             `json:"kind"`
	Campaign  uint32             `json:"campaign_id"`
	Envelope  hongbao.EnvelopeID `json:"envelope_id"`
	UID       uint64             `json:"uid"`
	AmountFen int64              `json:"amount_fen"`
	Key       string             `json:"key"`
	Wins      int                `json:"wins"`
}

// exported is what the export has of one campaign.
type exported struct {
	wins      map[hongbao.EnvelopeID]line
	openings  map[hongbao.EnvelopeID]line
	balances  map[uint64]int64
	winsOf    map[uint64]int
	total     hongbao.Tally
	problems  []string
	byKeyHeld map[string]hongbao.EnvelopeID
}

// readExport reads the events of a campaign, and finds what contradicts itself: G2, G5, G7.
func readExport(text string, campaign uint32) *exported {
	x := &exported{
		wins: map[hongbao.EnvelopeID]line{}, openings: map[hongbao.EnvelopeID]line{}, balances: map[uint64]int64{},
		winsOf: map[uint64]int{}, byKeyHeld: map[string]hongbao.EnvelopeID{},
	}
	in := bufio.NewScanner(strings.NewReader(text))
	in.Buffer(nil, 1<<20)
	for in.Scan() {
		var l line
		if err := json.Unmarshal(in.Bytes(), &l); err != nil {
			x.problem("a line of the export: %v", err)
			continue
		}
		if l.Campaign == campaign {
			x.take(l)
		}
	}
	if err := in.Err(); err != nil {
		x.problem("the export: %v", err)
	}
	return x
}

func (x *exported) problem(what string, args ...any) {
	x.problems = append(x.problems, fmt.Sprintf(what, args...))
}

func (x *exported) take(l line) {
	switch l.Kind {
	case "won":
		if earlier, twice := x.wins[l.Envelope]; twice {
			x.problem("G2: envelope %d is won twice, by %d and %d", l.Envelope, earlier.UID, l.UID)
		}
		of := fmt.Sprint(l.UID, " ", l.Key)
		if other, twice := x.byKeyHeld[of]; twice {
			x.problem("G7: player %d's key %s wins %d and %d", l.UID, l.Key, other, l.Envelope)
		}
		x.byKeyHeld[of] = l.Envelope
		x.wins[l.Envelope] = l
		x.winsOf[l.UID]++
		x.total.Add(l.AmountFen)
	case "opened":
		if _, twice := x.openings[l.Envelope]; twice {
			x.problem("G5: envelope %d is opened twice", l.Envelope)
		}
		if won := x.wins[l.Envelope]; won.UID != l.UID || won.AmountFen != l.AmountFen || won.Kind == "" {
			x.problem("G5: envelope %d is opened by %d with %d fen, and won by %d with %d", l.Envelope, l.UID, l.AmountFen, won.UID, won.AmountFen)
		}
		x.openings[l.Envelope] = l
		x.balances[l.UID] += l.AmountFen
	}
}

// budget is what a campaign may give at most.
type budget struct {
	hongbao.Tally
	winsMax int
}

// loss is something that was told and is not in the export.
type loss struct {
	what string
	uid  uint64
	span
}

// compare holds what players were told against the export: everything told is there, as it was told. What is not there is
// returned by itself.
func (n *notes) compare(x *exported, b budget) (found []string, lost []loss) {
	n.mu.Lock()
	defer n.mu.Unlock()
	found = slices.Clone(x.problems)
	differ := func(what string, args ...any) { found = append(found, fmt.Sprintf(what, args...)) }
	for _, told := range n.list {
		switch l, known := x.wins[told.envelope]; {
		case !known:
			lost = append(lost, loss{fmt.Sprintf("envelope %d with the key %s", told.envelope, told.key), told.uid, told.span})
		case l.UID != told.uid || l.AmountFen != told.amountFen || l.Key != told.key:
			differ("envelope %d was told to player %d, %d fen, key %s; the export has player %d, %d fen, key %s",
				told.envelope, told.uid, told.amountFen, told.key, l.UID, l.AmountFen, l.Key)
		}
	}
	for id, opened := range n.opens {
		if _, known := x.openings[id]; !known {
			lost = append(lost, loss{fmt.Sprintf("the opening of envelope %d", id), n.wins[id].uid, opened})
		}
	}
	for _, w := range n.wrong {
		if _, known := x.wins[w.lost]; w.lost == 0 || known {
			found = append(found, w.text)
		}
	}
	if x.total.Count > b.Count || x.total.TotalFen > b.TotalFen {
		differ("G1: %d envelopes of %d fen of a budget of %d and %d", x.total.Count, x.total.TotalFen, b.Count, b.TotalFen)
	}
	for uid, wins := range x.winsOf {
		if wins > b.winsMax {
			differ("G3: player %d won %d times of %d", uid, wins, b.winsMax)
		}
	}
	return found, lost
}

// beforeKept finds what was lost although the shard kept something that was decided later: a shard that loses its memory at
// a tick may lose its tail, and nothing in the middle.
func (n *notes) beforeKept(lost []loss, x *exported, at int64, shards int) (found []string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	last := make([]int64, shards) // when what was kept of a shard, and told by then, was asked for at the latest
	for _, w := range n.list {
		if _, kept := x.wins[w.envelope]; kept && w.told < at {
			shard := shardOf(w.uid, shards)
			last[shard] = max(last[shard], w.sent)
		}
	}
	for _, l := range lost {
		if l.told < last[shardOf(l.uid, shards)] {
			found = append(found, fmt.Sprintf("G4: %s of player %d is lost, and what was won later is not", l.what, l.uid))
		}
	}
	return found
}
