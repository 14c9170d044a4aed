package gate

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"time"

	"hongbao"
)

const (
	// riskConnections bounds the connections to the hook; they are kept alive.
	riskConnections = 64
	// riskAnswerMax bounds the hook's answer in bytes, and riskHeaderMax its headers.
	riskAnswerMax = 4 << 10
	riskHeaderMax = 16 << 10
	// riskDial is how long a connection may take. It may outlast the budget of the request that asked for it: the next
	// one finds it there, and a hook whose handshake takes longer than the budget is still reached.
	riskDial = time.Second
)

// riskQuestion is the body that the hook is sent.
type riskQuestion struct {
	UID      string     `json:"uid"`
	Campaign string     `json:"campaign_id"`
	Address  netip.Addr `json:"address"`
	Key      string     `json:"key"`
}

func newRiskQuestion(uid uint64, campaign uint32, address netip.Addr, key string) riskQuestion {
	return riskQuestion{
		UID:      strconv.FormatUint(uid, 10),
		Campaign: strconv.FormatUint(uint64(campaign), 10),
		Address:  address.Unmap().WithZone(""),
		Key:      key,
	}
}

// riskHook is the company's endpoint that gives scores.
type riskHook struct {
	url    string
	keys   [][]byte
	client *http.Client
}

func newRiskHook(o RiskOptions) *riskHook {
	transport := &http.Transport{
		DialContext:            (&net.Dialer{Timeout: max(riskDial, o.Timeout)}).DialContext,
		TLSHandshakeTimeout:    max(riskDial, o.Timeout),
		MaxConnsPerHost:        riskConnections,
		MaxIdleConnsPerHost:    riskConnections,
		IdleConnTimeout:        90 * time.Second,
		DisableCompression:     true, // the bound on an answer is a bound on what is unpacked, too
		MaxResponseHeaderBytes: riskHeaderMax,
	}
	// A redirect is an answer like any other that is not 200: the question has a player's address in it, and goes nowhere
	// that the configuration does not name.
	stay := func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &riskHook{url: o.URL, keys: o.Keys, client: &http.Client{Transport: transport, CheckRedirect: stay}}
}

// ask returns the score, or an error where none came before the context ended.
func (h *riskHook) ask(ctx context.Context, question riskQuestion) (float64, error) {
	request, err := h.request(ctx, question)
	if err != nil {
		return 0, err
	}
	response, err := h.client.Do(request)
	if err != nil {
		return 0, withoutURL(err)
	}
	defer response.Body.Close()
	// The body of an error is read as well, so that its connection can be used again.
	body, err := io.ReadAll(io.LimitReader(response.Body, riskAnswerMax+1))
	switch {
	case response.StatusCode != http.StatusOK:
		return 0, fmt.Errorf("the answer has status %d", response.StatusCode)
	case err != nil:
		return 0, err
	case len(body) > riskAnswerMax:
		return 0, fmt.Errorf("the answer has more than %d bytes", riskAnswerMax)
	}
	return readScore(body)
}

func (h *riskHook) request(ctx context.Context, question riskQuestion) (*http.Request, error) {
	body, err := json.Marshal(question)
	if err != nil {
		return nil, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, h.url, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("User-Agent", "hongbao")
	// An empty list is not sent; it tells the transport that the question may be put again on another connection where
	// the hook closed the kept one at that moment.
	request.Header["Idempotency-Key"] = []string{}
	if len(h.keys) > 0 {
		hongbao.SignWebhook(request.Header, h.keys, "msg_"+rand.Text(), time.Now(), body)
	}
	return request, nil
}

// withoutURL takes the address out of an error of the client: its query may hold a secret.
func withoutURL(err error) error {
	if wrapped, ok := errors.AsType[*url.Error](err); ok {
		return wrapped.Err
	}
	return err
}

// errNoScore is an answer that is not understood. Nothing is guessed: it may come from something that is not the hook.
var errNoScore = errors.New(`the answer is not {"score": a number from 0 to 1}`)

// readScore reads a JSON object with exactly one score; other fields are passed over.
func readScore(body []byte) (float64, error) {
	fields := json.NewDecoder(bytes.NewReader(body))
	if start, err := fields.Token(); err != nil || start != json.Delim('{') || !json.Valid(body) {
		return 0, errNoScore
	}
	score := -1.0
	for fields.More() {
		if name, _ := fields.Token(); name != "score" {
			var other json.RawMessage
			if err := fields.Decode(&other); err != nil {
				return 0, err
			}
			continue
		}
		value, _ := fields.Token()
		number, ok := value.(float64)
		if !ok || number < 0 || number > 1 || score >= 0 {
			return 0, errNoScore
		}
		score = number
	}
	if score < 0 {
		return 0, errNoScore
	}
	return score, nil
}
