package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"hongbao/audit"
)

// openRain is a campaign that is open at once, for as long as a test runs.
const openRain = `[{"name": "rain", "kind": "rain", "opens_at": "+0s", "lasts": "1h", "wins_max": 0, "budget": {"total_fen": 1000000, "count": 100000}}]`

func TestZeroFlagsMakeADataFolderThatOnlyItsOwnerReads(t *testing.T) {
	t.Parallel()
	p := serve(t)
	if want := filepath.Join(p.command.Dir, "data"); p.Data != want {
		t.Errorf("data is in %s, want %s", p.Data, want)
	}
	for _, name := range []string{adminTokenFile, "secret"} {
		info, err := os.Stat(filepath.Join(p.Data, name))
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %o, want 600", name, info.Mode().Perm())
		}
	}
	if status, body := p.administer("GET", "/admin/v1/campaigns", ""); status != http.StatusOK {
		t.Errorf("the first token is answered %d %s", status, body)
	}
	token := p.adminToken()
	if code := p.stop(); code != exitOK {
		t.Errorf("it ended with %d", code)
	}
	again := serve(t, "--data", p.Data)
	if again.adminToken() != token {
		t.Error("a second start made another token")
	}
}

func TestCommandsThatServePrintsWorkAsPasted(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("curl"); err != nil {
		t.Skip("curl is not installed")
	}
	for name, flags := range map[string][]string{
		"nothing there yet": nil,
		"a rain that falls": {"--demo"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			commands := printedCommands(t, flags)
			if len(commands) < 5 {
				t.Fatalf("only these commands are printed: %q", commands)
			}
			var envelope string
			for _, line := range commands {
				answer := paste(t, strings.ReplaceAll(line, "ENVELOPE_ID", envelope))
				if found := regexp.MustCompile(`"envelope_id":"(\d+)"`).FindStringSubmatch(answer); found != nil {
					envelope = found[1]
				}
			}
			if envelope == "" {
				t.Error("nothing was won by what is printed")
			}
		})
	}
}

// The first lines are for a browser: the player page, and the console, which the link signs in to.
func TestLinksThatServePrintsOpenThePages(t *testing.T) {
	t.Parallel()
	lines := printedLines(t, nil)
	player := link(t, lines, `^  players +(http://\S+/)$`)
	console := link(t, lines, `^  administrators +(http://\S+/#code=\S+)$`)
	address, code, _ := strings.Cut(console, "#code=")
	p := &process{t: t}
	for _, page := range []string{player, address} {
		if status, body := p.ask("GET", page, ""); status != http.StatusOK || !strings.HasPrefix(body, "<!doctype html>") {
			t.Errorf("%s: %d %.80s", page, status, body)
		}
	}
	signIn := func() int {
		status, _ := p.ask("POST", address+"admin/v1/session", fmt.Sprintf(`{"code":%q}`, code), "Content-Type: application/json")
		return status
	}
	if first, again := signIn(), signIn(); first >= 300 || again < 400 {
		t.Errorf("the code is answered %d, and again %d", first, again)
	}
}

func TestPlayersAreToldWhereTheirTokenComesFrom(t *testing.T) {
	t.Parallel()
	key := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(key, []byte(strings.Repeat("k", 32)), 0o600); err != nil {
		t.Fatal(err)
	}
	lines := printedLines(t, []string{"--player.auth=jwt", "--player.jwt.key_file=" + key})
	found := link(t, lines, `^  players +http://\S+/#token=TOKEN   \(TOKEN from (.+)\)$`)
	output, err := exec.Command("sh", "-c", found).Output()
	if err != nil || strings.Count(string(output), ".") != 2 {
		t.Errorf("%s: %v, %s", found, err, output)
	}
}

func link(t *testing.T, lines []string, pattern string) string {
	t.Helper()
	for _, line := range lines {
		if found := regexp.MustCompile(pattern).FindStringSubmatch(line); found != nil {
			return found[1]
		}
	}
	t.Fatalf("no line is like %s: %q", pattern, lines)
	return ""
}

// printedCommands are those among [printedLines].
func printedCommands(t *testing.T, flags []string) (commands []string) {
	t.Helper()
	for _, line := range printedLines(t, flags) {
		if text, indented := strings.CutPrefix(line, "  "); indented && regexp.MustCompile(`^(curl|/\S+/hongbao) `).MatchString(text) {
			commands = append(commands, text)
		}
	}
	return commands
}

// printedLines starts a server as a person does, and returns what it says.
func printedLines(t *testing.T, flags []string) (lines []string) {
	t.Helper()
	command := exec.Command(binary, append([]string{"serve", "--player.listen=127.0.0.1:0", "--admin.listen=127.0.0.1:0"}, flags...)...)
	command.Dir = t.TempDir()
	p := &process{t: t, command: command}
	stdout := p.start()
	for {
		line, err := stdout.ReadString('\n')
		if err != nil {
			t.Fatalf("the greeting broke off: %v\n%s", err, &p.stderr)
		}
		lines = append(lines, strings.TrimSuffix(line, "\n"))
		if strings.Contains(line, "/hongbao audit ") {
			return lines
		}
	}
}

// paste runs a line in a shell, as often as it takes to win where it snatches, and fails where a server would refuse.
func paste(t *testing.T, line string) string {
	t.Helper()
	snatches := strings.Contains(line, "snatch")
	if strings.Contains(line, "/hongbao bench ") {
		line += " --duration 1s --players 20 --rate 50"
	}
	var answer string
	eventually(t, 20*time.Second, line, func() bool {
		output, err := exec.Command("sh", "-c", strings.Replace(line, "curl ", "curl --silent --show-error ", 1)).CombinedOutput()
		if err != nil {
			t.Fatalf("%s\n%v: %s", line, err, output)
		}
		answer = string(output)
		return !snatches || strings.Contains(answer, `"won"`) || strings.Contains(answer, `"code":0`)
	})
	if strings.Contains(answer, `"retryable"`) {
		t.Fatalf("%s\nis refused: %s", line, answer)
	}
	return answer
}

func TestAPortInUseIsNamedWithItsKey(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	address := taken.Addr().String()
	for key, other := range map[string]string{"player.listen": "admin.listen", "admin.listen": "player.listen"} {
		r := run(t, "serve", "--"+key, address, "--"+other, "127.0.0.1:0")
		want := key + ": " + address + " is in use by another process: stop it, or choose another address with --" + key
		if r.code != exitFailed || !strings.Contains(r.stderr, want) {
			t.Errorf("%s: exit %d, %q; want %q", key, r.code, r.stderr, want)
		}
	}
}

func TestTheSecondServeOnAFolderIsRefused(t *testing.T) {
	t.Parallel()
	p := serve(t)
	r := run(t, "serve", "--data", p.Data, "--player.listen=127.0.0.1:0", "--admin.listen=127.0.0.1:0")
	want := "data: " + p.Data + " is held by another hongbao: stop that one, or give this one another folder with --data"
	if r.code != exitFailed || !strings.Contains(r.stderr, want) {
		t.Errorf("exit %d, %q; want %q", r.code, r.stderr, want)
	}
	if status, _ := p.ask("GET", p.Admin+"/readyz", ""); status != http.StatusOK {
		t.Errorf("the first one answers %d after it", status)
	}
}

func TestADataFolderThatCannotBeWrittenIsRefused(t *testing.T) {
	t.Parallel()
	closed := t.TempDir()
	file := write(t, "file", "")
	for _, dir := range []string{closed, file, filepath.Join(file, "data")} {
		if err := os.Chmod(closed, 0o555); err != nil {
			t.Fatal(err)
		}
		command := exec.Command(binary, "serve", "--data", dir, "--player.listen=127.0.0.1:0", "--admin.listen=127.0.0.1:0")
		if os.Getuid() == 0 { // root may write everywhere
			command.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
		}
		r := finish(t, command)
		if r.code != exitFailed || !strings.Contains(r.stderr, dir) || !strings.Contains(r.stderr, "choose another folder with --data") {
			t.Errorf("%s: exit %d, %q", dir, r.code, r.stderr)
		}
	}
}

func TestBadUsageExitsWith2AndSaysWhy(t *testing.T) {
	t.Parallel()
	free := []string{"--player.listen=127.0.0.1:0", "--admin.listen=127.0.0.1:0"}
	nowhere := []string{"--engine=cluster", "--cluster.redis.addrs=127.0.0.1:1", "--cluster.kafka.brokers=127.0.0.1:1", "--cluster.mysql.dsn=root@tcp(127.0.0.1:1)/hongbao"}
	rows := []struct {
		name string
		args []string
		want string
	}{
		{"no command", nil, "expected one of"},
		{"an unknown command", []string{"server"}, "unexpected argument server"},
		{"an unknown flag", []string{"serve", "--dmeo"}, "unknown flag --dmeo"},
		{"a port that is none", []string{"serve", "--player.listen=127.0.0.1:99999", free[1]}, "player.listen: \"127.0.0.1:99999\""},
		{"an address that is none", []string{"serve", free[0], "--admin.listen=nowhere"}, "admin.listen: \"nowhere\""},
		{"trusted beyond this machine", []string{"serve", "--player.listen=0.0.0.0:0", free[1]}, "player.trusted_peers"},
		{"jwt without a key", append(free, "serve", "--player.auth=jwt"), "player.jwt.key: \"\" is not allowed: must be given"},
		{"a key file that is not there", append(free, "serve", "--player.auth=jwt", "--player.jwt.key_file=/nonexistent"), "player.jwt.key_file: \"/nonexistent\""},
		{"a key that is no PEM", append(free, "serve", "--player.auth=jwt", "--player.jwt.alg=RS256", "--player.jwt.key=x"), "player.jwt: key 1 of 1"},
		{"an origin that is none", append(free, "serve", "--player.cors_origins=everywhere"), "player.cors_origins"},
		{"a short admin token", append(free, "serve", `--admin.tokens=[{name: a, role: viewer, token: short}]`), "admin.tokens[0].token"},
		{"an admin without a token", append(free, "serve", `--admin.tokens=[{name: a, role: viewer}]`), "admin.tokens[0].token"},
		{"a token file that is not there", append(free, "serve", `--admin.tokens=[{name: a, role: viewer, token_file: /nonexistent}]`), "admin.tokens[0].token_file: \"/nonexistent\""},
		{"an unknown role", append(free, "serve", `--admin.tokens=[{name: a, role: king, token: 0123456789abcdef}]`), "admin.tokens[0].role"},
		{"a campaign that gives nothing away", append(free, "serve", `--campaigns=[{name: a, kind: rain, opens_at: +1s, lasts: 1m, budget: {total_fen: 0, count: 1}}]`), "campaigns[0] (a): budget.total_fen"},
		{"a fair start too long for its window", append(free, "serve", `--campaigns=[{name: a, kind: rain, opens_at: +1s, lasts: 1m, fair_start: 16s, budget: {total_fen: 10, count: 1}}]`), "campaigns[0] (a): fair_start: \"16s\" is not allowed: must be at most 15s"},
		{"a token for nobody", []string{"token"}, "missing flags: --uid"},
		{"a token without a key", []string{"token", "--uid=7"}, "player.jwt.key"},
		{"a token past the largest uid", []string{"token", "--uid=9007199254740992", "--player.jwt.key=x"}, "--uid: \"9007199254740992\""},
		{"a worker without a cluster", []string{"worker"}, "engine: \"embedded\" is not allowed: must be cluster for a worker"},
		{"a cluster's backup", append(nowhere, "backup", "--to=x"), "Back up MySQL"},
		{"a database that is not named", append(nowhere, "worker", free[1], "--cluster.mysql.dsn=root@tcp(127.0.0.1:1)/"), "cluster.mysql.dsn: \"it names no database\""},
		{"verifying nothing", []string{"verify"}, "--campaign"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			r := run(t, row.args...)
			if r.code != exitUsage || !strings.Contains(r.stderr, row.want) {
				t.Errorf("exit %d, %q; want exit 2 and %q", r.code, r.stderr, row.want)
			}
			if r.stdout != "" {
				t.Errorf("it prints %q", r.stdout)
			}
		})
	}
}

func TestATermSignalLosesNoAnswer(t *testing.T) {
	t.Parallel()
	p := serve(t, "--campaigns", openRain, "--gate.player.rate=0")
	crowd := newCrowd(p)
	eventually(t, 10*time.Second, "a hundred wins", func() bool { return crowd.won() > 100 })
	p.signal(syscall.SIGTERM)
	eventually(t, 5*time.Second, "/readyz fails while players are answered", func() bool {
		status, _ := p.ask("GET", p.Admin+"/readyz", "")
		return status == http.StatusServiceUnavailable
	})
	if code := p.wait(); code != exitOK {
		t.Errorf("it ended with %d: %s", code, &p.stderr)
	}
	crowd.players.Wait()
	if len(crowd.faults) > 0 {
		t.Errorf("%d answers were no wins, such as %s", len(crowd.faults), crowd.faults[0])
	}
	crowd.checkJournal(p.Data)
}

// crowd are players who snatch until the server has gone.
type crowd struct {
	players sync.WaitGroup
	mu      sync.Mutex
	told    map[string]bool // "envelope of uid"
	faults  []string
	t       *testing.T
}

func newCrowd(p *process) *crowd {
	c := &crowd{told: map[string]bool{}, t: p.t}
	for uid := range 8 {
		c.players.Go(func() { c.play(p.Player, uid) })
	}
	return c
}

func (c *crowd) play(url string, uid int) {
	client := &http.Client{Transport: &http.Transport{}}
	for {
		request, _ := http.NewRequest("POST", url+"/v1/campaigns/1/snatch", nil)
		request.Header.Set("X-Player-Id", fmt.Sprint(uid))
		response, err := client.Do(request)
		if err != nil {
			return // it has gone
		}
		body, _ := io.ReadAll(response.Body)
		response.Body.Close()
		c.hear(uid, body)
	}
}

func (c *crowd) hear(uid int, body []byte) {
	var answer struct {
		Status   string
		Envelope string `json:"envelope_id"`
	}
	err := json.Unmarshal(body, &answer)
	c.mu.Lock()
	defer c.mu.Unlock()
	if err != nil || answer.Status != "won" {
		c.faults = append(c.faults, string(body))
		return
	}
	c.told[fmt.Sprintf("%s of %d", answer.Envelope, uid)] = true
}

func (c *crowd) won() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.told)
}

// checkJournal holds what players were told against the folder that the server left.
func (c *crowd) checkJournal(dir string) {
	c.t.Helper()
	for entry, err := range audit.ReadLines(strings.NewReader(succeed(c.t, "export", "--data", dir))) {
		if err != nil {
			c.t.Fatal(err)
		}
		delete(c.told, fmt.Sprintf("%d of %d", entry.Event.Envelope, entry.Event.UID))
	}
	if len(c.told) > 0 {
		c.t.Errorf("%d wins that players were told of are not in the journal: %v", len(c.told), c.told)
	}
}

func TestADiskThatFailsEndsItWith1(t *testing.T) {
	t.Parallel()
	p := serve(t, "--campaigns", openRain, "--gate.player.rate=0")
	p.limitFiles(64 << 10) // as a full disk does: the journal can't be written beyond
	crowd := newCrowd(p)
	if code := p.wait(); code != exitFailed || !strings.Contains(p.stderr.String(), "it can't go on") {
		t.Errorf("it ended with %d: %s", code, &p.stderr)
	}
	crowd.players.Wait()
	for _, fault := range crowd.faults {
		if !strings.Contains(fault, `"unknown"`) && !strings.Contains(fault, `"busy"`) {
			t.Errorf("a player who could not be told of a win is told %s, want unknown, or busy where nothing happened", fault)
		}
	}
	crowd.checkJournal(p.Data)
}

// limitFiles keeps the process from writing files beyond a size.
func (p *process) limitFiles(bytes uint64) {
	p.t.Helper()
	const prlimit, fileSize = syscall.SYS_PRLIMIT64, syscall.RLIMIT_FSIZE
	limit := syscall.Rlimit{Cur: bytes, Max: bytes}
	if _, _, err := syscall.RawSyscall6(prlimit, uintptr(p.command.Process.Pid), fileSize, uintptr(unsafe.Pointer(&limit)), 0, 0, 0); err != 0 {
		p.t.Fatal(err)
	}
}

func TestASecondSignalEndsItAtOnce(t *testing.T) {
	t.Parallel()
	p := serve(t)
	half, err := net.Dial("tcp", strings.TrimPrefix(p.Player, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer half.Close()
	fmt.Fprint(half, "POST /snatch HTTP/1.1\r\n") // a request that never ends keeps a gentle stop waiting
	p.signal(syscall.SIGTERM)
	eventually(t, 5*time.Second, "it says that it stops", func() bool { return strings.Contains(p.stderr.String(), "stopping") })
	second := time.Now()
	p.signal(syscall.SIGTERM)
	if code := p.wait(); code != -1 || time.Since(second) > drainMax/2 {
		t.Errorf("it ended with %d, %s after the second signal", code, time.Since(second))
	}
}

func TestDemoRainsFollowEachOther(t *testing.T) {
	t.Parallel()
	p := serve(t, "--demo")
	first := p.campaign(1)
	eventually(t, 10*time.Second, "a win in the first rain", func() bool {
		status, _, _ := p.snatch(1, 7)
		return status == "won"
	})
	ended := time.Now()
	if status, body := p.administer("POST", "/admin/v1/campaigns/1/cancel", ""); status != http.StatusOK {
		t.Fatalf("cancel: %d %s", status, body)
	}
	var next campaign
	eventually(t, 10*time.Second, "the next rain is announced", func() bool {
		status, _ := p.ask("GET", p.Player+"/v1/campaigns/2", "")
		return status == http.StatusOK
	})
	next = p.campaign(2)
	if first.Name != "demo-rain-1" || next.Name != "demo-rain-2" {
		t.Errorf("the rains are %q and %q", first.Name, next.Name)
	}
	if pause := next.OpensAt.Sub(ended); pause > 10*time.Second {
		t.Errorf("the next rain opens %s after the last one ended, want at most 10 s", pause)
	}
	eventually(t, 10*time.Second, "a win in the second rain", func() bool {
		status, _, _ := p.snatch(2, 7)
		return status == "won"
	})
}

func TestADemoThatIsSoldOutGoesOn(t *testing.T) {
	t.Parallel()
	p := serve(t, "--demo")
	if status, body := p.administer("PATCH", "/admin/v1/campaigns/1", `{"budget":{"count":1,"total_fen":1}}`, `If-Match: "1"`); status != http.StatusOK {
		t.Fatalf("revise: %d %s", status, body)
	}
	eventually(t, 10*time.Second, "the only envelope is won", func() bool {
		status, _, _ := p.snatch(1, 7)
		return status == "won"
	})
	eventually(t, 10*time.Second, "the next rain is announced", func() bool {
		status, _ := p.ask("GET", p.Player+"/v1/campaigns/2", "")
		return status == http.StatusOK
	})
}

// campaign is what players see of one.
type campaign struct {
	Name    string
	Phase   string
	OpensAt time.Time `json:"opens_at"`
}

func (p *process) campaign(id int) (c campaign) {
	p.t.Helper()
	status, body := p.ask("GET", fmt.Sprintf("%s/v1/campaigns/%d", p.Player, id), "")
	if err := json.Unmarshal([]byte(body), &c); status != http.StatusOK || err != nil {
		p.t.Fatalf("campaign %d: %d %s", id, status, body)
	}
	return c
}

func TestDeclaredCampaignsSurviveARestart(t *testing.T) {
	t.Parallel()
	p := serve(t, "--campaigns", openRain)
	if status, _, _ := p.snatch(1, 7); status != "won" {
		t.Fatalf("snatch: %s", status)
	}
	p.stop()
	again := serve(t, "--data", p.Data, "--campaigns", openRain)
	if _, body := again.ask("GET", again.Player+"/v1/campaigns", ""); strings.Count(body, `"id"`) != 1 {
		t.Errorf("campaigns after the restart: %s", body)
	}
}

func TestATokenMintedForTryingOutPlays(t *testing.T) {
	t.Parallel()
	config := write(t, "hongbao.yaml", "player: {auth: jwt, jwt: {key: 0123456789abcdef0123456789abcdef}}\ncampaigns: "+openRain)
	p := serve(t, "--config", config)
	r := run(t, "token", "--uid", "7", "--config", config)
	if r.code != exitOK {
		t.Fatalf("token: %+v", r)
	}
	_, body := p.ask("POST", p.Player+"/v1/campaigns/1/snatch", "", "Authorization: Bearer "+strings.TrimSpace(r.stdout))
	if !strings.Contains(body, `"won"`) {
		t.Errorf("with the token: %s", body)
	}
	if status, body := p.ask("POST", p.Player+"/v1/campaigns/1/snatch", "", "X-Player-Id: 7"); status != http.StatusUnauthorized {
		t.Errorf("without a token: %d %s", status, body)
	}
}

func TestStartAndStopAreAllThatIsLogged(t *testing.T) {
	t.Parallel()
	p := serve(t, "--campaigns", openRain)
	for uid := range 20 {
		p.snatch(1, uid)
	}
	p.ask("POST", p.Player+"/snatch", "nonsense")
	p.stop()
	var messages []string
	for line := range strings.Lines(p.stderr.String()) {
		var entry struct{ Msg string }
		if err := json.Unmarshal([]byte(line), &entry); err != nil {
			t.Errorf("not JSON: %s", line)
		}
		messages = append(messages, entry.Msg)
	}
	if got := strings.Join(messages, ", "); got != "serving, stopping, stopped" {
		t.Errorf("logged: %s", p.stderr.String())
	}
}
