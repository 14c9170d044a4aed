package playerapi

import (
	"bytes"
	"unicode/utf8"

	"hongbao"
)

// campField is a number that a camp request may bring, as a JSON number or string or a value of a form.
type campField struct {
	name  string
	limit uint64
	value uint64
	given bool
}

// parseCampBody reads the fields from a body, JSON where it begins with a brace and otherwise a form, whatever its
// Content-Type says. Fields that are not asked for are ignored.
func parseCampBody(body []byte, fields []campField) error {
	body = bytes.Trim(body, " \t\r\n")
	switch {
	case !utf8.Valid(body):
		return hongbao.Invalid("body", "(bytes)", "UTF-8")
	case len(body) > 0 && body[0] == '{':
		return parseCampJSON(body, fields)
	}
	return parseCampForm(body, fields)
}

func fieldNamed(fields []campField, name []byte) *campField {
	for i := range fields {
		if fields[i].name == string(name) {
			return &fields[i]
		}
	}
	return nil
}

// set takes the text of a value: plain digits, for 1e3 and 1.0 are whole numbers that programs read differently.
func (f *campField) set(text []byte) error {
	if f.given {
		return hongbao.Invalid(f.name, "(several)", "given once")
	}
	value, ok := parseDigits(text, f.limit)
	if !ok {
		return hongbao.Invalid(f.name, string(text), "a whole number from 0 to 9007199254740991 in plain digits")
	}
	f.value, f.given = value, true
	return nil
}
