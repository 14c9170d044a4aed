package main

import (
	"encoding/base64"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"hongbao/audit"
)

// played is a server whose first campaign, open at once, has wins of three players, one of them opened.
func played(t *testing.T) (p *process, envelope, receipt string) {
	t.Helper()
	p = serve(t, "--campaigns", openRain)
	for uid := 7; uid < 10; uid++ {
		var status string
		if status, envelope, receipt = p.snatch(1, uid); status != "won" {
			t.Fatalf("snatch: %s", status)
		}
	}
	if status, body := p.ask("POST", p.Player+"/v1/envelopes/"+envelope+"/open", "", "X-Player-Id: 9"); status != 200 {
		t.Fatalf("open: %d %s", status, body)
	}
	return p, envelope, receipt
}

// args is a command line for the running server, or for its folder at rest.
func (p *process) args(args ...string) []string {
	return append(args, "--data", p.Data, "--admin", p.Admin)
}

// succeed runs a command and fails the test if it does not.
func succeed(t *testing.T, args ...string) string {
	t.Helper()
	r := run(t, args...)
	if r.code != exitOK {
		t.Fatalf("hongbao %s\nexits with %d: %s%s", strings.Join(args, " "), r.code, r.stderr, r.stdout)
	}
	return r.stdout
}

func TestAuditPassesBesideTheServerAndOnTheFolder(t *testing.T) {
	t.Parallel()
	p, _, _ := played(t)
	var beside, atRest audit.Report
	parse(t, succeed(t, p.args("audit", "--json")...), &beside)
	if code := p.stop(); code != exitOK {
		t.Fatalf("it ended with %d", code)
	}
	parse(t, succeed(t, "audit", "--json", "--data", p.Data, "--head", beside.Head), &atRest)
	for where, report := range map[string]audit.Report{"beside the server": beside, "on the folder": atRest} {
		if !report.OK || len(report.Campaigns) != 1 || report.Campaigns[0].Opened.Count != 1 || report.Campaigns[0].Held.Count != 2 {
			t.Errorf("%s: %+v", where, report)
		}
	}
	table := succeed(t, "audit", "--data", p.Data)
	for _, want := range []string{"G1", "G8", "books", "not taken"} {
		if !strings.Contains(table, want) {
			t.Errorf("the table does not say %s:\n%s", want, table)
		}
	}
}

func TestAuditOfAnOlderFolderAgainstAKnownHeadFails(t *testing.T) {
	t.Parallel()
	p := serve(t, "--campaigns", openRain)
	old := filepath.Join(t.TempDir(), "old")
	succeed(t, p.args("backup", "--to", old)...)
	if status, _, _ := p.snatch(1, 7); status != "won" {
		t.Fatalf("snatch: %s", status)
	}
	var report audit.Report
	parse(t, succeed(t, p.args("audit", "--json")...), &report)
	succeed(t, "audit", "--data", old)
	if r := run(t, "audit", "--data", old, "--head", report.Head); r.code != exitFailed || !strings.Contains(r.stdout, "FAILED") {
		t.Errorf("with the head of a later day it exits with %d: %s%s", r.code, r.stderr, r.stdout)
	}
	if r := run(t, "audit", "--data", old, "--head", "nonsense"); r.code != exitUsage {
		t.Errorf("with a head that is none it exits with %d: %s", r.code, r.stderr)
	}
}

func TestAChangedByteFailsTheAudit(t *testing.T) {
	t.Parallel()
	p, _, _ := played(t)
	p.stop()
	segments, err := filepath.Glob(filepath.Join(p.Data, "journal", "*"))
	if err != nil || len(segments) == 0 {
		t.Fatalf("segments: %q, %v", segments, err)
	}
	text, err := os.ReadFile(segments[0])
	if err != nil {
		t.Fatal(err)
	}
	at := strings.Index(string(text), "rain")
	text[at] ^= 1
	if err := os.WriteFile(segments[0], text, 0o600); err != nil {
		t.Fatal(err)
	}
	if r := run(t, "audit", "--data", p.Data); r.code != exitFailed {
		t.Errorf("it exits with %d: %s%s", r.code, r.stderr, r.stdout)
	}
}

func TestExportGoesOnFromAPosition(t *testing.T) {
	t.Parallel()
	p, _, _ := played(t)
	beside := succeed(t, p.args("export")...)
	p.stop()
	whole := succeed(t, "export", "--data", p.Data)
	if !strings.HasPrefix(whole, beside) { // stopping adds a checkpoint
		t.Errorf("beside the server:\n%s\non the folder:\n%s", beside, whole)
	}
	first, rest, _ := strings.Cut(whole, "\n")
	var line audit.Line
	parse(t, first, &line)
	if got := succeed(t, "export", "--data", p.Data, "--from", string(line.Position)); got != rest {
		t.Errorf("from %s on:\n%s\nwant:\n%s", line.Position, got, rest)
	}
	csv := succeed(t, "export", "--data", p.Data, "--format", "csv", "--campaign", "1")
	if !strings.HasPrefix(csv, "position,kind,") || strings.Count(csv, "\n") != 6 { // header, created, three wins, opened
		t.Errorf("as CSV:\n%s", csv)
	}
	if r := run(t, "export", "--data", p.Data, "--from", "yesterday"); r.code != exitUsage {
		t.Errorf("from no position it exits with %d: %s", r.code, r.stderr)
	}
}

func TestVerifyRecomputesAClosedCampaign(t *testing.T) {
	t.Parallel()
	p, _, _ := played(t)
	verify := p.args("verify", "--campaign", "1")
	if r := run(t, verify...); r.code == exitOK || !strings.Contains(r.stderr, "sealed") {
		t.Errorf("before it is closed: exit %d, %s", r.code, r.stderr)
	}
	if status, body := p.administer("POST", "/admin/v1/campaigns/1/cancel", ""); status != 200 {
		t.Fatalf("cancel: %d %s", status, body)
	}
	var report audit.VerifyReport
	parse(t, succeed(t, append(verify, "--json")...), &report)
	if !report.OK || report.Opened.Count != 1 {
		t.Errorf("beside the server: %+v", report)
	}
	export := write(t, "export.ndjson", succeed(t, p.args("export", "--campaign", "1")...))
	succeed(t, "verify", "--campaign", "1", "--export", export, "--commitment", report.Commitment)
	other := strings.Repeat("0", 64)
	if r := run(t, "verify", "--campaign", "1", "--export", export, "--commitment", other); r.code != exitFailed {
		t.Errorf("against another commitment it exits with %d: %s%s", r.code, r.stdout, r.stderr)
	}
	p.stop()
	succeed(t, "verify", "--campaign", "1", "--data", p.Data)
}

func TestVerifyChecksAReceipt(t *testing.T) {
	t.Parallel()
	p, envelope, receipt := played(t)
	_, wallet := p.ask("GET", p.Player+"/v1/wallet", "", "X-Player-Id: 9")
	var told struct {
		Envelopes []struct {
			At string `json:"snatched_at"`
		}
	}
	parse(t, wallet, &told)
	check := func(receipt string, more ...string) []string {
		return p.args(append([]string{"verify", "--envelope", envelope, "--receipt=" + receipt}, more...)...)
	}
	for _, row := range []struct {
		name string
		args []string
		code int
	}{
		{"the journal tells of the win", check(receipt), exitOK},
		{"the flags tell of the win", check(receipt, "--uid=9", "--at="+told.Envelopes[0].At), exitOK},
		{"a changed receipt", check("A" + receipt[1:] + "x"), exitFailed},
		{"the receipt of somebody else", check(receipt, "--uid=8", "--at="+told.Envelopes[0].At), exitFailed},
		{"a time that is none", check(receipt, "--uid=9", "--at=noon"), exitUsage},
	} {
		if r := run(t, row.args...); r.code != row.code {
			t.Errorf("%s: exit %d, want %d: %s%s", row.name, r.code, row.code, r.stdout, r.stderr)
		}
	}
}

func TestABackupServes(t *testing.T) {
	t.Parallel()
	p, envelope, _ := played(t)
	to := filepath.Join(t.TempDir(), "backup")
	succeed(t, p.args("backup", "--to", to)...)
	if r := run(t, p.args("backup", "--to", to)...); r.code != exitFailed || !strings.Contains(r.stderr, "empty") {
		t.Errorf("into a folder that has files it exits with %d: %s", r.code, r.stderr)
	}
	succeed(t, "audit", "--data", to)
	copied := serve(t, "--data", to)
	if _, wallet := copied.ask("GET", copied.Player+"/v1/wallet", "", "X-Player-Id: 9"); !strings.Contains(wallet, envelope) {
		t.Errorf("the copy's wallet is %s", wallet)
	}
}

func TestBenchFindsNothingWrong(t *testing.T) {
	t.Parallel()
	p := serve(t)
	var report struct{ OK bool }
	args := p.args("bench", "--json", "--url", p.Player, "--players", "50", "--rate", "200", "--duration", "1s")
	parse(t, succeed(t, args...), &report)
	if !report.OK {
		t.Error("it did not pass")
	}
	if r := run(t, append(args, "--closed", "3")...); r.code != exitUsage {
		t.Errorf("with both models it exits with %d: %s", r.code, r.stderr)
	}
}

func TestCommandsThatFindNoServerSaySo(t *testing.T) {
	t.Parallel()
	const nowhere = "http://127.0.0.1:9" // the discard port
	for _, args := range [][]string{{"audit"}, {"export"}, {"backup", "--to", "x"}, {"verify", "--campaign", "1"}} {
		r := run(t, append(args, "--admin", nowhere, "--token", "0123456789abcdef")...)
		if r.code != exitFailed || !strings.Contains(r.stderr, "no server answers at "+nowhere) {
			t.Errorf("%s: exit %d, %s", args[0], r.code, r.stderr)
		}
	}
	if r := run(t, "audit"); r.code != exitFailed || !strings.Contains(r.stderr, "is not a data folder") || !strings.Contains(r.stderr, "--token") {
		t.Errorf("with neither folder nor server: exit %d, %s", r.code, r.stderr)
	}
}

func TestVersionTellsTheBuild(t *testing.T) {
	t.Parallel()
	var build Build
	parse(t, succeed(t, "version", "--json"), &build)
	if build.Version == "" || !strings.HasPrefix(build.Go, "go1.") {
		t.Errorf("%+v", build)
	}
}

func TestTokensAreForOnePlayerAndEnd(t *testing.T) {
	t.Parallel()
	token := TokenCommand{UID: 1<<53 - 1, For: time.Minute}
	minted, err := token.mint(&JWTConfig{Alg: "HS256", Key: "secret"}, time.Unix(1_800_000_000, 0))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := token.mint(&JWTConfig{Alg: "RS256", Key: "secret"}, time.Now()); err == nil || !strings.Contains(err.Error(), "player.jwt.alg") {
		t.Errorf("with RS256: %v", err)
	}
	payload := strings.Split(minted, ".")[1]
	if want := base64.RawURLEncoding.EncodeToString([]byte(`{"sub":"9007199254740991","exp":1800000060,"iat":1800000000}`)); payload != want {
		t.Errorf("claims are %s, want %s", payload, want)
	}
}

func parse(t *testing.T, text string, into any) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), into); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
}
