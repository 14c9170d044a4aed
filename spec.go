package hongbao

import (
	"encoding/json"
	"strings"
	"time"
)

// Spec is a campaign as a person writes it, in the config file or to the admin API: what is left out takes the preset
// of its kind. [Spec.Rules] completes it.
type Spec struct {
	Name         string     `json:"name"`
	Title        Text       `json:"title,omitzero"`
	RulesText    Text       `json:"rules_text,omitzero"`
	Kind         Kind       `json:"kind"`
	OpensAt      When       `json:"opens_at"`
	ClosesAt     When       `json:"closes_at,omitzero"`
	Lasts        Duration   `json:"lasts,omitzero"` // in place of closes_at
	OpenFor      *Duration  `json:"open_for,omitempty"`
	Budget       BudgetSpec `json:"budget"`
	Chance       *Chance    `json:"chance,omitempty"`
	Pace         *Pace      `json:"pace,omitempty"`
	WinsMax      *int       `json:"wins_max,omitempty"`
	DailyWinsMax *int       `json:"daily_wins_max,omitempty"`
	Signup       *Signup    `json:"signup,omitempty"`
	Reveal       *Reveal    `json:"reveal,omitempty"`
	Ticket       bool       `json:"ticket,omitempty"`
	FairStart    Duration   `json:"fair_start,omitempty"`
	Paused       bool       `json:"paused,omitempty"`
}

// BudgetSpec is a budget as a person writes it: range and split may be left out.
type BudgetSpec struct {
	TotalFen int64  `json:"total_fen"`
	Count    uint64 `json:"count"`
	MinFen   *int64 `json:"min_fen,omitempty"`
	MaxFen   *int64 `json:"max_fen,omitempty"`
	Split    *Split `json:"split,omitempty"`
}

// ParseSpec reads a campaign from JSON, strictly: unknown and duplicate keys are errors that name the field.
func ParseSpec(data []byte) (Spec, error) {
	var s Spec
	err := DecodeStrict(data, &s)
	return s, err
}

// Rules completes the spec with its kind's preset, resolves relative times against now, and validates all of it.
func (s Spec) Rules(now Time) (Rules, error) {
	if err := checkOneOf("kind", s.Kind, kinds); err != nil {
		return Rules{}, err
	}
	r := preset(s.Kind)
	r.Name, r.Title, r.RulesText = s.Name, s.Title, s.RulesText
	r.Ticket, r.FairStart, r.Paused = s.Ticket, s.FairStart, s.Paused
	setIf(&r.OpenFor, s.OpenFor)
	setIf(&r.Chance, s.Chance)
	setIf(&r.Pace, s.Pace)
	setIf(&r.WinsMax, s.WinsMax)
	setIf(&r.DailyWinsMax, s.DailyWinsMax)
	setIf(&r.Signup, s.Signup)
	setIf(&r.Reveal, s.Reveal)
	r.Budget = s.Budget.complete(s.Kind, r.Budget.Split)
	if err := s.window(&r, now); err != nil {
		return Rules{}, err
	}
	return r, r.validate()
}

func (s Spec) window(r *Rules, now Time) error {
	r.OpensAt = s.OpensAt.at(now)
	switch {
	case s.ClosesAt != When{} && s.Lasts != 0:
		return Invalid("lasts", s.Lasts, "left out when closes_at is given")
	case s.ClosesAt != When{}:
		r.ClosesAt = s.ClosesAt.at(now)
	case s.Lasts != 0:
		r.ClosesAt = r.OpensAt.Add(s.Lasts)
	case s.Kind == Bomb:
		r.ClosesAt = r.OpensAt.Add(bombLasts)
	default:
		return Invalid("closes_at", "", "given for a rain (or lasts: how long it falls)")
	}
	if err := checkAhead(r.OpensAt, now); err != nil {
		return err
	}
	if r.OpensAt != 0 && r.ClosesAt > r.OpensAt && r.ClosesAt <= now {
		return Invalid("closes_at", r.ClosesAt, "in the future (it is "+now.String()+")")
	}
	return nil
}

func checkAhead(opens, now Time) error {
	if opens > now.Add(Duration(aheadMax)) {
		return Invalid("opens_at", opens, "at most 366 days ahead")
	}
	return nil
}

const bombLasts = Duration(15 * time.Second)

// preset is what a kind's rules are where the spec says nothing.
func preset(kind Kind) Rules {
	r := Rules{Kind: kind, OpenFor: Duration(24 * time.Hour), Chance: ChanceCertain, Pace: PaceNone}
	switch kind {
	case Rain:
		r.WinsMax, r.Signup, r.Reveal, r.Budget.Split = 5, SignupNone, RevealOnOpen, DoubleMean
	case Bomb:
		r.WinsMax, r.DailyWinsMax, r.Signup, r.Reveal, r.Budget.Split = 1, 3, SignupOpen, RevealOnSnatch, Normal
	}
	return r
}

// complete fills the range: rain 1 .. twice the mean, bomb a tenth of the mean (at least 1) .. twice the mean.
func (b BudgetSpec) complete(kind Kind, split Split) Budget {
	full := Budget{TotalFen: b.TotalFen, Count: b.Count, MinFen: 1, Split: split}
	if b.Count > 0 && b.Count <= CountMax && b.TotalFen > 0 && b.TotalFen <= TotalFenMax {
		count := int64(b.Count)
		full.MaxFen = 2 * b.TotalFen / count
		if kind == Bomb {
			full.MinFen = max(1, b.TotalFen/count/10)
		}
	}
	setIf(&full.MinFen, b.MinFen)
	setIf(&full.MaxFen, b.MaxFen)
	setIf(&full.Split, b.Split)
	return full
}

func setIf[T any](field *T, value *T) {
	if value != nil {
		*field = *value
	}
}

// When is a time as a person writes it: RFC 3339, or "+10s", relative to the moment at which it is read.
type When struct {
	Time  Time     // absolute; 0 when relative
	After Duration // relative
	set   bool
}

// AtTime is the absolute time t.
func AtTime(t Time) When { return When{Time: t, set: true} }

// InFuture is the time d from when it is read.
func InFuture(d Duration) When { return When{After: d, set: true} }

// Relative reports whether w depends on the moment at which it is read.
func (w When) Relative() bool { return w.set && w.Time == 0 }

func (w When) at(now Time) Time {
	if w.Relative() {
		return now.Add(w.After)
	}
	return w.Time
}

// UnmarshalJSON reads RFC 3339 or a duration that begins with "+".
func (w *When) UnmarshalJSON(b []byte) error {
	var text string
	if err := json.Unmarshal(b, &text); err != nil {
		return Invalid("time", string(b), whenAllowed)
	}
	if after, relative := strings.CutPrefix(text, "+"); relative {
		w.set, w.Time = true, 0
		if err := w.After.UnmarshalText([]byte(after)); err != nil {
			return Invalid("time", text, whenAllowed)
		}
		return nil
	}
	t, err := ParseTime(text)
	if err != nil {
		return Invalid("time", text, whenAllowed)
	}
	*w = AtTime(t)
	return nil
}

// MarshalJSON writes what UnmarshalJSON reads.
func (w When) MarshalJSON() ([]byte, error) {
	if w.Relative() {
		return json.Marshal("+" + w.After.String())
	}
	return w.Time.MarshalJSON()
}

const whenAllowed = "an RFC 3339 time such as 2027-02-05T20:00:00+08:00, or +10s"
