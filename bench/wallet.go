package bench

import (
	"net/url"
	"strconv"

	"hongbao"
)

// Wallet is a player's wallet, or a page of it, as the player was shown it.
type Wallet struct {
	Result
	BalanceFen int64
	Envelopes  []Envelope   // newest first, also from the camp API
	Next       string       // continues after this page; empty after the last
	AsOf       hongbao.Time // of the books that it was read from; 0: it shows all that was told
}

// Envelope is one envelope of a wallet.
type Envelope struct {
	ID         hongbao.EnvelopeID
	State      hongbao.EnvelopeState // StateHeld also for refunded ones on the camp API, which does not tell
	AmountFen  int64                 // 0 when not shown
	SnatchedAt hongbao.Time          // whole seconds on the camp API
}

// Wallet reads a page of a wallet strictly: newest first, the page after cursor (empty: the first), at most limit
// envelopes (1..200). The camp API has one page of everything.
func (c *Client) Wallet(uid uint64, limit int, cursor string) Wallet {
	method := "GET"
	if c.api == Camp {
		method = "POST"
	}
	x := c.exchange(method, c.api)
	defer x.release()
	if c.api == Camp {
		c.path(x, "/get_wallet_list", 0, "")
		x.campBody(uid, 0)
	} else {
		c.path(x, "/v1/wallet?limit=", uint64(limit), cursorParameter(cursor))
		x.player(uid)
	}
	var wallet Wallet
	result, ok := c.do(x)
	switch {
	case !ok:
		wallet.Result = result
	case c.api == Camp:
		wallet.Result = wallet.readCamp(x)
	default:
		wallet.Result = wallet.readV1(x.response.Body())
	}
	return wallet
}

func cursorParameter(cursor string) string {
	if cursor == "" {
		return ""
	}
	return "&cursor=" + url.QueryEscape(cursor)
}

// WholeWallet reads all pages of a wallet into one. Where a page fails, its result is the wallet's.
func (c *Client) WholeWallet(uid uint64) Wallet {
	whole := c.Wallet(uid, hongbao.WalletLimitMax, "")
	for whole.Outcome == Answered && whole.Next != "" {
		page := c.Wallet(uid, hongbao.WalletLimitMax, whole.Next)
		whole.Result, whole.BalanceFen, whole.Next = page.Result, page.BalanceFen, page.Next
		whole.AsOf = max(whole.AsOf, page.AsOf)
		whole.Envelopes = append(whole.Envelopes, page.Envelopes...)
	}
	return whole
}

func (w *Wallet) readV1(body []byte) Result {
	w.BalanceFen = -1
	next := false
	err := parse(body, func(in *scanner, name []byte) {
		switch string(name) {
		case "balance_fen":
			w.BalanceFen = in.integer()
		case "next":
			w.Next, next = string(in.text()), true
		case "as_of":
			w.AsOf = readTime(in)
		case "envelopes":
			in.array(func(in *scanner) { w.Envelopes = append(w.Envelopes, readEnvelope(in)) })
		default:
			in.skip()
		}
	})
	switch {
	case err != nil:
		return wrong("%w", err)
	case w.BalanceFen < 0 || !next:
		return wrong("a wallet without balance_fen or next")
	}
	return w.judge()
}

func readEnvelope(in *scanner) (e Envelope) {
	var campaign uint64
	in.object(func(in *scanner, name []byte) {
		switch string(name) {
		case "id":
			e.ID = hongbao.EnvelopeID(in.id())
		case "campaign_id":
			campaign = in.id()
		case "status":
			e.State = readState(in)
		case "amount_fen":
			e.AmountFen = in.integer()
		case "snatched_at":
			e.SnatchedAt = readTime(in)
		case "opened_at", "expires_at":
			readTime(in)
		default:
			in.skip()
		}
	})
	if in.err == nil && uint64(e.ID.Campaign()) != campaign {
		in.fail("campaign_id to fit the envelope's id")
	}
	return e
}

func readState(in *scanner) hongbao.EnvelopeState {
	text := string(in.text())
	for state := hongbao.StateHeld; state <= hongbao.StateRefunded; state++ {
		if state.String() == text {
			return state
		}
	}
	in.fail("held, opened or refunded")
	return 0
}

func readTime(in *scanner) hongbao.Time {
	t, err := hongbao.ParseTime(string(in.text()))
	if err != nil {
		in.fail("a time")
	}
	return t
}

func (w *Wallet) readCamp(x exchange) Result {
	answer, err := parseCamp(x.response.Body(), func(in *scanner) {
		in.object(func(in *scanner, name []byte) {
			switch string(name) {
			case "amount":
				w.BalanceFen = in.integer()
			case "envelope_list":
				in.array(func(in *scanner) { w.Envelopes = append(w.Envelopes, readCampEnvelope(in)) })
			default:
				in.fail("amount or envelope_list")
			}
		})
	})
	switch {
	case err != nil:
		return wrong("%w", err)
	case answer.code != 0:
		return campError(answer.code, answer.msg, x.response.StatusCode())
	}
	if result, ok := checkCampBytes(x.response, answer, w.campData()); !ok {
		return result
	}
	newestFirst(w.Envelopes)
	return w.judge()
}

// newestFirst turns the camp API's order, oldest first, around.
func newestFirst(envelopes []Envelope) {
	for i, j := 0, len(envelopes)-1; i < j; i, j = i+1, j-1 {
		envelopes[i], envelopes[j] = envelopes[j], envelopes[i]
	}
}

func readCampEnvelope(in *scanner) (e Envelope) {
	in.object(func(in *scanner, name []byte) {
		switch string(name) {
		case "envelope_id":
			e.ID = hongbao.EnvelopeID(in.integer())
		case "value":
			e.AmountFen = in.integer()
		case "opened":
			if in.boolean() {
				e.State = hongbao.StateOpened
			}
		case "snatch_time":
			e.SnatchedAt = hongbao.Time(in.integer() * 1000)
		default:
			in.fail("envelope_id, value, opened or snatch_time")
		}
	})
	return e
}

// campData is the data of the answer as the contract shows it, of a list that is still oldest first.
func (w *Wallet) campData() []byte {
	b := strconv.AppendInt([]byte(`{"amount":`), w.BalanceFen, 10)
	b = append(b, `,"envelope_list":[`...)
	for i, e := range w.Envelopes {
		if i > 0 {
			b = append(b, ',')
		}
		b = strconv.AppendUint(append(b, `{"envelope_id":`...), uint64(e.ID), 10)
		if e.AmountFen != 0 {
			b = strconv.AppendInt(append(b, `,"value":`...), e.AmountFen, 10)
		}
		b = strconv.AppendBool(append(b, `,"opened":`...), e.State == hongbao.StateOpened)
		b = strconv.AppendInt(append(b, `,"snatch_time":`...), int64(e.SnatchedAt)/1000, 10)
		b = append(b, '}')
	}
	return append(b, "]}"...)
}

// judge checks what every page must keep: the order, each envelope once, and amounts where they are due.
func (w *Wallet) judge() Result {
	for i, e := range w.Envelopes {
		switch {
		case e.State == hongbao.StateOpened && e.AmountFen < 1:
			return wrong("envelope %d is opened without an amount", e.ID)
		case e.ID.Campaign() == 0 || e.SnatchedAt == 0:
			return wrong("envelope %d, snatched at %s", e.ID, e.SnatchedAt)
		case i > 0 && e.SnatchedAt > w.Envelopes[i-1].SnatchedAt:
			return wrong("envelope %d is newer than %d, which stands before it", e.ID, w.Envelopes[i-1].ID)
		case i > 0 && e.ID == w.Envelopes[i-1].ID:
			return wrong("envelope %d twice", e.ID)
		}
	}
	return Result{Outcome: Answered, Label: "wallet"}
}

// openedFen sums what the page shows as opened.
func (w *Wallet) openedFen() (sum int64) {
	for _, e := range w.Envelopes {
		if e.State == hongbao.StateOpened {
			sum += e.AmountFen
		}
	}
	return sum
}
