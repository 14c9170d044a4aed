package cluster

import (
	"regexp"
	"strconv"
	"strings"
	"testing"
)

var (
	literalIndex = regexp.MustCompile(`(KEYS|ARGV)\[(\d+)\]`)
	anyIndex     = regexp.MustCompile(`(KEYS|ARGV)\[([^\]]+)\]`)
	// namedIndex is a number at the beginning of a line of a head or behind two spaces, with what it is called.
	namedIndex = regexp.MustCompile(`(?:^|  )(\d+)(?:-(\d+))?(…?)  ?([a-z'][^ ,:]*)`)
	numbered   = regexp.MustCompile(`tonumber\(ARGV\[(\d+)\]\)`)
)

// source is a script's file: its head, what that names, and its body.
type source struct {
	name, head, body string
	named            map[string][]string // "KEYS", "ARGV": names, from 1
	open             map[string]bool     // the last one goes on
}

// parseSource reads a file. Names are numbered 1, 2, 3 …: another number in the text is none.
func parseSource(name, text string) *source {
	s := &source{name: name, named: map[string][]string{}, open: map[string]bool{}}
	of := ""
	for line := range strings.Lines(text) {
		comment, ok := strings.CutPrefix(line, "--")
		if !ok {
			s.body += line
			continue
		}
		if s.body != "" {
			continue
		}
		s.head += line
		comment = strings.TrimSpace(comment)
		for _, kind := range []string{"KEYS", "ARGV"} {
			if rest, ok := strings.CutPrefix(comment, kind+" "); ok {
				of, comment = kind, rest
			}
		}
		if comment == "" || strings.HasPrefix(comment, "Reply:") {
			of = ""
		}
		if of == "" {
			continue
		}
		for _, m := range namedIndex.FindAllStringSubmatch(comment, -1) {
			if m[1] != strconv.Itoa(len(s.named[of])+1) {
				continue
			}
			s.named[of] = append(s.named[of], m[4])
			if last, err := strconv.Atoi(m[2]); err == nil {
				for len(s.named[of]) < last {
					s.named[of] = append(s.named[of], m[4])
				}
			}
			s.open[of] = m[3] != ""
		}
	}
	return s
}

// isFenced reports whether a file is loaded with the common head.
func isFenced(name string) bool {
	for _, script := range allScripts {
		if script.name == name {
			return !script.bare
		}
	}
	return false
}

// TestHeadsNameKeysAndArguments compares the heads of the scripts with their bodies: what a body uses is named, and what is
// named is used.
func TestHeadsNameKeysAndArguments(t *testing.T) {
	files, err := scriptFiles.ReadDir("scripts")
	if err != nil {
		t.Fatal(err)
	}
	if len(files) != len(allScripts)+1 {
		t.Errorf("%d files for %d scripts and the fence", len(files), len(allScripts))
	}
	for _, file := range files {
		text, err := scriptFiles.ReadFile("scripts/" + file.Name())
		if err != nil {
			t.Fatal(err)
		}
		s := parseSource(strings.TrimSuffix(file.Name(), ".lua"), string(text))
		for _, problem := range s.problems() {
			t.Errorf("%s: %s", file.Name(), problem)
		}
	}
}

func (s *source) problems() (list []string) {
	used := map[string]bool{}
	for _, m := range literalIndex.FindAllStringSubmatch(s.body, -1) {
		used[m[1]+m[2]] = true
		if n, _ := strconv.Atoi(m[2]); n > len(s.named[m[1]]) {
			list = append(list, "uses "+m[0]+", which the head does not name")
		}
	}
	for _, m := range anyIndex.FindAllStringSubmatch(s.body, -1) {
		if literalIndex.MatchString(m[0]) || s.open[m[1]] {
			continue
		}
		list = append(list, "uses "+m[0]+", and the head names no list")
	}
	first := map[string]int{"KEYS": 1, "ARGV": 1}
	if isFenced(s.name) { // the fence uses these
		first = map[string]int{"KEYS": 2, "ARGV": 5}
		if len(s.named["ARGV"]) < 4 || s.named["ARGV"][0] != "run" {
			list = append(list, "does not begin with run, epoch, shards and now")
		}
	}
	for kind, names := range s.named {
		for i, name := range names {
			if n := i + 1; n >= first[kind] && !used[kind+strconv.Itoa(n)] && !(s.open[kind] && n == len(names)) && !(!isFenced(s.name) && n == 1) {
				list = append(list, "does not use "+kind+" "+strconv.Itoa(n)+" "+name)
			}
		}
	}
	if len(s.named["KEYS"]) == 0 || s.named["KEYS"][0] != "record" {
		list = append(list, "does not have the record as its first key")
	}
	if s.name != "fence" && !strings.Contains(s.head, "\n-- Reply: {") {
		list = append(list, "does not say what it replies")
	}
	for _, m := range numbered.FindAllStringSubmatch(s.body, -1) {
		n, _ := strconv.Atoi(m[1])
		switch name := s.named["ARGV"][min(n, len(s.named["ARGV"]))-1]; name {
		case "campaign", "uid", "key", "envelope", "event", "name", "fen", "amount":
			list = append(list, "makes a Lua number of its "+name)
		}
	}
	for _, never := range []string{"cjson", "MAXLEN", "%d'", "%g", "tonumber(envelope", "tonumber(taken", "math.random", "KEYS *"} {
		if strings.Contains(s.body, never) {
			list = append(list, "has "+never)
		}
	}
	return list
}

// TestHeadsAreRead shows that the comparison finds what it is there for.
func TestHeadsAreRead(t *testing.T) {
	const head = "-- Does something.\n--\n-- KEYS 1 record   2 bank\n-- ARGV 1-4 run, epoch, shards, now\n--      5 uid     1: or not   6 mark\n--\n-- Reply: {'ok'}\n"
	for _, c := range []struct{ body, problem string }{
		{"return {KEYS[2], ARGV[5], ARGV[6]}\n", ""},
		{"return {KEYS[2], KEYS[3], ARGV[5], ARGV[6]}\n", "uses KEYS[3], which the head does not name"},
		{"return {KEYS[2], ARGV[5], ARGV[6], ARGV[7]}\n", "uses ARGV[7], which the head does not name"},
		{"return {KEYS[2], ARGV[5]}\n", "does not use ARGV 6 mark"},
		{"return {KEYS[2], ARGV[5], ARGV[6], ARGV[i]}\n", "uses ARGV[i], and the head names no list"},
		{"return {KEYS[2], tonumber(ARGV[5]), tonumber(ARGV[6])}\n", "makes a Lua number of its uid"},
		{"return {KEYS[2], ARGV[5], cjson.encode(ARGV[6])}\n", "has cjson"},
	} {
		if got := strings.Join(parseSource("wallet", head+c.body).problems(), "; "); got != c.problem {
			t.Errorf("%q: %q, not %q", c.body, got, c.problem)
		}
	}
}
