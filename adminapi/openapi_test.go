package adminapi

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"hongbao"
)

// openAPI is what the tests read of the document.
type openAPI struct {
	OpenAPI string `json:"openapi"`
	Info    struct{ Title, Version string }
	Paths   map[string]map[string]struct {
		OperationID string                `json:"operationId"`
		Summary     string                `json:"summary"`
		Tags        []string              `json:"tags"`
		Security    []map[string][]string `json:"security"`
		Responses   map[string]any        `json:"responses"`
		Parameters  []struct{ Name, In string }
		RequestBody struct {
			Required bool           `json:"required"`
			Content  map[string]any `json:"content"`
		} `json:"requestBody"`
	} `json:"paths"`
	Components struct {
		Schemas map[string]schema `json:"schemas"`
	} `json:"components"`
}

type schema struct {
	Properties           map[string]map[string]any `json:"properties"`
	Required             []string                  `json:"required"`
	AdditionalProperties any                       `json:"additionalProperties"`
}

func (b *bed) document() (document openAPI) {
	b.t.Helper()
	a := b.get("/openapi.json").must(http.StatusOK).into(&document)
	if kind := a.header.Get("Content-Type"); kind != "application/openapi+json" {
		b.t.Errorf("content type %s", kind)
	}
	return document
}

func TestDocumentHasEveryRouteOfBothPorts(t *testing.T) {
	b := newBed(t)
	document := b.document()
	if document.OpenAPI != "3.1.0" || document.Info.Title != "hongbao" || document.Info.Version != "test" {
		t.Errorf("%+v", document.Info)
	}
	var got []string
	for path, operations := range document.Paths {
		for method, op := range operations {
			got = append(got, strings.ToUpper(method)+" "+path)
			if op.OperationID == "" || op.Summary == "" || len(op.Tags) != 1 || len(op.Security) == 0 || len(op.Responses) == 0 {
				t.Errorf("%s %s is not fully described: %+v", method, path, op)
			}
			for _, name := range regexp.MustCompile(`\{(\w+)\}`).FindAllString(path, -1) {
				name = strings.Trim(name, "{}")
				if !slices.ContainsFunc(op.Parameters, func(p struct{ Name, In string }) bool { return p.Name == name && p.In == "path" }) {
					t.Errorf("%s %s: the parameter %s is not described", method, path, name)
				}
			}
			if kinds := op.RequestBody.Content; kinds["application/octet-stream"] != nil {
				t.Errorf("%s %s: %v", method, path, kinds)
			}
		}
	}
	want := []string{
		"POST /admin/v1/campaigns", "GET /admin/v1/campaigns", "GET /admin/v1/campaigns/{id}", "PATCH /admin/v1/campaigns/{id}",
		"POST /admin/v1/campaigns/{id}/cancel", "POST /admin/v1/campaigns/{id}/signups", "GET /admin/v1/campaigns/{id}/winners.csv",
		"GET /admin/v1/campaigns/{id}/report", "GET /admin/v1/players/{uid}/wallet", "GET /admin/v1/players/{uid}/history",
		"GET /admin/v1/gate", "PATCH /admin/v1/gate", "POST /admin/v1/campaigns/preview", "POST /admin/v1/campaigns/{id}/preview",
		"POST /admin/v1/session", "GET /admin/v1/session", "DELETE /admin/v1/session",
		"GET /admin/v1/webhooks", "GET /admin/v1/webhooks/{name}", "PUT /admin/v1/webhooks/{name}", "DELETE /admin/v1/webhooks/{name}",
		"POST /admin/v1/webhooks/{name}/test", "POST /admin/v1/webhooks/{name}/replay",
		"GET /admin/v1/journal", "POST /admin/v1/audit", "GET /admin/v1/stats", "POST /admin/v1/backup",
		"GET /healthz", "GET /readyz", "GET /metrics", "GET /debug/pprof/", "GET /debug/pprof/{profile}", "GET /openapi.json", "GET /asyncapi.json",
		"POST /v1/campaigns/{id}/snatch", "POST /v1/envelopes/{id}/open", "GET /v1/wallet", "PUT /v1/campaigns/{id}/signup", "POST /v1/campaigns/{id}/ticket",
		"GET /v1/campaigns", "GET /v1/campaigns/{id}", "GET /v1/events", "POST /snatch", "POST /open", "POST /get_wallet_list",
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("documented:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// Every documented operation of the admin port is one that the mux takes, and the player port's are none.
func TestDocumentedRoutesAreTheMuxs(t *testing.T) {
	b := newBed(t)
	for path, operations := range b.document().Paths {
		for method, op := range operations {
			request := httptest.NewRequest(strings.ToUpper(method), strings.NewReplacer("{", "", "}", "").Replace(path), nil)
			_, pattern := b.server.mux.Handler(request)
			onPlayerPort := op.Tags[0] == tagPlayer || op.Tags[0] == tagCamp
			if (pattern == "") != onPlayerPort {
				t.Errorf("%s %s has the tag %s and the route %q", method, path, op.Tags[0], pattern)
			}
		}
	}
}

func TestEveryReferenceResolves(t *testing.T) {
	b := newBed(t)
	var document any
	b.get("/openapi.json").into(&document)
	references := 0
	var walk func(any)
	walk = func(node any) {
		switch node := node.(type) {
		case map[string]any:
			if reference, ok := node["$ref"].(string); ok {
				references++
				if resolve(document, reference) == nil {
					t.Errorf("%s leads nowhere", reference)
				}
			}
			for _, child := range node {
				walk(child)
			}
		case []any:
			for _, child := range node {
				walk(child)
			}
		}
	}
	walk(document)
	if references < 30 {
		t.Errorf("only %d references", references)
	}
}

func resolve(document any, reference string) any {
	path, local := strings.CutPrefix(reference, "#/")
	if !local {
		return nil
	}
	for _, key := range strings.Split(path, "/") {
		object, _ := document.(map[string]any)
		document = object[key]
	}
	return document
}

// The structs that describe a spec and a patch are written by hand: they must not drift from what is read.
func TestBodiesAreDescribedAsTheyAreRead(t *testing.T) {
	b := newBed(t)
	schemas := b.document().Components.Schemas
	for _, row := range []struct {
		name string
		read any
	}{
		{"CampaignSpec", hongbao.Spec{}},
		{"BudgetSpec", hongbao.BudgetSpec{}},
		{"CampaignPatch", hongbao.Patch{}},
		{"BudgetPatch", hongbao.BudgetPatch{}},
	} {
		described, read := schemas[row.name], reflect.TypeOf(row.read)
		if described.AdditionalProperties != false {
			t.Errorf("%s takes unknown keys", row.name)
		}
		for i := range read.NumField() {
			key, options, _ := strings.Cut(read.Field(i).Tag.Get("json"), ",")
			property := described.Properties[key]
			if property == nil || slices.Contains(described.Required, key) != (options == "") {
				t.Errorf("%s.%s is %v, required %v", row.name, key, property, described.Required)
			}
		}
		if len(described.Properties) != read.NumField() {
			t.Errorf("%s describes %d keys", row.name, len(described.Properties))
		}
	}
	spec := schemas["CampaignSpec"].Properties
	for key, want := range map[string]string{
		"kind":     `{"description":"The preset that what is left out is taken from","enum":["rain","bomb"],"type":"string"}`,
		"pace":     `{"default":"none","enum":["none","linear"],"type":"string"}`,
		"open_for": `{"default":"24h","description":"How long after closes_at an envelope can be opened: 1m to 2160h","type":"string"}`,
		"chance":   `{"default":1,"description":"Of a snatch to win; at most 9 decimal places","exclusiveMinimum":0,"format":"double","maximum":1,"type":"number"}`,
	} {
		if got, _ := json.Marshal(spec[key]); string(got) != want {
			t.Errorf("%s: %s", key, got)
		}
	}
}

// Answers are described by the very structs that are encoded; this is about the types of the domain in them.
func TestAnswersAreDescribedAsTheyAreTold(t *testing.T) {
	b := played(t)
	schemas := b.document().Components.Schemas
	for name, path := range map[string]string{
		"Campaign": "/admin/v1/campaigns/1", "CampaignReport": "/admin/v1/campaigns/1/report", "PlayerWallet": "/admin/v1/players/7/wallet",
		"PlayerHistory": "/admin/v1/players/7/history", "Stats": "/admin/v1/stats", "CampaignPage": "/admin/v1/campaigns",
	} {
		var told map[string]any
		b.get(path).must(http.StatusOK).into(&told)
		described := schemas[name]
		for key, value := range told {
			property := described.Properties[key]
			if property == nil {
				t.Errorf("%s tells %s, which is not described", path, key)
				continue
			}
			if kind := fmt.Sprint(property["type"]); property["$ref"] == nil && !strings.Contains(kindsOf(value), kind) {
				t.Errorf("%s: %s is %v, described as %s", path, key, value, kind)
			}
		}
		for _, key := range described.Required {
			if _, ok := told[key]; !ok {
				t.Errorf("%s does not tell %s, which is required", path, key)
			}
		}
	}
}

// kindsOf are the JSON schema types that a value can have.
func kindsOf(value any) string {
	switch value.(type) {
	case string:
		return "string"
	case bool:
		return "boolean"
	case float64:
		return "integer number"
	case []any:
		return "array"
	}
	return "object"
}
