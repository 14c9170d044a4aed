package systemtest

import (
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// importMap is which packages of the module a package may import. Data flows one way: from the ports down to the domain,
// which imports nothing but the standard library.
var importMap = map[string][]string{
	"hongbao":                      {},
	"hongbao/embedded":             {"hongbao", "hongbao/embedded/journal"},
	"hongbao/embedded/journal":     {},
	"hongbao/cluster":              {"hongbao", "hongbao/cluster/ledger", "hongbao/cluster/topic"},
	"hongbao/cluster/ledger":       {"hongbao"},
	"hongbao/cluster/topic":        {"hongbao"},
	"hongbao/gate":                 {"hongbao"},
	"hongbao/live":                 {"hongbao"},
	"hongbao/live/webhook":         {"hongbao", "hongbao/live"},
	"hongbao/web":                  {},
	"hongbao/playerapi":            {"hongbao", "hongbao/gate", "hongbao/live", "hongbao/web"},
	"hongbao/adminapi":             {"hongbao", "hongbao/audit", "hongbao/gate", "hongbao/live", "hongbao/live/webhook", "hongbao/web"},
	"hongbao/audit":                {"hongbao"},
	"hongbao/bench":                {"hongbao", "hongbao/audit", "hongbao/gate"},
	"hongbao/enginetest":           {"hongbao"},
	"hongbao/examples/go":          {},
	"hongbao/systemtest":           {"hongbao", "hongbao/audit", "hongbao/bench"},
	"hongbao/scripts/machine":      {},
	"hongbao/scripts/hotpath":      {"hongbao", "hongbao/embedded", "hongbao/scripts/machine"},
	"hongbao/scripts/clusterbench": {"hongbao", "hongbao/bench", "hongbao/scripts/machine"},
	"hongbao/scripts/livebench":    {"hongbao/scripts/machine"},
	"hongbao/scripts/gatebench":    {"hongbao", "hongbao/bench", "hongbao/gate", "hongbao/scripts/machine"},
	"hongbao/cmd/hongbao":          {"hongbao", "hongbao/adminapi", "hongbao/audit", "hongbao/bench", "hongbao/cluster", "hongbao/embedded", "hongbao/gate", "hongbao/live", "hongbao/live/webhook", "hongbao/playerapi"},
}

func TestImportsFollowTheMap(t *testing.T) {
	imports := importsOf(t)
	for _, importer := range slices.Sorted(maps.Keys(imports)) {
		allowed, known := importMap[importer]
		if !known {
			t.Errorf("%s is not in the map of imports: say in systemtest/importmap_test.go what it may import", importer)
			continue
		}
		for _, imported := range slices.Sorted(maps.Keys(imports[importer])) {
			switch {
			case isOfModule(imported) && !slices.Contains(allowed, imported):
				t.Errorf("%s imports %s; of this module it may import only %q", importer, imported, allowed)
			case importer == "hongbao" && !isOfModule(imported) && !isStandard(imported):
				t.Errorf("the domain imports %s; it may import only the standard library", imported)
			case importer == "hongbao/examples/go" && !isStandard(imported):
				t.Errorf("the example imports %s; whoever copies it should need only the standard library", imported)
			}
		}
	}
	for _, named := range slices.Sorted(maps.Keys(importMap)) {
		if imports[named] == nil {
			t.Errorf("%s is in the map of imports, and there is no such package", named)
		}
	}
}

func isOfModule(path string) bool { return path == "hongbao" || strings.HasPrefix(path, "hongbao/") }

func isStandard(path string) bool {
	first, _, _ := strings.Cut(path, "/")
	return !strings.Contains(first, ".")
}

// importsOf is what each package imports, outside of its tests.
func importsOf(t *testing.T) map[string]map[string]bool {
	t.Helper()
	imports := map[string]map[string]bool{}
	for _, s := range sources(t) {
		if s.test {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), s.path, s.text, parser.ImportsOnly)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(s.text, "//go:build ignore\n") {
			continue
		}
		if imports[s.importPath] == nil {
			imports[s.importPath] = map[string]bool{}
		}
		for _, i := range file.Imports {
			imported, err := strconv.Unquote(i.Path.Value)
			if err != nil {
				t.Fatal(err)
			}
			imports[s.importPath][imported] = true
		}
	}
	return imports
}

// source is a file of Go.
type source struct {
	path       string // from the repository on
	importPath string // of its package
	test       bool
	text       string
}

// sources are all files of Go in the repository.
func sources(t *testing.T) (found []source) {
	t.Helper()
	root := repository(t, ".")
	err := filepath.WalkDir(root, func(file string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && (strings.HasPrefix(entry.Name(), ".") || entry.Name() == "testdata"):
			return fs.SkipDir
		case filepath.Ext(file) != ".go":
			return nil
		}
		relative, err := filepath.Rel(root, file)
		if err != nil {
			return err
		}
		relative = filepath.ToSlash(relative)
		found = append(found, source{
			path: relative, importPath: path.Join("hongbao", path.Dir(relative)),
			test: strings.HasSuffix(relative, "_test.go"), text: read(t, file),
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}
