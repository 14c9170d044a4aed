package webhook

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"

	"hongbao"
)

// Bounds of one request.
const (
	answerTime  = 10 * time.Second // from dialling to the status of the answer
	bodyTime    = time.Second      // and then to its end, for the connection's sake alone
	answerMax   = 4 << 10          // bytes read of an answer's body
	headerMax   = 16 << 10         // and of its header
	reasonMax   = 200              // bytes of a failure's reason
	idlePerHost = 8
	idleMax     = 256
)

// post sends requests.
type post struct {
	client   *http.Client
	patience time.Duration // answerTime
}

// newPost makes a client that talks to endpoints directly, without a proxy, follows no redirects and takes no address
// that the guard refuses.
func newPost(allowed []netip.Prefix) *post {
	dialer := net.Dialer{Timeout: answerTime, Control: guard{allowed}.control}
	transport := &http.Transport{
		DialContext:            dialer.DialContext,
		TLSHandshakeTimeout:    answerTime,
		MaxIdleConns:           idleMax,
		MaxIdleConnsPerHost:    idlePerHost,
		IdleConnTimeout:        90 * time.Second,
		DisableCompression:     true, // the bound on an answer is a bound on what is unpacked, too
		MaxResponseHeaderBytes: headerMax,
	}
	stay := func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &post{client: &http.Client{Transport: transport, CheckRedirect: stay}, patience: answerTime}
}

func (p *post) close() { p.client.CloseIdleConnections() }

// failure is why a delivery was not accepted.
type failure struct {
	reason string
	status int           // of the answer; 0: there was none
	wait   time.Duration // what the receiver asks for, or 0
}

func (f *failure) gone() bool { return f.status == http.StatusGone }

// send delivers one item and returns the status of the answer, 0 where there was none. No failure is a 2xx: whatever becomes
// of the answer's body, the receiver has it.
func (p *post) send(ctx context.Context, to *Endpoint, m *item) (status int, why *failure) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	late := time.AfterFunc(p.patience, cancel)
	defer late.Stop()
	request, err := p.request(ctx, to, m)
	if err != nil {
		return 0, &failure{reason: shorten(err.Error())}
	}
	response, err := p.client.Do(request)
	if err != nil {
		if !late.Stop() {
			err = fmt.Errorf("no answer within %s", p.patience)
		}
		return 0, &failure{reason: shorten(withoutURL(err).Error())}
	}
	defer response.Body.Close()
	late.Reset(bodyTime)
	_, _ = io.CopyN(io.Discard, response.Body, answerMax) // an answer that is read to its end leaves a connection to use again
	return response.StatusCode, judge(response, time.Now())
}

func (p *post) request(ctx context.Context, to *Endpoint, m *item) (*http.Request, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, to.URL, bytes.NewReader(m.body))
	if err != nil {
		return nil, err
	}
	header := request.Header
	header.Set("Content-Type", "application/json")
	header.Set("User-Agent", "hongbao")
	// CloudEvents 1.0 in the binary mode of its HTTP binding.
	header.Set("ce-specversion", "1.0")
	header.Set("ce-id", m.id)
	header.Set("ce-source", "/hongbao")
	header.Set("ce-type", "hongbao."+m.event)
	header.Set("ce-time", m.at.String())
	if m.campaign != 0 {
		header.Set("ce-subject", "campaigns/"+digits(uint64(m.campaign)))
	}
	// An empty list is not sent; it tells the transport that the request may be put again on another connection where the
	// receiver closed the kept one at that moment.
	header["Idempotency-Key"] = []string{}
	hongbao.SignWebhook(header, to.Keys, m.id, time.Now(), m.body)
	return request, nil
}

// judge says what an answer means.
func judge(response *http.Response, now time.Time) *failure {
	status := response.StatusCode
	if status >= 200 && status < 300 {
		return nil
	}
	f := &failure{status: status, reason: strings.TrimSpace(fmt.Sprintf("answered %d %s", status, http.StatusText(status)))}
	switch {
	case status >= 300 && status < 400:
		f.reason += ": redirects are not followed"
	case status == http.StatusTooManyRequests || status == http.StatusServiceUnavailable:
		f.wait = retryAfter(response.Header.Get("Retry-After"), now)
	}
	return f
}

// retryAfter reads seconds or a date; what is neither is 0.
func retryAfter(text string, now time.Time) time.Duration {
	if seconds, err := strconv.ParseUint(text, 10, 31); err == nil {
		return time.Duration(seconds) * time.Second
	}
	at, err := http.ParseTime(text)
	if err != nil {
		return 0
	}
	return max(0, at.Sub(now))
}

// withoutURL takes the address out of an error of the client: its query may hold a secret.
func withoutURL(err error) error {
	if wrapped, ok := errors.AsType[*url.Error](err); ok {
		return wrapped.Err
	}
	return err
}

// shorten keeps a reason fit to be journaled: what a receiver sends may be in it.
func shorten(reason string) string {
	reason = strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return '?'
		}
		return r
	}, reason)
	return reason[:min(len(reason), reasonMax)]
}
