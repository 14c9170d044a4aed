package adminapi

import (
	"net/http"
	"testing"
)

func TestTheDocumentOfEventsIsServed(t *testing.T) {
	b := newBed(t)
	var document struct {
		AsyncAPI string                    `json:"asyncapi"`
		Channels map[string]map[string]any `json:"channels"`
	}
	a := b.get("/asyncapi.json").must(http.StatusOK).into(&document)
	if kind := a.header.Get("Content-Type"); kind != "application/asyncapi+json" {
		t.Errorf("content type %s", kind)
	}
	if document.AsyncAPI != "3.0.0" || document.Channels["events"]["address"] != "/v1/events" {
		t.Errorf("%+v", document)
	}
	b.ask("GET", "/asyncapi.json", "", "Authorization: ").must(http.StatusUnauthorized)
}
