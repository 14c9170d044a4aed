package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
)

// A server whose data were restored from an older copy, or are new, numbers its events anew from where these end.
func TestEventsOfAServerThatBeginsAnewAreTold(t *testing.T) {
	connections := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch connections++; connections {
		case 1:
			fmt.Fprint(w, "id: 1000\nevent: open\ndata: {}\n\n")
		case 2:
			fmt.Fprint(w, ":\n\nid: 0\n\nevent: progress\ndata: {}\n\nid: 1\nevent: created\ndata: {}\n\n:\n\nid: 1\nevent: created\ndata: {}\n\nid: 2\nevent: open\ndata: {}\n\n")
		default: // enough
			http.NotFound(w, r)
		}
	}))
	defer server.Close()
	client := &Client{URL: server.URL}
	var told []uint64
	for e, err := range client.Events(t.Context(), 0) {
		if err != nil {
			t.Fatalf("after %v: %v", told, err)
		}
		if told = append(told, e.ID); e.ID == 2 {
			break
		}
	}
	if fmt.Sprint(told) != "[1000 0 1 2]" {
		t.Errorf("%v", told)
	}
}
