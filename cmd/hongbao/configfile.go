package main

import (
	"bytes"
	"errors"
	"io"
	"maps"
	"os"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"hongbao"
)

// readConfigFile reads a YAML file into a flat map by dotted path, and checks its keys.
func readConfigFile(file string, known keys) (map[string]any, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, errors.Unwrap(err) // it names the file, as the caller does
	}
	var tree map[string]any
	if err := decodeYAML(text, &tree); err != nil {
		return nil, err
	}
	flat := map[string]any{}
	return flat, flatten("", tree, known, flat)
}

// flatten collects the leaves of the tree. A group that is left empty, as when all in it is commented out, says nothing.
func flatten(path string, tree map[string]any, known keys, flat map[string]any) error {
	for _, name := range slices.Sorted(maps.Keys(tree)) {
		value, key := tree[name], path+name
		group, isGroup := value.(map[string]any)
		switch {
		case known.has(key) && !strings.Contains(name, "."):
			flat[key] = value
		case known.hasBelow(key) && value == nil:
		case known.hasBelow(key) && isGroup:
			if err := flatten(key+".", group, known, flat); err != nil {
				return err
			}
		case known.hasBelow(key):
			return hongbao.Invalid(key, value, "a group of settings")
		case known.has(key):
			return hongbao.Invalid(key, "(with dots)", "written as nested groups")
		default:
			return known.check(key)
		}
	}
	return nil
}

// decodeYAML reads one YAML document strictly: a key given twice is an error. A time stays the text that it is, for
// hongbao to read as it reads JSON.
func decodeYAML(text []byte, into any) error {
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	var document yaml.Node
	if err := decoder.Decode(&document); errors.Is(err, io.EOF) {
		return nil
	} else if err != nil {
		return err
	}
	if err := decoder.Decode(&yaml.Node{}); !errors.Is(err, io.EOF) {
		return errors.New("more than one YAML document")
	}
	keepTimesText(&document)
	if err := document.Decode(into); err != nil {
		return err
	}
	return nil
}

func keepTimesText(node *yaml.Node) {
	if node.ShortTag() == "!!timestamp" {
		node.Tag = "!!str"
	}
	for _, child := range node.Content {
		keepTimesText(child)
	}
}
