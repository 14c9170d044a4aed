package systemtest

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// curl is a command line of curl, as far as the documentation uses it. It is understood here so that the examples run
// where there is no curl.
type curl struct {
	method  string
	url     string
	body    string
	headers []string
}

// parseCurl reads a command line as a shell and then curl would.
func parseCurl(line string, variable func(string) string) (c curl, err error) {
	words, err := shellWords(line, variable)
	if err != nil {
		return c, err
	}
	if len(words) == 0 || words[0] != "curl" {
		return c, fmt.Errorf("not a command line of curl: %s", line)
	}
	for words = words[1:]; len(words) > 0; words = words[1:] {
		flag := words[0]
		if !strings.HasPrefix(flag, "-") {
			c.url = flag
			continue
		}
		if len(words) < 2 {
			return c, fmt.Errorf("%s without a value: %s", flag, line)
		}
		words = words[1:]
		switch flag {
		case "-X":
			c.method = words[0]
		case "-H":
			c.headers = append(c.headers, words[0])
		case "-d":
			c.body = words[0]
		default:
			return c, fmt.Errorf("%s is not understood here: %s", flag, line)
		}
	}
	c.complete()
	return c, nil
}

// complete adds what curl adds by itself.
func (c *curl) complete() {
	typed := false
	for _, header := range c.headers {
		typed = typed || strings.HasPrefix(strings.ToLower(header), "content-type:")
	}
	if c.body != "" && !typed {
		c.headers = append(c.headers, "Content-Type: application/x-www-form-urlencoded")
	}
	switch {
	case c.method != "":
	case c.body != "":
		c.method = "POST"
	default:
		c.method = "GET"
	}
}

// run asks the server.
func (c *curl) run(s *server) (status int, body string) {
	return s.ask(c.method, c.url, c.body, c.headers...)
}

// shellWords splits a line as a shell does: quotes, and variables outside of single ones. What else means something to a
// shell is an error.
func shellWords(line string, variable func(string) string) (words []string, err error) {
	const special = "\\`;|&<>()"
	var word []byte // nil between words
	quote := byte(0)
	for i := 0; i < len(line); i++ {
		ch := line[i]
		switch {
		case ch == quote:
			quote = 0
		case quote == 0 && (ch == '\'' || ch == '"'):
			quote, word = ch, append([]byte{}, word...)
		case quote == 0 && ch == ' ':
			if word != nil {
				words = append(words, string(word))
			}
			word = nil
		case quote != '\'' && ch == '$':
			name := variableName(line[i+1:])
			word = append(word, variable(name)...)
			i += len(name)
		case quote == 0 && strings.IndexByte(special, ch) >= 0, quote == '"' && ch == '\\':
			return nil, fmt.Errorf("%c is not understood here: %s", ch, line)
		default:
			word = append(word, ch)
		}
	}
	if quote != 0 {
		return nil, fmt.Errorf("a quote is not closed: %s", line)
	}
	if word != nil {
		words = append(words, string(word))
	}
	return words, nil
}

func variableName(text string) string {
	end := strings.IndexFunc(text, func(r rune) bool { return r != '_' && (r < 'A' || r > 'Z') })
	if end < 0 {
		return text
	}
	return text[:end]
}

func TestCurlIsReadAsAShellDoes(t *testing.T) {
	line := `curl -X PATCH $URL/a?b=1 -H "If-Match: \"3\""`
	if _, err := parseCurl(line, os.Getenv); err == nil {
		t.Error("a backslash is understood")
	}
	c, err := parseCurl(`curl "$URL/a?b=$C&d" -H 'If-Match: "1"' -d '{"a": "$C"}'`, func(name string) string { return "<" + name + ">" })
	want := `{POST <URL>/a?b=<C>&d {"a": "$C"} [If-Match: "1" Content-Type: application/x-www-form-urlencoded]}`
	if got := fmt.Sprint(c); err != nil || got != want {
		t.Errorf("%s, %v\nwant %s", got, err, want)
	}
}
