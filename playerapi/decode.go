package playerapi

import (
	"strconv"

	"github.com/valyala/fasthttp"

	"hongbao"
)

// envelopeMax is the largest id of an envelope: the last number of the last campaign.
const envelopeMax = hongbao.CampaignMax<<32 | (1<<32 - 1)

// parseDigits reads a whole number in plain digits, of at most limit. Each number has one text: no sign, no zeros in
// front.
func parseDigits(text []byte, limit uint64) (n uint64, ok bool) {
	const digitsMax = 19 // fits a uint64 whatever the digits
	if len(text) == 0 || len(text) > digitsMax || text[0] == '0' && len(text) > 1 {
		return 0, false
	}
	for _, c := range text {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + uint64(c-'0')
	}
	return n, n <= limit
}

// campaignID reads the id in a path; one that can't exist is not found.
func campaignID(text []byte) (uint32, error) {
	id, ok := parseDigits(text, hongbao.CampaignMax)
	if !ok || id == 0 {
		return 0, noCampaign(text)
	}
	return uint32(id), nil
}

func noCampaign(text []byte) error {
	return refusal{problem: &notFound, detail: "there is no campaign " + shown(text)}
}

func noEnvelope(text []byte) error {
	return refusal{problem: &notFound, detail: "there is no envelope " + shown(text) + ", or it is not this player's"}
}

// shown quotes what was sent, cut to a length for people.
func shown(text []byte) string { return strconv.Quote(string(text[:min(len(text), 40)])) }

// idempotencyKey reads the header that a retry is known by; without one it is empty.
func idempotencyKey(ctx *fasthttp.RequestCtx) (string, error) {
	values := ctx.Request.Header.PeekAll("Idempotency-Key")
	switch len(values) {
	case 0:
		return "", nil
	case 1:
		key := string(values[0])
		return key, hongbao.CheckKey(key)
	}
	return "", hongbao.Invalid("Idempotency-Key", "(several)", "given once")
}

// parameter reads a parameter of the query; given tells whether it is there.
func parameter(ctx *fasthttp.RequestCtx, name string) (value []byte, given bool, err error) {
	for key, v := range ctx.QueryArgs().All() {
		if string(key) != name {
			continue
		}
		if given {
			return nil, true, hongbao.Invalid(name, "(several)", "given once")
		}
		value, given = v, true
	}
	return value, given, nil
}
