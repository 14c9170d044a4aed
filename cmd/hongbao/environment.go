package main

import (
	"fmt"
	"os"
	"strings"

	"hongbao"
)

// environmentPrefix begins every variable of ours: HONGBAO_PLAYER__LISTEN sets player.listen.
const environmentPrefix = "HONGBAO_"

// readEnvironment reads settings from variables as [os.Environ] lists them, into a flat map by dotted path. A variable
// that ends in _FILE names a file that holds the value. One without "__" that is no setting is somebody else's.
func readEnvironment(environ []string, known keys) (map[string]any, error) {
	flat := map[string]any{}
	for _, entry := range environ {
		name, value, _ := strings.Cut(entry, "=")
		path, ours := strings.CutPrefix(name, environmentPrefix)
		if !ours {
			continue
		}
		key := strings.ToLower(strings.ReplaceAll(path, "__", "."))
		inFile, isFile := strings.CutSuffix(key, "_file")
		switch {
		case known.has(key):
		case isFile && known.has(inFile):
			text, err := os.ReadFile(value)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
			key, value = inFile, strings.TrimRight(string(text), "\r\n")
		case strings.Contains(path, "__"):
			return nil, fmt.Errorf("%s: %w", name, known.check(key))
		default:
			continue
		}
		if _, twice := flat[key]; twice {
			return nil, hongbao.Invalid(name, "(twice)", "given once, as it is or as a file")
		}
		flat[key] = value
	}
	return flat, nil
}
