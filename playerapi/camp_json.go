package playerapi

import (
	"bytes"
	"encoding/json"

	"hongbao"
)

// parseCampJSON reads the fields of one JSON object (RFC 8259). It is a parser of our own because the snatch path uses
// none of the reflection that encoding/json needs; a fuzz test holds it against that one.
func parseCampJSON(data []byte, fields []campField) error {
	s := jsonScanner{data: data}
	err := s.object(fields)
	if s.space(); err == nil && s.at != len(data) {
		err = errNotJSON(data)
	}
	return err
}

func errNotJSON(data []byte) error {
	return hongbao.Invalid("body", string(data), `one JSON object such as {"uid":123}`)
}

// jsonScanner steps through JSON. Objects within objects make it recurse, to a depth that the size of a body bounds.
type jsonScanner struct {
	data []byte
	at   int
}

// object reads an object, and the fields that it is asked for.
func (s *jsonScanner) object(fields []campField) error {
	s.at++ // the brace
	if s.space(); s.take('}') {
		return nil
	}
	for {
		s.space()
		name, ok := s.text()
		if s.space(); !ok || !s.take(':') {
			return errNotJSON(s.data)
		}
		s.space()
		if err := s.member(fieldNamed(fields, name)); err != nil {
			return err
		}
		s.space()
		if s.take('}') {
			return nil
		}
		if !s.take(',') {
			return errNotJSON(s.data)
		}
	}
}

// member reads the value of a field, or any value where the field is not asked for.
func (s *jsonScanner) member(field *campField) error {
	if field == nil {
		return s.value()
	}
	if s.peek() == '"' {
		text, ok := s.text()
		if !ok {
			return errNotJSON(s.data)
		}
		return field.set(text)
	}
	return field.set(s.word())
}

// value steps over any value.
func (s *jsonScanner) value() error {
	ok := false
	switch c := s.peek(); {
	case c == '{':
		return s.object(nil)
	case c == '[':
		return s.list()
	case c == '"':
		_, ok = s.text()
	default:
		word := s.word()
		ok = isNumber(word) || string(word) == "true" || string(word) == "false" || string(word) == "null"
	}
	if !ok {
		return errNotJSON(s.data)
	}
	return nil
}

func (s *jsonScanner) list() error {
	s.at++ // the bracket
	if s.space(); s.take(']') {
		return nil
	}
	for {
		s.space()
		if err := s.value(); err != nil {
			return err
		}
		s.space()
		if s.take(']') {
			return nil
		}
		if !s.take(',') {
			return errNotJSON(s.data)
		}
	}
}

// text reads a string; ok is false where there is none. One with escapes, which no client of ours writes, is left to
// encoding/json.
func (s *jsonScanner) text() (text []byte, ok bool) {
	start := s.at
	if !s.take('"') {
		return nil, false
	}
	escaped := false
	for !s.take('"') {
		c := s.peek()
		if c < ' ' { // the end, too
			return nil, false
		}
		if c == '\\' {
			escaped = true
			s.at++
		}
		s.at++
	}
	if !escaped {
		return s.data[start+1 : s.at-1], true
	}
	var plain string
	err := json.Unmarshal(s.data[start:s.at], &plain)
	return []byte(plain), err == nil
}

// word reads up to what may follow a number or a literal.
func (s *jsonScanner) word() []byte {
	start := s.at
	for s.at < len(s.data) && bytes.IndexByte([]byte(" \t\r\n,]}"), s.data[s.at]) < 0 {
		s.at++
	}
	return s.data[start:s.at]
}

func (s *jsonScanner) space() {
	for s.at < len(s.data) && bytes.IndexByte([]byte(" \t\r\n"), s.data[s.at]) >= 0 {
		s.at++
	}
}

// peek is the next byte, or 0 at the end; a 0 in JSON is an error everywhere.
func (s *jsonScanner) peek() byte {
	if s.at >= len(s.data) {
		return 0
	}
	return s.data[s.at]
}

func (s *jsonScanner) take(c byte) bool {
	if s.peek() != c {
		return false
	}
	s.at++
	return true
}

// isNumber tells a JSON number: -? digits, a fraction, an exponent.
func isNumber(word []byte) bool {
	word, _ = bytes.CutPrefix(word, []byte("-"))
	whole, word := cutDigits(word)
	if len(whole) == 0 || whole[0] == '0' && len(whole) > 1 {
		return false
	}
	if rest, ok := bytes.CutPrefix(word, []byte(".")); ok {
		fraction, after := cutDigits(rest)
		if len(fraction) == 0 {
			return false
		}
		word = after
	}
	if len(word) > 0 && (word[0] == 'e' || word[0] == 'E') {
		word = word[1:]
		if len(word) > 0 && (word[0] == '+' || word[0] == '-') {
			word = word[1:]
		}
		exponent, after := cutDigits(word)
		return len(exponent) > 0 && len(after) == 0
	}
	return len(word) == 0
}

func cutDigits(word []byte) (digits, rest []byte) {
	n := 0
	for n < len(word) && word[n] >= '0' && word[n] <= '9' {
		n++
	}
	return word[:n], word[n:]
}
