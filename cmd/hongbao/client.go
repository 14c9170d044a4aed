package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"hongbao"
	"hongbao/audit"
)

// serverFlags say where a running server is, for the commands that ask one.
type serverFlags struct {
	Admin string `placeholder:"URL" help:"The server's admin port (that of admin.listen)."`
	Token string `env:"HONGBAO_ADMIN_TOKEN" placeholder:"TOKEN" help:"Admin token (admin.token in the data folder)."`
}

// client makes a client of the admin port.
func (f *serverFlags) client(c *commandLine) (*adminClient, error) {
	token, err := f.token(c.Data)
	if err != nil {
		return nil, err
	}
	return &adminClient{base: f.adminURL(c), token: token}, nil
}

func (f *serverFlags) adminURL(c *commandLine) string {
	if f.Admin != "" {
		return strings.TrimRight(f.Admin, "/")
	}
	return urlOf(c.Config.Admin.Listen)
}

func (f *serverFlags) token(dir string) (string, error) {
	if f.Token != "" {
		return f.Token, nil
	}
	path := filepath.Join(dir, adminTokenFile)
	text, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("no admin token: give --token or HONGBAO_ADMIN_TOKEN, or the data folder that has one with --data (%w)", err)
	}
	return strings.TrimSpace(string(text)), nil
}

// urlOf is where a port of this machine that listens on an address is reached.
func urlOf(listen string) string {
	host, port, err := net.SplitHostPort(listen)
	if err != nil {
		return "http://" + listen
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return "http://" + net.JoinHostPort(host, port)
}

// adminClient speaks the admin API.
type adminClient struct{ base, token string }

// send asks and returns an answer that is a success; the caller closes its body.
func (a *adminClient) send(ctx context.Context, method, path string, body any) (*http.Response, error) {
	text, err := json.Marshal(body)
	if err != nil {
		return nil, err
	}
	request, err := http.NewRequestWithContext(ctx, method, a.base+path, bytes.NewReader(text))
	if err != nil {
		return nil, hongbao.Invalid("--admin", a.base, "a URL such as http://127.0.0.1:8081")
	}
	request.Header.Set("Authorization", "Bearer "+a.token)
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return nil, fmt.Errorf("no server answers at %s: start one, or say where it is with --admin", a.base)
	case err != nil:
		return nil, err
	case response.StatusCode/100 != 2:
		defer response.Body.Close()
		return nil, refusal(response)
	}
	return response, nil
}

// ask sends a request and decodes the answer.
func (a *adminClient) ask(ctx context.Context, method, path string, body, answer any) error {
	response, err := a.send(ctx, method, path, body)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	return json.NewDecoder(response.Body).Decode(answer)
}

// refusal is the server's problem, in its words.
func refusal(response *http.Response) error {
	const shown = 4 << 10
	body, _ := io.ReadAll(io.LimitReader(response.Body, shown)) // a body that breaks off is shown as far as it came
	var problem struct{ Code, Detail string }
	if json.Unmarshal(body, &problem) != nil || problem.Code == "" {
		return fmt.Errorf("the server answers %s: %s", response.Status, bytes.TrimSpace(body))
	}
	return fmt.Errorf("the server answers %s: %s", problem.Code, problem.Detail)
}

// journalPage is how many events are asked for at a time.
const journalPage = 100_000

// journal walks the events after a position, of one campaign or (0) all, to the end that was durable when it got there.
func (a *adminClient) journal(ctx context.Context, campaign uint32, after hongbao.Position) iter.Seq2[hongbao.Entry, error] {
	return func(yield func(hongbao.Entry, error) bool) {
		for page, from := journalPage, after; page == journalPage; {
			page = 0
			for entry, err := range a.journalFrom(ctx, campaign, from) {
				if !yield(entry, err) || err != nil {
					return
				}
				from = entry.Position
				page++
			}
		}
	}
}

func (a *adminClient) journalFrom(ctx context.Context, campaign uint32, after hongbao.Position) iter.Seq2[hongbao.Entry, error] {
	query := url.Values{"from": {string(after)}, "limit": {strconv.Itoa(journalPage)}, "format": {"ndjson"}}
	if campaign != 0 {
		query.Set("campaign", strconv.FormatUint(uint64(campaign), 10))
	}
	return func(yield func(hongbao.Entry, error) bool) {
		response, err := a.send(ctx, http.MethodGet, "/admin/v1/journal?"+query.Encode(), nil)
		if err != nil {
			yield(hongbao.Entry{}, err)
			return
		}
		defer response.Body.Close()
		audit.ReadLines(response.Body)(yield)
	}
}
