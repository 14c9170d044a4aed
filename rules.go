package hongbao

import (
	"fmt"
	"strconv"
	"time"
	"unicode"
	"unicode/utf8"
)

// Bounds of the rules; errors name them.
const (
	CampaignMax       = 1<<21 - 1            // largest campaign id
	UIDMax            = 1<<53 - 1            // largest uid
	TotalFenMax       = 1_000_000_000_000    // largest budget in fen
	CountMax          = 1 << 32              // most envelopes of a campaign
	WinsMaxMax        = 10_000               // largest limit of wins
	KeyBytesMax       = 64                   // longest idempotency key
	windowMax         = 90 * 24 * time.Hour  // longest window
	openForMin        = time.Minute          // shortest time to open an envelope
	openForMax        = 90 * 24 * time.Hour  // longest
	aheadMax          = 366 * 24 * time.Hour // how far ahead a campaign may open
	fairStartMax      = 30 * time.Second     // longest fair start
	nameBytesMax      = 64
	titleRunesMax     = 100
	rulesTextRunesMax = 2000
)

// Text is a text for players in the languages of the pages; each may be empty.
type Text struct {
	ZH string `json:"zh,omitempty"`
	EN string `json:"en,omitempty"`
}

// Budget is what a campaign gives away: count envelopes of min to max fen that sum to total_fen.
type Budget struct {
	TotalFen int64  `json:"total_fen"`
	Count    uint64 `json:"count"`
	MinFen   int64  `json:"min_fen"`
	MaxFen   int64  `json:"max_fen"`
	Split    Split  `json:"split"`
}

// Rules are everything that decides a campaign, complete and published. Their JSON is canonical: the commitment is
// taken over it. What is added to them is left out of it while unset, so that older commitments stay what they are.
type Rules struct {
	Name         string   `json:"name"`
	Title        Text     `json:"title"`
	RulesText    Text     `json:"rules_text"`
	Kind         Kind     `json:"kind"`
	Budget       Budget   `json:"budget"`
	OpensAt      Time     `json:"opens_at"`  // inclusive
	ClosesAt     Time     `json:"closes_at"` // exclusive
	OpenFor      Duration `json:"open_for"`
	Chance       Chance   `json:"chance"`
	Pace         Pace     `json:"pace"`
	WinsMax      int      `json:"wins_max"`       // 0: no limit
	DailyWinsMax int      `json:"daily_wins_max"` // over all campaigns of the kind on one calendar day; 0: no limit
	Signup       Signup   `json:"signup"`
	Reveal       Reveal   `json:"reveal"`
	Ticket       bool     `json:"ticket,omitzero"`     // a snatch must bring one
	FairStart    Duration `json:"fair_start,omitzero"` // who arrives so soon after opens_at is admitted by lot; 0: off
	Paused       bool     `json:"paused"`
}

// ExpiresAt is when an envelope won under these rules can no longer be opened.
func (r *Rules) ExpiresAt() Time { return r.ClosesAt.Add(r.OpenFor) }

// validate checks every field against its bounds; the window is checked against now by the caller.
func (r *Rules) validate() error {
	if err := r.validateTerms(); err != nil {
		return err
	}
	return r.Budget.validate()
}

// validateTerms checks all but the budget, of which a revision checks what remains: what is issued was cut within
// another range.
func (r *Rules) validateTerms() error {
	checks := []error{
		checkName(r.Name),
		checkText("title", r.Title, titleRunesMax),
		checkText("rules_text", r.RulesText, rulesTextRunesMax),
		checkOneOf("kind", r.Kind, kinds),
		r.checkWindow(),
		checkOneOf("pace", r.Pace, paces),
		checkLimit("wins_max", r.WinsMax),
		checkLimit("daily_wins_max", r.DailyWinsMax),
		checkOneOf("signup", r.Signup, signups),
		checkOneOf("reveal", r.Reveal, reveals),
		r.checkFairStart(),
	}
	for _, err := range checks {
		if err != nil {
			return err
		}
	}
	return nil
}

func (r *Rules) checkWindow() error {
	if r.OpensAt == 0 {
		return Invalid("opens_at", "", "given: an RFC 3339 time, or +10s after start-up")
	}
	if r.ClosesAt <= r.OpensAt || r.ClosesAt > r.OpensAt.Add(Duration(windowMax)) {
		return Invalid("closes_at", r.ClosesAt, "after opens_at ("+r.OpensAt.String()+") and at most 90 days after it")
	}
	if d := time.Duration(r.OpenFor); d < openForMin || d > openForMax {
		return Invalid("open_for", r.OpenFor, "from 1m to 2160h (90 days)")
	}
	if r.Chance < 1 || r.Chance > ChanceCertain {
		return Invalid("chance", r.Chance, "above 0 and at most 1")
	}
	return nil
}

// checkFairStart leaves at least half of the window after the lot, whose last player is admitted two fair starts after
// opens_at.
func (r *Rules) checkFairStart() error {
	d := time.Duration(r.FairStart)
	if d < 0 || d > fairStartMax || d%time.Millisecond != 0 {
		return Invalid("fair_start", r.FairStart, "from 0s (off) to 30s, in whole milliseconds")
	}
	window := time.Duration(r.ClosesAt-r.OpensAt) * time.Millisecond
	if longest := (window / 4).Truncate(time.Millisecond); d > longest {
		return Invalid("fair_start", r.FairStart, fmt.Sprintf("at most %s, a quarter of the window: opens_at to closes_at is %s", longest, window))
	}
	return nil
}

func (b Budget) validate() error {
	if b.Count < 1 || b.Count > CountMax {
		return Invalid("budget.count", b.Count, "from 1 to "+strconv.FormatUint(CountMax, 10))
	}
	return b.segment(0, 0).validateAs("budget.")
}

// segment is the budget as one piece that begins at the number first, of a revision.
func (b Budget) segment(revision uint32, first uint64) Segment {
	return Segment{Revision: revision, First: first, Count: b.Count, TotalFen: b.TotalFen, MinFen: b.MinFen, MaxFen: b.MaxFen, Split: b.Split}
}

func checkName(name string) error {
	const allowed = "1 to 64 of the characters a-z A-Z 0-9 - _ ."
	if name == "" || len(name) > nameBytesMax {
		return Invalid("name", name, allowed)
	}
	for _, c := range []byte(name) {
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
		if !letter && (c < '0' || c > '9') && c != '-' && c != '_' && c != '.' {
			return Invalid("name", name, allowed)
		}
	}
	return nil
}

func checkText(field string, text Text, runes int) error {
	for language, t := range map[string]string{"zh": text.ZH, "en": text.EN} {
		if !utf8.ValidString(t) || utf8.RuneCountInString(t) > runes {
			return Invalid(field+"."+language, t, "UTF-8 of at most "+strconv.Itoa(runes)+" characters")
		}
		for _, c := range t {
			if unicode.IsControl(c) && c != '\n' {
				return Invalid(field+"."+language, t, "free of control characters")
			}
		}
	}
	return nil
}

func checkLimit(field string, limit int) error {
	if limit < 0 || limit > WinsMaxMax {
		return Invalid(field, limit, "from 0 (no limit) to "+strconv.Itoa(WinsMaxMax))
	}
	return nil
}
