package bench

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
)

// fieldsMax is how many fields an object of the player API may have.
const fieldsMax = 24

// scanner reads JSON from the front of a body: strictly in the types it is asked for, tolerant of fields it is not
// asked for, and without allocating unless a text has escapes. After the first error all that it returns is zero.
type scanner struct {
	rest []byte
	err  error
}

// parse reads a body that is one object.
func parse(body []byte, field func(s *scanner, name []byte)) error {
	s := scanner{rest: body}
	s.object(field)
	if s.skipSpace(); s.err == nil && len(s.rest) > 0 {
		s.fail("one JSON object")
	}
	return s.err
}

// object calls field at the value of each field; a field that does not read it must skip it. A name given twice is an
// error.
func (s *scanner) object(field func(s *scanner, name []byte)) {
	if !s.take('{') {
		s.fail("an object")
		return
	}
	var names [fieldsMax][]byte
	for n := 0; s.err == nil && !s.take('}'); n++ {
		if n > 0 && !s.take(',') || n == fieldsMax {
			s.fail("a comma or the end of an object")
			return
		}
		name := s.text()
		for _, earlier := range names[:n] {
			if bytes.Equal(earlier, name) {
				s.fail("a field name that was not there before")
			}
		}
		names[n] = name
		if !s.take(':') {
			s.fail("a colon")
			return
		}
		field(s, name)
	}
}

// array calls element at each value of a list.
func (s *scanner) array(element func(s *scanner)) {
	if !s.take('[') {
		s.fail("a list")
		return
	}
	for n := 0; s.err == nil && !s.take(']'); n++ {
		if n > 0 && !s.take(',') {
			s.fail("a comma or the end of a list")
			return
		}
		element(s)
	}
}

// text reads a string. Without escapes it is a part of the body.
func (s *scanner) text() []byte {
	if s.skipSpace(); s.err != nil || len(s.rest) == 0 || s.rest[0] != '"' {
		s.fail("a string")
		return nil
	}
	for i := 1; i < len(s.rest); i++ {
		switch c := s.rest[i]; {
		case c == '"':
			text := s.rest[1:i]
			s.rest = s.rest[i+1:]
			return text
		case c == '\\':
			return s.escapedText()
		case c < ' ':
			s.fail("a string without control characters")
			return nil
		}
	}
	s.fail("the end of a string")
	return nil
}

func (s *scanner) escapedText() []byte {
	for i := 1; i < len(s.rest); i++ {
		switch s.rest[i] {
		case '\\':
			i++
		case '"':
			var text string
			if err := json.Unmarshal(s.rest[:i+1], &text); err != nil {
				s.fail("a string")
				return nil
			}
			s.rest = s.rest[i+1:]
			return []byte(text)
		}
	}
	s.fail("the end of a string")
	return nil
}

// integer reads a whole number that is not negative, as all numbers of the player API are.
func (s *scanner) integer() int64 {
	s.skipSpace()
	n, digits := int64(0), 0
	for digits < len(s.rest) && s.rest[digits] >= '0' && s.rest[digits] <= '9' {
		digit := int64(s.rest[digits] - '0')
		if n > (math.MaxInt64-digit)/10 {
			s.fail("a smaller number")
			return 0
		}
		n = n*10 + digit
		digits++
	}
	if s.err != nil || digits == 0 || digits > 1 && s.rest[0] == '0' {
		s.fail("a whole number")
		return 0
	}
	s.rest = s.rest[digits:]
	return n
}

// id reads a number written as a string, as ids are on /v1.
func (s *scanner) id() uint64 {
	inner := scanner{rest: s.text(), err: s.err}
	n := inner.integer()
	if inner.err != nil || len(inner.rest) > 0 {
		s.fail("an id: a string of digits")
		return 0
	}
	return uint64(n)
}

func (s *scanner) boolean() bool {
	switch s.skipSpace(); {
	case s.err == nil && bytes.HasPrefix(s.rest, []byte("true")):
		s.rest = s.rest[len("true"):]
		return true
	case s.err == nil && bytes.HasPrefix(s.rest, []byte("false")):
		s.rest = s.rest[len("false"):]
		return false
	}
	s.fail("true or false")
	return false
}

// skip passes over any value.
func (s *scanner) skip() {
	if s.err != nil {
		return
	}
	decoder := json.NewDecoder(bytes.NewReader(s.rest))
	var value json.RawMessage
	if decoder.Decode(&value) != nil {
		s.fail("a JSON value")
		return
	}
	s.rest = s.rest[decoder.InputOffset():]
}

func (s *scanner) take(c byte) bool {
	s.skipSpace()
	if s.err != nil || len(s.rest) == 0 || s.rest[0] != c {
		return false
	}
	s.rest = s.rest[1:]
	return true
}

func (s *scanner) skipSpace() {
	for len(s.rest) > 0 && (s.rest[0] == ' ' || s.rest[0] == '\n' || s.rest[0] == '\t' || s.rest[0] == '\r') {
		s.rest = s.rest[1:]
	}
}

func (s *scanner) fail(expected string) {
	if s.err == nil {
		s.err = fmt.Errorf("expected %s at %q", expected, shorten(s.rest))
	}
	s.rest = nil
}

// shorten cuts what is shown of a body.
func shorten(b []byte) []byte {
	const shown = 120
	if len(b) > shown {
		return append(b[:shown:shown], "…"...)
	}
	return b
}
