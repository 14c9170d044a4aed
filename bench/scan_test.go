package bench

import (
	"encoding/json"
	"strings"
	"testing"
)

// wins reads {"wins":3} as the readers of answers do.
func wins(body string) (n int64, err error) {
	err = parse([]byte(body), func(s *scanner, name []byte) {
		if string(name) == "wins" {
			n = s.integer()
			return
		}
		s.skip()
	})
	return n, err
}

func TestScannerReadsWhatIsWellFormed(t *testing.T) {
	for _, body := range []string{
		`{"wins":3}`, ` { "wins" : 3 } `, `{"later":{"a":[1,{"b":"\""}]},"wins":3}`, `{"wins":3,"n":null,"x":-1.5e3}`, `{"\u0077ins":3}`,
	} {
		if n, err := wins(body); err != nil || n != 3 {
			t.Errorf("%s: %d, %v", body, n, err)
		}
	}
}

func TestScannerRefusesWhatIsNot(t *testing.T) {
	for _, body := range []string{
		``, `3`, `[]`, `{`, `{"wins"`, `{"wins":`, `{"wins":3`, `{"wins":3,}`, `{"wins":3}x`, `{"wins":3}{}`, `{"wins":"3"}`, `{"wins":-3}`,
		`{"wins":3.0}`, `{"wins":03}`, `{"wins":3e1}`, `{"wins":9223372036854775808}`, `{"wins":true}`, `{"wins":3,"wins":3}`, `{wins:3}`,
		`{"wins":3 "a":1}`, "{\"a\":\"\x01\",\"wins\":3}", `{"a":tru,"wins":3}`, `{"a":"\q","wins":3}`,
	} {
		if n, err := wins(body); err == nil {
			t.Errorf("%s was read as %d", body, n)
		}
	}
}

// FuzzScanner checks that whatever is accepted is JSON, and that nothing panics.
func FuzzScanner(f *testing.F) {
	f.Add(`{"wins":3,"a":[{"b":"c\n"}]}`)
	f.Add(`{"wins":3,"wins":3}`)
	f.Fuzz(func(t *testing.T, body string) {
		_, err := wins(body)
		if err == nil && !json.Valid([]byte(strings.ToValidUTF8(body, "?"))) {
			t.Errorf("%q is accepted, and is not JSON", body)
		}
	})
}
