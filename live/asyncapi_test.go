package live

import (
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"slices"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// The official schema accepts the document, and would not accept any.
func TestTheDocumentIsAsyncAPI(t *testing.T) {
	text, err := os.ReadFile("testdata/asyncapi-3.0.0.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	official, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	const url = "http://asyncapi.com/definitions/3.0.0/asyncapi.json"
	if err := compiler.AddResource(url, official); err != nil {
		t.Fatal(err)
	}
	schema, err := compiler.Compile(url)
	if err != nil {
		t.Fatal(err)
	}
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(AsyncAPI()))
	if err != nil {
		t.Fatal(err)
	}
	if err := schema.Validate(document); err != nil {
		t.Errorf("%#v", err)
	}
	operation := document.(map[string]any)["operations"].(map[string]any)["tellPlayers"].(map[string]any)
	operation["action"] = "tell"
	if schema.Validate(document) == nil {
		t.Error("an operation that neither sends nor receives is accepted")
	}
}

// Every event is a message of the channel and of its operation, and no other is.
func TestTheDocumentHasEveryEvent(t *testing.T) {
	type reference struct {
		Ref string `json:"$ref"`
	}
	var document struct {
		Channels struct {
			Events struct{ Messages map[string]reference }
		}
		Operations struct {
			TellPlayers struct{ Messages []reference }
		}
	}
	if err := json.Unmarshal(AsyncAPI(), &document); err != nil {
		t.Fatal(err)
	}
	want := []string{Campaign, Cancelled, Closed, Countdown, Created, Open, Paused, Progress, Resumed, Revised, SoldOut}
	slices.Sort(want)
	messages := document.Channels.Events.Messages
	if got := slices.Sorted(maps.Keys(messages)); !slices.Equal(got, want) {
		t.Errorf("the channel has %q, want %q", got, want)
	}
	sent := map[string]bool{}
	for _, m := range document.Operations.TellPlayers.Messages {
		sent[m.Ref] = true
	}
	for _, event := range want {
		if !sent["#/channels/events/messages/"+event] || messages[event].Ref != "#/components/messages/"+event {
			t.Errorf("%s is not where it should be", event)
		}
	}
	if len(sent) != len(want) {
		t.Errorf("the operation sends %d messages", len(sent))
	}
}
