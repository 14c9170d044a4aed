package playerapi

import (
	"bytes"
	"net/url"

	"hongbao"
)

// parseCampForm reads application/x-www-form-urlencoded.
func parseCampForm(form []byte, fields []campField) error {
	for len(form) > 0 {
		var pair []byte
		pair, form, _ = bytes.Cut(form, []byte("&"))
		if err := parseCampPair(pair, fields); err != nil {
			return err
		}
	}
	return nil
}

func parseCampPair(pair []byte, fields []campField) error {
	name, value, _ := bytes.Cut(pair, []byte("="))
	name, nameOK := unescape(name)
	value, valueOK := unescape(value)
	if !nameOK || !valueOK || bytes.IndexByte(pair, ';') >= 0 {
		return hongbao.Invalid("body", string(pair), "a JSON object or a form such as uid=123")
	}
	if field := fieldNamed(fields, name); field != nil {
		return field.set(value)
	}
	return nil
}

func unescape(text []byte) ([]byte, bool) {
	if !bytes.ContainsAny(text, "%+") {
		return text, true
	}
	plain, err := url.QueryUnescape(string(text))
	return []byte(plain), err == nil
}
