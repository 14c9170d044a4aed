package systemtest

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// checkers are packages that hold others to the guarantees; what they say they keep does not count.
var checkers = []string{"hongbao/audit", "hongbao/bench", "hongbao/enginetest", "hongbao/systemtest"}

// Whoever looks for a guarantee finds where it is kept, and what would notice if it were not.
func TestGuaranteesAreNamedWhereTheyAreKeptAndTested(t *testing.T) {
	for n := 1; n <= 8; n++ {
		label := fmt.Sprintf("G%d", n)
		var kept, tested []string
		for _, s := range sources(t) {
			switch {
			case s.test && names(s.text, label, ""):
				tested = append(tested, s.path)
			case !s.test && !slices.Contains(checkers, s.importPath) && names(s.text, label, "Keeps "):
				kept = append(kept, s.path)
			}
		}
		if len(kept) == 0 {
			t.Errorf("no code says that it keeps %s: write `// Keeps %s: …` where it does", label, label)
		}
		if len(tested) == 0 {
			t.Errorf("no test names %s", label)
		}
	}
}

// names tells whether a line names a label behind a word.
func names(text, label, behind string) bool {
	for line := range strings.Lines(text) {
		if _, after, found := strings.Cut(line, behind); found && strings.Contains(after, label) {
			return true
		}
	}
	return false
}
