package systemtest

import (
	"encoding/json"
	"fmt"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestDocs runs the examples of docs/api.md from top to bottom: each command is answered as the JSON below it says.
// There "…" stands for any value, and as a key for any further ones.
func TestDocs(t *testing.T) {
	t.Parallel()
	var s *server
	var answer string
	examples := 0
	for _, f := range fences(t, "docs/api.md") {
		switch f.language {
		case "yaml":
			s = serve(t, "--config", write(t, "hongbao.yaml", f.text))
		case "sh":
			answer = s.paste(t, f)
		case "json":
			examples++
			if err := f.like(answer); err != nil {
				t.Errorf("%s: %v\nthe answer is %s", f.place, err, answer)
			}
		default:
			t.Errorf("%s: a block of %q", f.place, f.language)
		}
	}
	if examples == 0 {
		t.Error("there are no examples")
	}
	s.audit()
}

// fence is a block of code in a document.
type fence struct {
	place    string // file and line
	language string
	text     string
}

func fences(t *testing.T, document string) (found []fence) {
	t.Helper()
	var open *fence
	number := 0
	for line := range strings.Lines(read(t, repository(t, document))) {
		number++
		marker, isFence := strings.CutPrefix(line, "```")
		switch {
		case !isFence && open != nil:
			open.text += line
		case isFence && open != nil:
			found = append(found, *open)
			open = nil
		case isFence:
			open = &fence{place: fmt.Sprintf("%s:%d", document, number), language: strings.TrimSpace(marker)}
		}
	}
	return found
}

// paste runs the command lines of a block and returns the last answer.
func (s *server) paste(t *testing.T, f fence) (answer string) {
	t.Helper()
	for line := range strings.Lines(f.text) {
		c, err := parseCurl(strings.TrimSpace(line), s.variable)
		if err != nil {
			t.Fatalf("%s: %v", f.place, err)
		}
		_, answer = c.run(s)
	}
	return answer
}

// variable is what the examples have in the environment.
func (s *server) variable(name string) string {
	return map[string]string{"PLAYER": s.Player, "ADMIN": s.Admin, "TOKEN": s.token()}[name]
}

// like compares an answer with the block.
func (f *fence) like(answer string) error {
	want, err := decode(f.text)
	if err != nil {
		return fmt.Errorf("the example is no JSON: %w", err)
	}
	got, err := decode(answer)
	if err != nil {
		return fmt.Errorf("the answer is no JSON: %w", err)
	}
	return alike("answer", want, got)
}

func decode(text string) (value any, err error) {
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber()
	return value, decoder.Decode(&value)
}

const anything = "…"

// alike names the first place at which two values differ.
func alike(place string, want, got any) error {
	switch want := want.(type) {
	case string:
		if want == anything {
			return nil
		}
	case map[string]any:
		if got, ok := got.(map[string]any); ok {
			return alikeObjects(place, want, got)
		}
	case []any:
		if got, ok := got.([]any); ok && len(got) == len(want) {
			return alikeLists(place, want, got)
		}
	}
	if fmt.Sprintf("%T %v", want, want) != fmt.Sprintf("%T %v", got, got) {
		return fmt.Errorf("%s is %v, and documented as %v", place, got, want)
	}
	return nil
}

func alikeObjects(place string, want, got map[string]any) error {
	_, open := want[anything]
	for _, key := range slices.Sorted(maps.Keys(got)) {
		if _, documented := want[key]; !documented && !open {
			return fmt.Errorf("%s.%s is not documented", place, key)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(want)) {
		value, there := got[key]
		if key == anything {
			continue
		}
		if !there {
			return fmt.Errorf("%s.%s is documented, and not there", place, key)
		}
		if err := alike(place+"."+key, want[key], value); err != nil {
			return err
		}
	}
	return nil
}

func alikeLists(place string, want, got []any) error {
	for i := range want {
		if err := alike(fmt.Sprintf("%s[%d]", place, i), want[i], got[i]); err != nil {
			return err
		}
	}
	return nil
}

func TestExamplesAreComparedStrictly(t *testing.T) {
	for _, row := range []struct {
		want, got string
		alike     bool
	}{
		{`{"a":1,"b":"…"}`, `{"b":[2],"a":1}`, true},
		{`{"a":1}`, `{"a":1,"b":2}`, false},
		{`{"a":1,"…":"…"}`, `{"a":1,"b":2}`, true},
		{`{"a":1,"b":2}`, `{"a":1}`, false},
		{`{"a":1}`, `{"a":"1"}`, false},
		{`[1,"…"]`, `[1,2]`, true},
		{`[1]`, `[1,2]`, false},
		{`[{"a":1}]`, `[{"a":2}]`, false},
		{`true`, `false`, false},
		{`9007199254740993`, `9007199254740992`, false},
	} {
		f := fence{text: row.want}
		if err := f.like(row.got); (err == nil) != row.alike {
			t.Errorf("%s like %s: %v", row.got, row.want, err)
		}
	}
}

// What a newcomer reads works as pasted: the README's settings are accepted and its requests answered, and every command,
// flag and make target that a document speaks of exists.
func TestReadme(t *testing.T) {
	t.Parallel()
	s := serve(t, "--demo", "--gate.player.rate=0") // the reader is not as fast as this test
	documents, err := filepath.Glob(repository(t, "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	more, err := filepath.Glob(repository(t, "docs/*.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range append(documents, more...) {
		document, err := filepath.Rel(repository(t, "."), path)
		if err != nil {
			t.Fatal(err)
		}
		checkCommands(t, document)
		if strings.HasPrefix(document, "README") {
			checkMinute(t, s, document)
		}
	}
}

// checkMinute runs the requests of a document, and checks its settings.
func checkMinute(t *testing.T, s *server, document string) {
	t.Helper()
	for _, f := range fences(t, document) {
		if f.language == "yaml" {
			succeed(t, "version", "--config", write(t, "hongbao.yaml", f.text))
		}
		for line := range strings.Lines(f.text) {
			if strings.HasPrefix(line, "curl ") {
				s.checkPlayed(t, f.place, strings.TrimSpace(line))
			}
		}
	}
}

// checkPlayed runs a command line of curl, as often as it takes to win where it snatches.
func (s *server) checkPlayed(t *testing.T, place, line string) {
	t.Helper()
	line = strings.NewReplacer("http://127.0.0.1:8080", s.Player, "http://127.0.0.1:8081", s.Admin).Replace(line)
	c, err := parseCurl(line, s.variable)
	if err != nil {
		t.Fatalf("%s: %v", place, err)
	}
	eventually(t, 20*time.Second, place+": "+line, func() bool {
		status, answer := c.run(s)
		good := status < 300 && (strings.Contains(answer, `"code":0,`) || !strings.Contains(answer, `"code"`))
		if !good && !strings.Contains(c.url, "/snatch") {
			t.Fatalf("%s: %s\nis answered %d %s", place, line, status, answer)
		}
		return good
	})
}

var (
	commandLine = regexp.MustCompile("(?m)(?:^|`)(?:bin/)?hongbao (serve|audit|bench|export|verify|backup|token|version)\\b([^`\n]*)")
	commandFlag = regexp.MustCompile(`--(?:no-)?([a-z_.-]+)`)
	makeTarget  = regexp.MustCompile("(?m)(?:^|`)make ([a-z-]+)")
)

// checkCommands checks that the commands, flags and make targets that a document speaks of exist.
func checkCommands(t *testing.T, document string) {
	t.Helper()
	text, targets := read(t, repository(t, document)), read(t, repository(t, "Makefile"))
	for _, command := range commandLine.FindAllStringSubmatch(text, -1) {
		help := succeed(t, command[1], "--help")
		for _, flag := range commandFlag.FindAllStringSubmatch(command[2], -1) {
			if !regexp.MustCompile(`--(\[no-\])?` + regexp.QuoteMeta(flag[1]) + `\b`).MatchString(help) {
				t.Errorf("%s: hongbao %s has no flag %s", document, command[1], flag[0])
			}
		}
	}
	for _, found := range makeTarget.FindAllStringSubmatch(text, -1) {
		if !strings.Contains(targets, "\n"+found[1]+":") {
			t.Errorf("%s: there is no make %s", document, found[1])
		}
	}
}
