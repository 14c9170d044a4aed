package webhook

import (
	"bytes"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"hongbao"
	"hongbao/live"
)

// The document of what the server tells has every webhook, and what is sent is as it says.
func TestWebhooksAreAsTheDocumentSays(t *testing.T) {
	text, err := os.ReadFile("../asyncapi.json")
	if err != nil {
		t.Fatal(err)
	}
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource("http://hongbao/asyncapi.json", document); err != nil {
		t.Fatal(err)
	}
	const at = hongbao.Time(1_800_000_000_000)
	notice := `{"id":17,"event":"sold_out","data":{"campaign_id":"1","server_time":"2027-02-05T12:00:00.012Z","name":"rain","kind":"rain","phase":"open",` +
		`"opens_at":"2027-02-05T12:00:00Z","closes_at":"2027-02-05T12:10:00Z","left":0,"revision":3}}`
	envelope := hongbao.Event{At: at, Campaign: 1, Envelope: hongbao.NewEnvelopeID(1, 7), UID: 7, AmountFen: 50, Wins: 1, ExpiresAt: at + 1, BalanceFen: 50}
	kind := func(k hongbao.EventKind) *hongbao.Event {
		e := envelope
		e.Kind = k
		return &e
	}
	bodies := map[string][]byte{"WebhookTest": encode(envelopeOfTest(at))}
	for schema, e := range map[string]*hongbao.Event{
		"WebhookWon": kind(hongbao.EnvelopeWon), "WebhookOpened": kind(hongbao.EnvelopeOpened), "WebhookRefunded": kind(hongbao.EnvelopeRefunded),
		"WebhookCampaign": {Kind: hongbao.SystemRecorded, At: at, Name: "live.17", Data: []byte(notice)},
	} {
		n, ok := noticeOf(e)
		if !ok {
			t.Fatalf("%s is not told", schema)
		}
		bodies[schema] = itemOf(hongbao.Entry{ID: "1.0", Event: e}, n).body
	}
	for name, body := range bodies {
		schema, err := compiler.Compile("http://hongbao/asyncapi.json#/components/schemas/" + name)
		if err != nil {
			t.Fatal(err)
		}
		sent, err := jsonschema.UnmarshalJSON(bytes.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(sent); err != nil {
			t.Errorf("%s: %s: %v", name, body, err)
		}
		delete(sent.(map[string]any)["data"].(map[string]any), firstKey(sent))
		if schema.Validate(sent) == nil {
			t.Errorf("%s accepts %v", name, sent)
		}
	}
	schemas := document.(map[string]any)["components"].(map[string]any)["schemas"].(map[string]any)
	types := schemas["WebhookCampaign"].(map[string]any)["properties"].(map[string]any)["type"].(map[string]any)["enum"].([]any)
	var documented []string
	for _, event := range types {
		documented = append(documented, event.(string))
	}
	if !slices.Equal(documented, live.Events()) {
		t.Errorf("the document has %v; sent are %v", documented, live.Events())
	}
}

func envelopeOfTest(at hongbao.Time) envelope { return envelope{eventTest, at, testData{"crm", "ann"}} }

// firstKey is a key of the data that must be there.
func firstKey(body any) string {
	var keys []string
	for key := range body.(map[string]any)["data"].(map[string]any) {
		keys = append(keys, key)
	}
	return slices.MinFunc(keys, strings.Compare)
}
