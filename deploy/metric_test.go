package deploy

import (
	"go/ast"
	goparser "go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/prometheus/promql/parser"
)

var promQL = parser.NewParser(parser.Options{})

// metricsOf are the names of the metrics that an expression selects.
func metricsOf(t *testing.T, expression string) (names []string) {
	t.Helper()
	parsed, err := promQL.ParseExpr(expression)
	if err != nil {
		t.Fatalf("%s: %v", expression, err)
	}
	parser.Inspect(parsed, func(node parser.Node, _ []parser.Node) error {
		if selector, ok := node.(*parser.VectorSelector); ok {
			names = append(names, selector.Name)
		}
		return nil
	})
	if len(names) == 0 {
		t.Errorf("%s: no metric is selected", expression)
	}
	return names
}

// matched are the values of a label that an expression asks for, of each alternative one.
func matched(t *testing.T, expression, label string) (values []string) {
	t.Helper()
	parsed, err := promQL.ParseExpr(expression)
	if err != nil {
		t.Fatalf("%s: %v", expression, err)
	}
	for _, selectors := range parser.ExtractSelectors(parsed) {
		for _, matcher := range selectors {
			if matcher.Name == label {
				values = append(values, strings.Split(matcher.Value, "|")...)
			}
		}
	}
	return values
}

// exported are the names of all metrics that a scrape of hongbao may bring: what Prometheus adds, what its client library
// collects, and what the product's sources name.
func exported(t *testing.T) map[string]bool {
	t.Helper()
	names := map[string]bool{"up": true}
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, family := range families {
		names[family.GetName()] = true
	}
	for _, dir := range []string{"adminapi", "playerapi", "gate", "live", "cluster", "cmd"} {
		for _, file := range sources(t, filepath.Join("..", dir)) {
			ast.Inspect(file, func(node ast.Node) bool {
				addMetrics(names, node)
				return true
			})
		}
	}
	return names
}

// sources are the files of Go below a folder, without tests; none where there is no such folder.
func sources(t *testing.T, dir string) (files []*ast.File) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if path == dir && err != nil {
			return fs.SkipAll
		}
		if err != nil || filepath.Ext(path) != ".go" || strings.HasSuffix(path, "_test.go") {
			return err
		}
		file, err := goparser.ParseFile(token.NewFileSet(), path, nil, 0)
		files = append(files, file)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// addMetrics adds what a piece of source names: Figure{Name: "x", Help: …}, describe("x", …), campaign("x", …) as in
// adminapi/metrics.go, and texts that begin with hongbao_, cluster_ or webhook_ themselves.
func addMetrics(names map[string]bool, node ast.Node) {
	switch node := node.(type) {
	case *ast.BasicLit:
		text := textOf(node)
		if strings.HasPrefix(text, "hongbao_") {
			names[text] = true
		}
		if strings.HasPrefix(text, "cluster_") || strings.HasPrefix(text, "webhook_") {
			names["hongbao_"+text] = true
		}
	case *ast.CallExpr:
		prefix := map[string]string{"describe": "hongbao_", "campaign": "hongbao_campaign_"}
		if function, ok := node.Fun.(*ast.Ident); ok && prefix[function.Name] != "" && len(node.Args) > 0 {
			names[prefix[function.Name]+textOf(node.Args[0])] = true
		}
	case *ast.CompositeLit:
		fields := map[string]ast.Expr{}
		for _, element := range node.Elts {
			if pair, ok := element.(*ast.KeyValueExpr); ok {
				if key, ok := pair.Key.(*ast.Ident); ok {
					fields[key.Name] = pair.Value
				}
			}
		}
		if fields["Name"] == nil || fields["Help"] == nil {
			return
		}
		name := "hongbao_" + textOf(fields["Name"])
		names[name] = true
		if fields["Times"] != nil {
			names[name+"_bucket"], names[name+"_sum"], names[name+"_count"] = true, true, true
		}
	}
}

func textOf(expression ast.Expr) string {
	if literal, ok := expression.(*ast.BasicLit); ok && literal.Kind == token.STRING {
		text, _ := strconv.Unquote(literal.Value)
		return text
	}
	return ""
}

func checkMetrics(t *testing.T, expression string, known map[string]bool) {
	t.Helper()
	for _, name := range metricsOf(t, expression) {
		if !known[name] {
			t.Errorf("nothing exports %s, which is in: %s", name, expression)
		}
	}
}
