package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	random "math/rand/v2"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// Client plays for one player. Every request is repeated until there is an answer or its context ends: whatever is asked of
// hongbao may be asked again, a snatch with the same key. Give contexts a deadline.
type Client struct {
	URL      string            // of the player port
	Identify func(http.Header) // says who plays: sets Authorization, or X-Player-Id where a gateway in front is trusted
	HTTP     *http.Client      // nil: http.DefaultClient
	TryFor   time.Duration     // how long one try may take; 0: 3 s
}

// Refusal is an answer that stands: asking again would not change it.
type Refusal struct {
	HTTP   int    `json:"status"`
	Code   string `json:"code"` // such as denied; see the table of errors in docs/api.md
	Detail string `json:"detail"`
}

func (r *Refusal) Error() string { return fmt.Sprintf("HTTP %d %s: %s", r.HTTP, r.Code, r.Detail) }

// Snatched is the outcome of a snatch.
type Snatched struct {
	Status     string // won, missed, sold_out, limit_reached, …
	EnvelopeID string `json:"envelope_id"` // won
	AmountFen  int64  `json:"amount_fen"`  // won, where the campaign reveals on snatch
	Receipt    string // won: proof of it
	Wins       int
	WinsMax    int `json:"wins_max"` // 0: no limit
}

// NewKey makes a key for one snatch: for one tap of a finger, however often it has to be sent.
func NewKey() string { return rand.Text() }

// Snatch asks for an envelope. When it returns an error other than a Refusal, the outcome is unknown: the player may have
// won. Keep the key, and call it again with the same one to learn; with another, it would be another snatch.
func (c *Client) Snatch(ctx context.Context, campaign, key string) (s Snatched, err error) {
	err = c.ask(ctx, "POST", "/v1/campaigns/"+url.PathEscape(campaign)+"/snatch", http.Header{"Idempotency-Key": {key}}, &s)
	return s, err
}

// Opened is the outcome of opening.
type Opened struct {
	Status     string // opened, expired
	AmountFen  int64  `json:"amount_fen"`
	BalanceFen int64  `json:"balance_fen"`
	First      bool   // by this try; false where an earlier one, whose answer was lost, has opened it
}

// Open credits an envelope to the wallet. Opening again changes nothing and tells the amount again.
func (c *Client) Open(ctx context.Context, envelope string) (o Opened, err error) {
	err = c.ask(ctx, "POST", "/v1/envelopes/"+url.PathEscape(envelope)+"/open", nil, &o)
	return o, err
}

// Envelope is one of a wallet.
type Envelope struct {
	ID         string
	CampaignID string `json:"campaign_id"`
	Status     string // held, opened, refunded
	AmountFen  int64  `json:"amount_fen"` // where it is known
}

// Wallet is a page of a player's wallet, newest envelope first.
type Wallet struct {
	BalanceFen int64 `json:"balance_fen"`
	Envelopes  []Envelope
	Next       string // cursor of the next page; empty on the last
}

// Wallet reads the page at a cursor; the first at "".
func (c *Client) Wallet(ctx context.Context, cursor string) (w Wallet, err error) {
	err = c.ask(ctx, "GET", "/v1/wallet?limit=200&cursor="+url.QueryEscape(cursor), nil, &w)
	return w, err
}

// Envelopes are all of a player's, newest first, page by page. An error ends them.
func (c *Client) Envelopes(ctx context.Context) iter.Seq2[Envelope, error] {
	return func(yield func(Envelope, error) bool) {
		for cursor := ""; ; {
			page, err := c.Wallet(ctx, cursor)
			if err != nil {
				yield(Envelope{}, err)
				return
			}
			for _, e := range page.Envelopes {
				if !yield(e, nil) {
					return
				}
			}
			if cursor = page.Next; cursor == "" {
				return
			}
		}
	}
}

// ask sends a request until it is answered, a refusal stands, or ctx ends.
func (c *Client) ask(ctx context.Context, method, path string, header http.Header, into any) error {
	for tries := 1; ; tries++ {
		after, err := c.try(ctx, method, path, header, into)
		var stands *Refusal
		if err == nil || errors.As(err, &stands) {
			return err
		}
		select {
		case <-time.After(after + backOff(tries)):
		case <-ctx.Done():
			return fmt.Errorf("%s %s: the outcome is unknown after %d tries: %w (%w)", method, path, tries, ctx.Err(), err)
		}
	}
}

// backOff spreads the tries of a crowd that was turned away at one moment: half of it is chance.
func backOff(tries int) time.Duration {
	const first, longest = 100 * time.Millisecond, 5 * time.Second
	most := min(first<<min(tries-1, 10), longest)
	return most/2 + random.N(most/2)
}

// try sends a request once. It returns a Refusal where that stands, and otherwise how long the server wants to be left alone.
func (c *Client) try(ctx context.Context, method, path string, header http.Header, into any) (after time.Duration, err error) {
	limit := c.TryFor
	if limit == 0 {
		limit = 3 * time.Second
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	response, err := c.send(ctx, method, path, header)
	if err != nil {
		return 0, err // it may have arrived
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, 1<<20))
	if err != nil {
		return 0, err // it did arrive; the answer broke off
	}
	if response.StatusCode == http.StatusOK {
		return 0, json.NewDecoder(bytes.NewReader(body)).Decode(into)
	}
	return retryAfter(response), problem(response.StatusCode, body)
}

func (c *Client) send(ctx context.Context, method, path string, header http.Header) (*http.Response, error) {
	request, err := http.NewRequestWithContext(ctx, method, c.URL+path, nil)
	if err != nil {
		return nil, err
	}
	for name, values := range header {
		request.Header[name] = values
	}
	if c.Identify != nil {
		c.Identify(request.Header)
	}
	client := c.HTTP
	if client == nil {
		client = http.DefaultClient
	}
	return client.Do(request)
}

// problem reads an error. Of one that is not hongbao's, but a gateway's, only the status is known.
func problem(status int, body []byte) error {
	var p struct {
		Refusal
		Retryable bool
	}
	if err := json.Unmarshal(body, &p); err != nil || p.Code == "" {
		p.Retryable = status >= 500
	}
	p.HTTP = status
	if p.Retryable {
		return errors.New(p.Error())
	}
	return &p.Refusal
}

func retryAfter(response *http.Response) time.Duration {
	seconds, err := strconv.Atoi(response.Header.Get("Retry-After"))
	if err != nil || seconds < 0 {
		return 0
	}
	return time.Duration(seconds) * time.Second
}
