package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"hongbao"
)

// Campaigns are the campaigns of the configuration.
type Campaigns []hongbao.Spec

// UnmarshalText reads a list in YAML, of which JSON is a part.
func (c *Campaigns) UnmarshalText(text []byte) (err error) {
	*c, err = decodeList[hongbao.Spec]("campaigns", text)
	return err
}

// validate finds a name that is given twice; the rest is checked where a campaign is created.
func (c Campaigns) validate() error {
	for i, spec := range c {
		if other := slices.IndexFunc(c, func(o hongbao.Spec) bool { return o.Name == spec.Name }); other < i {
			return hongbao.Invalid(fmt.Sprintf("campaigns[%d].name", i), spec.Name, fmt.Sprintf("another name than that of campaigns[%d]", other))
		}
	}
	return nil
}

// Tokens are the administrators' tokens of the configuration.
type Tokens []Token

// Token is one administrator's; its name is the actor of what it does.
type Token struct {
	Name      string `json:"name"`
	Role      string `json:"role"`
	Token     string `json:"token"`
	TokenFile string `json:"token_file"` // in place of token
}

// UnmarshalText reads a list in YAML, of which JSON is a part.
func (t *Tokens) UnmarshalText(text []byte) (err error) {
	*t, err = decodeList[Token]("admin.tokens", text)
	return err
}

// decodeList reads a YAML list of objects, each as strictly as the admin API reads JSON; errors name the field by its
// whole path, such as campaigns[0].budget.total_fen.
func decodeList[T any](key string, text []byte) ([]T, error) {
	var entries []any
	if err := decodeYAML(text, &entries); err != nil {
		return nil, fmt.Errorf("%s must be a list: %w", key, err)
	}
	list := make([]T, len(entries))
	for i, entry := range entries {
		path := fmt.Sprintf("%s[%d]", key, i)
		data, err := json.Marshal(entry)
		if err != nil {
			return nil, hongbao.Invalid(path, entry, "what JSON can say")
		}
		if err := hongbao.DecodeStrict(data, &list[i]); err != nil {
			return nil, below(path, err)
		}
	}
	return list, nil
}

// below puts a path in front of the field that err is about.
func below(path string, err error) error {
	var field *hongbao.FieldError
	switch {
	case !errors.As(err, &field):
		return fmt.Errorf("%s: %w", path, err)
	case field.Field == "body":
		return &hongbao.FieldError{Field: path, Value: field.Value, Allowed: field.Allowed}
	}
	return &hongbao.FieldError{Field: path + "." + field.Field, Value: field.Value, Allowed: field.Allowed}
}
