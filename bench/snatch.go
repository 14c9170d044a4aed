package bench

import (
	"strconv"
	"strings"

	"hongbao"
)

// Snatch asks for an envelope.
type Snatch struct {
	UID      uint64
	Campaign uint32 // the camp API plays the server's choice, whatever is asked for
	Key      string // empty: the server makes one
	Ticket   string // as the server wants it back: see [Ticket.Solve]; empty: none
}

// Snatched is the answer to a snatch. All but Result is set only where Outcome is Answered.
type Snatched struct {
	Result
	Status    hongbao.Status
	Campaign  uint32 // 0 where the camp API does not tell
	Wins      int    // -1 when not told
	WinsMax   int    // -1 when not told
	Envelope  hongbao.EnvelopeID
	AmountFen int64  // 0 when not revealed
	Receipt   string // not on the camp API
	Key       string // what the request is known by; after Unknown too, unless nobody knows
}

// Won reports whether the player was told of a win.
func (s *Snatched) Won() bool { return s.Outcome == Answered && s.Status == hongbao.Won }

// receiptLen is 32 bytes in unpadded base64url.
const receiptLen = 43

// Snatch asks for an envelope and reads the answer strictly.
func (c *Client) Snatch(ask Snatch) Snatched {
	x := c.exchange("POST", c.api)
	defer x.release()
	x.key(ask.Key)
	x.ticket(ask.Ticket)
	if c.api == Camp {
		c.path(x, "/snatch", 0, "")
		x.campBody(ask.UID, 0)
	} else {
		c.path(x, "/v1/campaigns/", uint64(ask.Campaign), "/snatch")
		x.player(ask.UID)
	}
	answer := Snatched{Wins: -1, WinsMax: -1, Key: ask.Key}
	result, ok := c.do(x)
	switch {
	case !ok:
		answer.Result = result
		if result.Outcome == Unknown && ask.Key == "" {
			answer.Key = unknownKey(x)
		}
	case c.api == Camp:
		answer.Result = answer.readCamp(x, ask)
	default:
		answer.Result = answer.readV1(x.response.Body(), ask)
	}
	return answer
}

// unknownKey is the key that a 504 tells, to retry with.
func unknownKey(x exchange) (key string) {
	if x.response.StatusCode() != 504 {
		return ""
	}
	err := parse(x.response.Body(), func(s *scanner, name []byte) {
		if string(name) == "key" {
			key = string(s.text())
			return
		}
		s.skip()
	})
	if err != nil {
		return ""
	}
	return key
}

func (s *Snatched) readV1(body []byte, ask Snatch) Result {
	status, told := "", ""
	err := parse(body, func(in *scanner, name []byte) {
		switch string(name) {
		case "status":
			status = string(in.text())
		case "campaign_id":
			s.Campaign = uint32(in.id())
		case "envelope_id":
			s.Envelope = hongbao.EnvelopeID(in.id())
		case "wins":
			s.Wins = int(in.integer())
		case "wins_max":
			s.WinsMax = int(in.integer())
		case "amount_fen":
			s.AmountFen = in.integer()
		case "receipt":
			s.Receipt = string(in.text())
		case "key":
			told = string(in.text())
		default:
			in.skip()
		}
	})
	if err != nil {
		return wrong("%w", err)
	}
	var known bool
	if s.Status, known = statusNamed(status); !known {
		return wrong("the undocumented status %q", status)
	}
	return s.judgeV1(ask, told)
}

// judgeV1 checks that the answer has the fields of its status and no others.
func (s *Snatched) judgeV1(ask Snatch, told string) Result {
	won := s.Status == hongbao.Won
	wantsKey := ask.Key == "" && (won || s.Status == hongbao.Missed)
	switch {
	case s.WinsMax < 0:
		return wrong("%s without wins_max", s.Status)
	case won && (s.Campaign != ask.Campaign || s.Envelope.Campaign() != ask.Campaign):
		return wrong("a win of campaign %d, envelope %d, where campaign %d was asked", s.Campaign, s.Envelope, ask.Campaign)
	case won && (s.Wins < 1 || len(s.Receipt) != receiptLen):
		return wrong("a win with wins %d and the receipt %q", s.Wins, s.Receipt)
	case !won && (s.Envelope != 0 || s.AmountFen != 0 || s.Receipt != ""):
		return wrong("%s with an envelope, an amount or a receipt", s.Status)
	case wantsKey && hongbao.CheckKey(told) != nil, !wantsKey && told != "":
		return wrong("%s with the key %q to a request with the key %q", s.Status, told, ask.Key)
	}
	s.Campaign = ask.Campaign
	if wantsKey {
		s.Key = told
	}
	return Result{Outcome: Answered, Label: s.Status.String()}
}

// statusNamed finds a status that /v1 tells in an answer of HTTP 200.
func statusNamed(name string) (hongbao.Status, bool) {
	for status := hongbao.Cancelled; status <= hongbao.Won; status++ {
		if status.String() == name {
			return status, true
		}
	}
	return 0, false
}

// campCodes are the codes of snatch that are outcomes, by status; in between are the errors.
var campCodes = map[hongbao.Status]int64{
	hongbao.Won: 0, hongbao.LimitReached: 2, hongbao.DailyLimitReached: 2, hongbao.Missed: 3, hongbao.SoldOut: 4,
	hongbao.NotFound: 5, hongbao.NotOpen: 5, hongbao.Closed: 5, hongbao.Cancelled: 5, hongbao.Paused: 5, hongbao.NotSignedUp: 10,
}

func (s *Snatched) readCamp(x exchange, ask Snatch) Result {
	answer, err := parseCamp(x.response.Body(), func(in *scanner) {
		in.object(func(in *scanner, name []byte) {
			switch string(name) {
			case "envelope_id":
				s.Envelope = hongbao.EnvelopeID(in.integer())
			case "max_count":
				s.WinsMax = int(in.integer())
			case "cur_count":
				s.Wins = int(in.integer())
			default:
				in.fail("envelope_id, max_count or cur_count")
			}
		})
	})
	if err != nil {
		return wrong("%w", err)
	}
	s.Campaign = s.Envelope.Campaign()
	told := string(x.response.Header.Peek("Idempotency-Key"))
	if ask.Key == "" && told != "" {
		s.Key = told
	}
	status, outcome := campStatus(answer)
	if !outcome {
		return campError(answer.code, answer.msg, x.response.StatusCode())
	}
	s.Status = status
	return s.judgeCamp(x, answer, ask, told)
}

// campStatus finds the status whose code and words these are.
func campStatus(answer campAnswer) (hongbao.Status, bool) {
	if answer.code == 0 {
		return hongbao.Won, answer.msg == "success"
	}
	for status, code := range campCodes {
		if code == answer.code && status.Words() == answer.msg {
			return status, true
		}
	}
	return 0, false
}

func (s *Snatched) judgeCamp(x exchange, answer campAnswer, ask Snatch, told string) Result {
	wantsKey := ask.Key == "" && (s.Status == hongbao.Won || s.Status == hongbao.Missed)
	switch {
	case answer.data != (answer.code == 0 || answer.code == 2):
		return wrong("code %d with data: %t", answer.code, answer.data)
	case s.Status == hongbao.Won && (s.Wins < 1 || s.Envelope.Campaign() == 0):
		return wrong("a win with cur_count %d and envelope %d", s.Wins, s.Envelope)
	case wantsKey && hongbao.CheckKey(told) != nil:
		return wrong("%s with the key %q to a request without one", s.Status, told)
	}
	if result, ok := checkCampBytes(x.response, answer, s.campData(answer.code)); !ok {
		return result
	}
	return Result{Outcome: Answered, Label: s.Status.String()}
}

// campData is the data of the answer as the contract shows it.
func (s *Snatched) campData(code int64) []byte {
	number := func(n int) string { return strconv.Itoa(n) }
	if code == 0 {
		return []byte(strings.Join([]string{`{"envelope_id":`, strconv.FormatUint(uint64(s.Envelope), 10),
			`,"max_count":`, number(s.WinsMax), `,"cur_count":`, number(s.Wins), `}`}, ""))
	}
	return []byte(`{"cur_count":` + number(s.Wins) + `,"max_count":` + number(s.WinsMax) + `}`)
}
