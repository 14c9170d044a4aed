package playerapi

import (
	"encoding/json"
	"os"
	"regexp"
	"strings"
	"testing"

	"hongbao"
)

// A player is never shown a code for want of a word.
func TestThePageHasWordsForEveryOutcome(t *testing.T) {
	keys := []string{
		"status.opened", "status.expired", "status.held", "status.refunded",
		"status." + string(hongbao.SignedUp), "status." + string(hongbao.SignUpClosed), "status." + string(hongbao.SignUpCancelled),
		"status." + string(hongbao.SignUpNotRequired), "status." + string(hongbao.SignUpInvitedOnly),
	}
	for status := hongbao.NotFound + 1; int(status) < hongbao.Statuses; status++ { // not_found is an error here
		keys = append(keys, "status."+status.String())
	}
	codes := errorCodes(t)
	if len(codes) < 14 {
		t.Fatalf("only these errors are found in problem.go: %q", codes)
	}
	for _, code := range codes {
		keys = append(keys, "error."+code)
	}
	text, err := os.ReadFile("../web/player/words.mjs")
	if err != nil {
		t.Fatal(err)
	}
	_, object, _ := strings.Cut(string(text), "export default ")
	var words map[string]map[string]string
	if err := json.Unmarshal([]byte(strings.TrimSuffix(strings.TrimSpace(object), ";")), &words); err != nil {
		t.Fatal(err)
	}
	for _, key := range keys {
		for _, language := range []string{"zh", "en"} {
			if words[language][key] == "" {
				t.Errorf("there is no word for %s in %q", key, language)
			}
		}
	}
}

// errorCodes reads the one table of errors.
func errorCodes(t *testing.T) (codes []string) {
	t.Helper()
	source, err := os.ReadFile("problem.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile(`newProblem\("(\w+)"`).FindAllSubmatch(source, -1) {
		codes = append(codes, string(m[1]))
	}
	return codes
}
