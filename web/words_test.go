package web

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// words reads a page's words.mjs: JSON after "export default", by language and key.
func words(t *testing.T, page string) map[string]map[string]string {
	t.Helper()
	text, err := embedded.ReadFile(page + "/words.mjs")
	if err != nil {
		t.Fatal(err)
	}
	_, object, ok := bytes.Cut(text, []byte("export default "))
	object = bytes.TrimSuffix(bytes.TrimSpace(object), []byte(";"))
	if !ok {
		t.Fatalf("%s/words.mjs is not `export default {…}`", page)
	}
	var all map[string]map[string]string
	if err := json.Unmarshal(object, &all); err != nil {
		t.Fatalf("%s/words.mjs: what is exported must be JSON: %v", page, err)
	}
	if languages := slices.Sorted(maps.Keys(all)); !slices.Equal(languages, []string{"en", "zh"}) {
		t.Fatalf("%s/words.mjs has the languages %q", page, languages)
	}
	if keys := bytes.Count(object, []byte(`": "`)); keys != len(all["en"])+len(all["zh"]) {
		t.Errorf("%s/words.mjs has %d lines of words and %d keys: one is there twice", page, keys, len(all["en"])+len(all["zh"]))
	}
	return all
}

var placeholder = regexp.MustCompile(`\{\w+\}`)

// What statuses and errors there are is asked where they are known: in the tests of playerapi and adminapi.
func TestBothLanguagesSayTheSame(t *testing.T) {
	for _, page := range []string{"player", "console"} {
		all := words(t, page)
		for key, english := range all["en"] {
			chinese, there := all["zh"][key]
			switch {
			case !there:
				t.Errorf("%s: %s is not said in Chinese", page, key)
			case strings.TrimSpace(english) == "" || strings.TrimSpace(chinese) == "":
				t.Errorf("%s: %s is empty", page, key)
			case fmt.Sprint(names(english)) != fmt.Sprint(names(chinese)):
				t.Errorf("%s: %s names %v in English and %v in Chinese", page, key, names(english), names(chinese))
			}
		}
		for key := range all["zh"] {
			if _, there := all["en"][key]; !there {
				t.Errorf("%s: %s is not said in English", page, key)
			}
		}
	}
}

// names are the placeholders of a text.
func names(text string) []string {
	return slices.Compact(slices.Sorted(slices.Values(placeholder.FindAllString(text, -1))))
}

// said is a call that looks a word up: by its key, or by one that begins so.
var said = regexp.MustCompile(`\b(?:t|say)\(\s*['"]([\w.]+)['"]\s*([+,)])`)

func TestWordsThatModulesAskForAreThere(t *testing.T) {
	all := map[string]map[string]string{"player": words(t, "player")["en"], "console": words(t, "console")["en"]}
	asked := map[string]int{}
	each(t, func(name string, body []byte) {
		page, _, _ := strings.Cut(name, "/")
		for _, m := range said.FindAllSubmatch(body, -1) {
			asked[page]++
			key, isPrefix := string(m[1]), string(m[2]) == "+"
			if _, there := all[page][key]; !there && !isPrefix {
				t.Errorf("%s says %s, for which there is no word", name, key)
			}
			begins := func(k string) bool { return strings.HasPrefix(k, key) }
			if isPrefix && !slices.ContainsFunc(slices.Collect(maps.Keys(all[page])), begins) {
				t.Errorf("%s says what begins with %s, and no word does", name, key)
			}
		}
	})
	if asked["player"] == 0 || asked["console"] == 0 {
		t.Errorf("words are asked for %v times: are the functions called otherwise now?", asked)
	}
}
