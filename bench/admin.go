package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"hongbao"
	"hongbao/audit"
)

// Admin speaks the admin API.
type Admin struct {
	http  http.Client
	base  string
	token string
}

// NewAdmin makes a client of the admin port at base, such as http://127.0.0.1:8081.
func NewAdmin(base, token string) (*Admin, error) {
	parsed, err := url.Parse(base)
	if err != nil || parsed.Host == "" || parsed.Scheme != "http" && parsed.Scheme != "https" {
		return nil, hongbao.Invalid("admin", base, "the admin port's address, such as http://127.0.0.1:8081")
	}
	return &Admin{base: parsed.Scheme + "://" + parsed.Host, token: token, http: http.Client{Transport: &http.Transport{}}}, nil
}

// Close drops the idle connections.
func (a *Admin) Close() { a.http.CloseIdleConnections() }

// Create makes a campaign and returns its id.
func (a *Admin) Create(ctx context.Context, spec hongbao.Spec) (uint32, error) {
	body, err := json.Marshal(spec)
	if err != nil {
		return 0, err
	}
	var created struct {
		ID uint32 `json:"id,string"`
	}
	err = a.call(ctx, "POST", "/admin/v1/campaigns", body, &created)
	return created.ID, err
}

// Revise changes the rules of a campaign, whatever revision is in force.
func (a *Admin) Revise(ctx context.Context, campaign uint32, patch hongbao.Patch) error {
	body, err := json.Marshal(patch)
	if err != nil {
		return err
	}
	return a.call(ctx, "PATCH", "/admin/v1/campaigns/"+idText(uint64(campaign)), body, &struct{}{})
}

// Cancel ends a campaign.
func (a *Admin) Cancel(ctx context.Context, campaign uint32) error {
	return a.call(ctx, "POST", "/admin/v1/campaigns/"+idText(uint64(campaign))+"/cancel", nil, &struct{}{})
}

// Audit lets the server check its own journal and views.
func (a *Admin) Audit(ctx context.Context) (audit.Report, error) {
	var report audit.Report
	err := a.call(ctx, "POST", "/admin/v1/audit", nil, &report)
	return report, err
}

// call sends a request and decodes the answer.
func (a *Admin) call(ctx context.Context, method, path string, body []byte, into any) error {
	response, err := a.send(ctx, method, path, body)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if err := json.NewDecoder(response.Body).Decode(into); err != nil {
		return fmt.Errorf("%s %s: %w", method, path, err)
	}
	return nil
}

// send sends a request and returns an answer that is a success; the caller closes its body.
func (a *Admin) send(ctx context.Context, method, path string, body []byte) (*http.Response, error) {
	request, err := http.NewRequestWithContext(ctx, method, a.base+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Authorization", "Bearer "+a.token)
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("If-Match", "*")
	response, err := a.http.Do(request)
	if err != nil {
		return nil, err
	}
	if response.StatusCode/100 != 2 {
		defer response.Body.Close()
		return nil, fmt.Errorf("%s %s: %w", method, path, adminRefusal(response))
	}
	return response, nil
}

func adminRefusal(response *http.Response) error {
	const shown = 4 << 10
	body, _ := io.ReadAll(io.LimitReader(response.Body, shown)) // a body that breaks off is shown as far as it came
	var problem struct {
		Code   string `json:"code"`
		Detail string `json:"detail"`
	}
	if json.Unmarshal(body, &problem) != nil || problem.Code == "" {
		return &RefusedError{strconv.Itoa(response.StatusCode), strings.TrimSpace(string(body))}
	}
	return &RefusedError{problem.Code, problem.Detail}
}
