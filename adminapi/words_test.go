package adminapi

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// An administrator is told what went wrong in words, with the server's detail beside them.
func TestTheConsoleHasWordsForEveryError(t *testing.T) {
	text, err := os.ReadFile("../web/console/words.mjs")
	if err != nil {
		t.Fatal(err)
	}
	_, object, _ := strings.Cut(string(text), "export default ")
	var words map[string]map[string]string
	if err := json.Unmarshal([]byte(strings.TrimSuffix(strings.TrimSpace(object), ";")), &words); err != nil {
		t.Fatal(err)
	}
	codes := errorCodes(t)
	for _, known := range []string{"stale_revision", "audit_running", "budget_below_issued", "internal", "precondition_required"} {
		if !slices.Contains(codes, known) {
			t.Fatalf("%s is not found among the sources' %q", known, codes)
		}
	}
	for _, code := range codes {
		for _, language := range []string{"zh", "en"} {
			if words[language]["error."+code] == "" {
				t.Errorf("there is no word for error.%s in %q", code, language)
			}
		}
	}
}

// errorCodes are those that a source of this package names, beside an HTTP status or for what goes on already.
func errorCodes(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]bool{}
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`(?:http\.Status\w+, |running\()"([a-z_]+)"`).FindAllSubmatch(source, -1) {
			found[string(m[1])] = true
		}
	}
	return slices.Sorted(maps.Keys(found))
}
