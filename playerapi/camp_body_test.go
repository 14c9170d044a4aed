package playerapi

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"hongbao"
)

func bothFields() []campField {
	return []campField{{name: "uid", limit: hongbao.UIDMax}, {name: "envelope_id", limit: envelopeMax}}
}

func TestCampBodies(t *testing.T) {
	for _, row := range []struct {
		name, body string
		want       string // the fields that were given, or what the error names
	}{
		{"numbers", `{"uid":123,"envelope_id":4294967419}`, "uid=123 envelope_id=4294967419"},
		{"strings", `{"uid":"123","envelope_id":"4294967419"}`, "uid=123 envelope_id=4294967419"},
		{"a form", `uid=123&envelope_id=4294967419`, "uid=123 envelope_id=4294967419"},
		{"in another order, with space around", " \r\n{ \"envelope_id\" : 1 , \"uid\" : 0 }\t", "uid=0 envelope_id=1"},
		{"a form with space around", " uid=5\r\n", "uid=5"},
		{"a form with escapes", `%75id=%35`, "uid=5"},
		{"a name with escapes", `{"\u0075id":5}`, "uid=5"},
		{"a text with escapes", `{"uid":"\u0035"}`, "uid=5"},
		{"the largest", `{"uid":9007199254740991,"envelope_id":9007199254740991}`, "uid=9007199254740991 envelope_id=9007199254740991"},
		{"unknown fields of any value", `{"a":null,"b":[1,[],{"uid":2}],"c":{"uid":3,"d":{}},"uid":1,"e":-1.5E+7,"f":"}\"","g":true,"h":false}`, "uid=1"},
		{"unknown fields, twice", `{"a":1,"a":2,"uid":1}`, "uid=1"},
		{"unknown fields of a form", `a=b&uid=1&uid2=x&&c&=d`, "uid=1"},
		{"names that differ in case", `{"UID":1}`, ""},
		{"an empty object", `{}`, ""},
		{"nothing", ``, ""},
		{"a list", `[{"uid":1}]`, ""},
		{"a number", `7`, ""},

		{"uid twice", `{"uid":1,"uid":1}`, "error uid"},
		{"uid twice under another spelling", `{"uid":1,"\u0075id":2}`, "error uid"},
		{"uid twice in a form", `uid=1&uid=1`, "error uid"},
		{"negative", `{"uid":-1}`, "error uid"},
		{"minus zero", `{"uid":-0}`, "error uid"},
		{"fractional", `{"uid":1.5}`, "error uid"},
		{"whole with a fraction", `{"uid":1.0}`, "error uid"},
		{"whole with an exponent", `{"uid":1e3}`, "error uid"},
		{"too large", `{"uid":9007199254740992}`, "error uid"},
		{"larger than 64 bits", `{"uid":18446744073709551617}`, "error uid"},
		{"envelope_id too large", `{"envelope_id":9007199254740992}`, "error envelope_id"},
		{"with zeros in front", `{"uid":"007"}`, "error uid"},
		{"with a plus", `uid=%2B1`, "error uid"},
		{"with space within", `uid=+1`, "error uid"},
		{"an empty text", `{"uid":""}`, "error uid"},
		{"an empty value", `uid=&envelope_id=1`, "error uid"},
		{"no value", `uid`, "error uid"},
		{"a word", `{"uid":"alice"}`, "error uid"},
		{"null", `{"uid":null}`, "error uid"},
		{"true", `{"uid":true}`, "error uid"},
		{"a list of one", `{"uid":[1]}`, "error uid"},
		{"an object", `{"uid":{"uid":1}}`, "error uid"},
		{"Chinese digits", `{"uid":"１"}`, "error uid"},

		{"a brace alone", `{`, "error body"},
		{"half an object", `{"uid":1`, "error body"},
		{"half a name", `{"ui`, "error body"},
		{"half an escape", `{"uid\`, "error body"},
		{"a comma too many", `{"uid":1,}`, "error body"},
		{"a comma too few", `{"uid":1 "a":2}`, "error body"},
		{"a colon too few", `{"uid" 1}`, "error body"},
		{"a name without quotes", `{uid:1}`, "error body"},
		{"two objects", `{"uid":1}{"uid":2}`, "error body"},
		{"something behind", `{"uid":1}x`, "error body"},
		{"an unknown escape", `{"a":"\x","uid":1}`, "error body"},
		{"a control character", "{\"a\":\"\n\",\"uid\":1}", "error body"},
		{"an unknown word", `{"a":nil,"uid":1}`, "error body"},
		{"an unknown number", `{"a":01,"uid":1}`, "error body"},
		{"an exponent without digits", `{"a":1e,"uid":1}`, "error body"},
		{"a list that does not end", `{"a":[1,"uid":1}`, "error body"},
		{"not UTF-8", "{\"a\":\"\xff\",\"uid\":1}", "error body"},
		{"a form that is not UTF-8", "a=\xff&uid=1", "error body"},
		{"a form with half an escape", `uid=1&a=%4`, "error body"},
		{"a form with semicolons", `uid=1;envelope_id=2`, "error body"},
		{"a byte order mark", "\ufeff{\"uid\":1}", ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			fields := bothFields()
			got := told(fields, parseCampBody([]byte(row.body), fields))
			if got != row.want {
				t.Errorf("got %q, want %q", got, row.want)
			}
		})
	}
}

func told(fields []campField, err error) string {
	if err != nil {
		field, _, _ := strings.Cut(err.Error(), ":")
		return "error " + field
	}
	var given []string
	for _, f := range fields {
		if f.given {
			given = append(given, fmt.Sprintf("%s=%d", f.name, f.value))
		}
	}
	return strings.Join(given, " ")
}

func TestCampSnatchIgnoresTheFieldsOfOthers(t *testing.T) {
	g := newGame(t)
	expect(t, g.ask("POST /snatch", `{"uid":1,"envelope_id":-1,"envelope_id":"x"}`), 200, `{"code":5,"msg":"not open"}`)
}

func TestDeeplyNestedJSONIsRead(t *testing.T) {
	const depth = bodyBytesMax/2 - 20
	body := `{"a":` + strings.Repeat("[", depth) + strings.Repeat("]", depth) + `,"uid":1}`
	fields := bothFields()
	if got := told(fields, parseCampBody([]byte(body), fields)); got != "uid=1" {
		t.Error(got)
	}
}

// FuzzCampBody holds both parsers against encoding/json and net/url.
func FuzzCampBody(f *testing.F) {
	for _, seed := range []string{
		`{"uid":123,"envelope_id":"4294967419","a":[1,{"b":null}],"c":"\u0041\""}`, `uid=1&envelope_id=%32&a=b+c`,
		`{"uid":1,"uid":2}`, `{"uid":1e3}`, `{"\u0075id":"\u0031"}`, `{"a":-0.5E-7}`, `uid=1;b`, "", "{", `[1]`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		if len(body) > bodyBytesMax {
			return
		}
		want := oracle(bytes.Trim(body, " \t\r\n"))
		fields := bothFields()
		got := "error"
		if err := parseCampBody(body, fields); err == nil {
			got = told(fields, nil)
		}
		if got != want {
			t.Errorf("%q: got %q, want %q", body, got, want)
		}
	})
}

func oracle(body []byte) string {
	values, ok := url.Values{}, utf8.Valid(body)
	if len(body) > 0 && body[0] == '{' {
		ok = ok && json.Valid(body) && jsonValues(body, values)
	} else if parsed, err := url.ParseQuery(string(body)); err == nil {
		values = parsed
	} else {
		ok = false
	}
	var given []string
	for _, name := range []string{"uid", "envelope_id"} {
		texts, there := values[name]
		if !there {
			continue
		}
		n, err := strconv.ParseUint(texts[0], 10, 53)
		if len(texts) > 1 || err != nil || !plainDigits.MatchString(texts[0]) {
			ok = false
		}
		given = append(given, fmt.Sprintf("%s=%d", name, n))
	}
	if !ok {
		return "error"
	}
	return strings.Join(given, " ")
}

var plainDigits = regexp.MustCompile(`^(0|[1-9][0-9]*)$`)

// jsonValues collects the members of an object as texts; ok is false where a text hides something else.
func jsonValues(body []byte, values url.Values) (ok bool) {
	decoder := json.NewDecoder(bytes.NewReader(body))
	if _, err := decoder.Token(); err != nil {
		return false
	}
	for decoder.More() {
		name, err := decoder.Token()
		if err != nil {
			return false
		}
		var raw json.RawMessage
		if err := decoder.Decode(&raw); err != nil {
			return false
		}
		text := string(raw)
		if raw[0] == '"' && json.Unmarshal(raw, &text) != nil {
			return false
		}
		values.Add(name.(string), text)
	}
	return true
}
