package hongbao

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"reflect"
	"slices"
	"strings"
	"unicode/utf8"
)

// DecodeStrict reads one JSON object into the struct that into points to. It is encoding/json with what people who
// write configuration need: unknown and duplicate keys, wrong types and bad values are [FieldError] values with the
// field's whole path, and an unknown key names the nearest known one.
func DecodeStrict(data []byte, into any) error {
	if !utf8.Valid(data) {
		return Invalid("body", "(bytes)", "UTF-8")
	}
	if err := decodeValue("", data, reflect.ValueOf(into).Elem()); err != nil {
		return err
	}
	return nil
}

func decodeValue(path string, data []byte, into reflect.Value) error {
	_, custom := into.Addr().Interface().(json.Unmarshaler)
	switch {
	case into.Kind() == reflect.Pointer && string(bytes.TrimSpace(data)) != "null":
		into.Set(reflect.New(into.Type().Elem()))
		return decodeValue(path, data, into.Elem())
	case into.Kind() == reflect.Struct && !custom:
		return decodeObject(path, data, into)
	}
	err := json.Unmarshal(data, into.Addr().Interface())
	return nameField(path, data, into.Type(), err)
}

func decodeObject(path string, data []byte, into reflect.Value) error {
	decoder := json.NewDecoder(bytes.NewReader(data))
	if token, err := decoder.Token(); err != nil || token != json.Delim('{') {
		return Invalid(orBody(path), string(data), "a JSON object")
	}
	fields := fieldsOf(into)
	seen := map[string]bool{}
	for decoder.More() {
		token, err := decoder.Token()
		if err != nil {
			return Invalid(orBody(path), err, "valid JSON")
		}
		key, _ := token.(string)
		field, known := fields[key]
		if !known {
			return Invalid(orBody(join(path, key)), "(unknown key)", "a known key"+nearest(key, fields))
		}
		if seen[key] {
			return Invalid(join(path, key), "(twice)", "given once")
		}
		seen[key] = true
		var raw json.RawMessage
		if err := decoder.Decode(&raw); err != nil {
			return Invalid(join(path, key), err, "valid JSON")
		}
		if err := decodeValue(join(path, key), raw, field); err != nil {
			return err
		}
	}
	if _, err := decoder.Token(); err != nil {
		return Invalid(orBody(path), err, "valid JSON")
	}
	if _, err := decoder.Token(); err != io.EOF {
		return Invalid(orBody(path), "(more after it)", "one JSON object")
	}
	return nil
}

// nameField turns an error of encoding/json or of a value's own UnmarshalJSON into one that has the field's path.
func nameField(path string, data []byte, kind reflect.Type, err error) error {
	if err == nil {
		return nil
	}
	var field *FieldError
	if errors.As(err, &field) {
		return &FieldError{Field: path, Value: field.Value, Allowed: field.Allowed}
	}
	return Invalid(path, string(data), describe(kind))
}

func describe(kind reflect.Type) string {
	if kind == reflect.TypeFor[Duration]() {
		return durationAllowed
	}
	switch kind.Kind() {
	case reflect.Bool:
		return "true or false"
	case reflect.String:
		return "a string"
	case reflect.Int, reflect.Int32, reflect.Int64:
		return "a whole number"
	case reflect.Uint, reflect.Uint32, reflect.Uint64:
		return "a whole number that is not negative"
	case reflect.Slice:
		return "a list"
	}
	return "a " + kind.String()
}

func fieldsOf(object reflect.Value) map[string]reflect.Value {
	fields := map[string]reflect.Value{}
	for i := range object.NumField() {
		name, _, _ := strings.Cut(object.Type().Field(i).Tag.Get("json"), ",")
		if name != "" && name != "-" {
			fields[name] = object.Field(i)
		}
	}
	return fields
}

// nearest is a hint at the known key that is the fewest edits away, or the list of all when none is near.
func nearest(key string, fields map[string]reflect.Value) string {
	best, distance := "", 1+len(key)/2
	for name := range fields {
		if d := EditDistance(key, name); d < distance || d == distance && best != "" && name < best {
			best, distance = name, d
		}
	}
	if best == "" {
		return ": " + strings.Join(slices.Sorted(maps.Keys(fields)), ", ")
	}
	return fmt.Sprintf(" (did you mean %s?)", best)
}

// EditDistance is the Levenshtein distance between two short strings, in bytes.
func EditDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

func orBody(path string) string {
	if path == "" {
		return "body"
	}
	return path
}
