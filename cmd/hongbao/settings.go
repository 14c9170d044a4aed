package main

import (
	"encoding"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
	"github.com/knadh/koanf/maps"
	"github.com/knadh/koanf/v2"

	"hongbao"
)

// settings are what environment and config file say, the environment over the file. As a [kong.Resolver] they lie
// between the flags, which win, and the defaults.
type settings struct{ layers *koanf.Koanf }

// loadSettings reads the config file, if one is named, and then the environment, given as [os.Environ] does.
func loadSettings(known keys, file string, environ []string) (*settings, error) {
	s := &settings{layers: koanf.New(".")}
	if file != "" {
		flat, err := readConfigFile(file, known)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		if err := s.layers.Load(layer(flat), nil); err != nil {
			return nil, err
		}
	}
	flat, err := readEnvironment(environ, known)
	if err != nil {
		return nil, err
	}
	return s, s.layers.Load(layer(flat), nil)
}

// Validate is part of [kong.Resolver]; the keys were checked when they were read.
func (s *settings) Validate(*kong.Application) error { return nil }

// Resolve tells what is set for a flag, in a form that its type reads: a text or a list of texts. A command's own flag is
// no setting, even where a group of settings has its name: --admin.
func (s *settings) Resolve(_ *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
	if !isSetting(flag) {
		return nil, nil
	}
	value := s.layers.Get(flag.Name)
	_, structured := flag.Target.Addr().Interface().(encoding.TextUnmarshaler)
	list, isList := value.([]any)
	switch {
	case value == nil:
		return nil, nil
	case structured && isList:
		text, err := json.Marshal(list)
		if err != nil {
			return nil, fmt.Errorf("%s can't be said in JSON: %w", flag.Name, err)
		}
		return string(text), nil
	case isList && flag.IsSlice():
		return resolveList(flag.Name, list)
	}
	return resolveText(flag.Name, value)
}

func resolveList(key string, list []any) (any, error) {
	texts := make([]any, len(list))
	for i, element := range list {
		text, err := resolveText(fmt.Sprintf("%s[%d]", key, i), element)
		if err != nil {
			return nil, err
		}
		texts[i] = text
	}
	return texts, nil
}

func resolveText(key string, value any) (any, error) {
	switch value.(type) {
	case []any, map[string]any, nil:
		text, _ := json.Marshal(value)
		return nil, hongbao.Invalid(key, string(text), "a single value")
	}
	return fmt.Sprint(value), nil
}

// keys are the settings that there are, as dotted paths.
type keys []string

// keysOf lists the settings of the command line's model: the flags that are in the group of [Config].
func keysOf(app *kong.Application) keys {
	var known keys
	for _, flag := range app.Flags {
		if isSetting(flag) {
			known = append(known, flag.Name)
		}
	}
	return known
}

func isSetting(flag *kong.Flag) bool { return flag.Group != nil && flag.Group.Key == settingsGroup }

func (k keys) has(key string) bool { return slices.Contains(k, key) }

// hasBelow reports whether key is a group of settings.
func (k keys) hasBelow(key string) bool {
	return slices.ContainsFunc(k, func(known string) bool { return strings.HasPrefix(known, key+".") })
}

// check refuses a key that does not exist, naming the nearest.
func (k keys) check(key string) error {
	if k.has(key) {
		return nil
	}
	return fmt.Errorf("there is no setting %s (did you mean %s?)", key, k.nearest(key))
}

func (k keys) nearest(key string) string {
	return slices.MinFunc(k, func(a, b string) int {
		return hongbao.EditDistance(key, a) - hongbao.EditDistance(key, b)
	})
}

// layer is a flat map of settings as a [koanf.Provider].
type layer map[string]any

// Read is the layer as a tree.
func (l layer) Read() (map[string]any, error) { return maps.Unflatten(l, "."), nil }

// ReadBytes is not supported: a layer has been parsed.
func (l layer) ReadBytes() ([]byte, error) { return nil, errors.ErrUnsupported }
