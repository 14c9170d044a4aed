package gate

import (
	"math"
	"strconv"
	"time"

	"hongbao"
)

// Rate is how often a bucket lets through: Rate a second in the long run, Burst at once. A rate of 0 is no limit.
type Rate struct {
	Rate  float64 `json:"rate"`
	Burst int     `json:"burst"`
}

// Bounds of a rate. The smallest is one a minute, nearly.
const (
	rateMin  = 0.01
	rateMax  = 10_000_000
	burstMax = 10_000_000
)

// Complete fills in a burst that was left out, twice the rate, and checks the bounds; field is the path of the rate, as
// in gate.player.
func (r Rate) Complete(field string) (Rate, error) {
	switch {
	case r.Rate == 0 && r.Burst == 0:
		return r, nil
	case r.Rate != 0 && !(r.Rate >= rateMin && r.Rate <= rateMax):
		return r, hongbao.Invalid(field+".rate", r.Rate, "0 (no limit), or from 0.01 to 10000000 a second")
	case r.Burst < 0 || r.Burst > burstMax:
		return r, hongbao.Invalid(field+".burst", r.Burst, "from 1 to 10000000, or left out: twice the rate")
	}
	if r.Burst == 0 {
		r.Burst = max(1, int(math.Ceil(min(2*r.Rate, burstMax))))
	}
	return r, nil
}

// limit is a rate ready for the cells.
type limit struct {
	interval int64  // nanoseconds that one request costs
	depth    int64  // nanoseconds that may be owed: burst intervals
	policy   string // as the header RateLimit-Policy has it
}

// same reports whether callers may stand with a limit where they stood with another. Where there is none nobody stands.
func (l *limit) same(other *limit) bool {
	return l == nil || other != nil && *l == *other
}

// newLimit makes the limit of a bucket's rate; nil where there is none.
func newLimit(bucket string, r Rate) *limit {
	if r.Rate == 0 {
		return nil
	}
	interval := int64(float64(time.Second) / r.Rate)
	window := math.Ceil(float64(r.Burst) / r.Rate)
	return &limit{
		interval: interval, depth: interval * int64(r.Burst),
		policy: `"` + bucket + `";q=` + strconv.Itoa(r.Burst) + `;w=` + strconv.FormatFloat(window, 'f', 0, 64),
	}
}
