package adminapi

import (
	"encoding/json"
	"net/http"
	"reflect"

	"github.com/danielgtaylor/huma/v2"

	"hongbao/live"
)

// The tags that group operations in the document.
const (
	tagCampaigns = "campaigns"
	tagPlayers   = "players"
	tagBooks     = "books"
	tagServer    = "server"
	tagPlayer    = "player"
	tagCamp      = "camp"
)

// The names of the ways to tell who asks.
const (
	adminToken  = "admin_token"
	playerToken = "player_token"
	playerID    = "player_id"
)

func describeAPI(version string) huma.Config {
	config := huma.Config{
		OpenAPI: &huma.OpenAPI{
			OpenAPI: "3.1.0",
			Info: &huma.Info{
				Title: "hongbao", Version: version,
				Description: "A red-packet campaign server. Operations tagged player and camp are on the player port, all others on the " +
					"admin port. Amounts are integer fen; times are RFC 3339 in UTC; objects only ever gain fields.",
			},
			Components: &huma.Components{
				Schemas: newSchemas(),
				SecuritySchemes: map[string]*huma.SecurityScheme{
					adminToken:  {Type: "http", Scheme: "bearer", Description: "A token of the configuration, or that in <data>/admin.token"},
					playerToken: {Type: "http", Scheme: "bearer", BearerFormat: "JWT", Description: "With player.auth jwt; sub is the uid"},
					playerID:    {Type: "apiKey", In: "header", Name: "X-Player-Id", Description: "With player.auth trusted: the uid, from the gateway in front"},
				},
			},
			Tags: []*huma.Tag{
				{Name: tagCampaigns}, {Name: tagPlayers}, {Name: tagBooks}, {Name: tagServer}, {Name: tagWebhooks},
				{Name: tagPlayer, Description: "On the player port"},
				{Name: tagCamp, Description: "On the player port, for the many clients that speak it"},
			},
		},
		Formats:       huma.DefaultFormats,
		DefaultFormat: "application/json",
		Transformers:  []huma.Transformer{reshape},
	}
	config.AllowAdditionalPropertiesByDefault = true
	return config
}

// documentRoute describes what is not described yet and freezes the document.
func (s *Server) documentRoute() {
	document := s.api.OpenAPI()
	var text []byte
	s.handle(Viewer, huma.Operation{
		OperationID: "openapi", Method: http.MethodGet, Path: "/openapi.json", Tags: []string{tagServer},
		Summary:   "Read this document: OpenAPI 3.1 of both ports",
		Responses: streamOf(map[string]*huma.Schema{"application/openapi+json": {Type: huma.TypeObject}}),
	}, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/openapi+json")
		w.Write(text) // it fails only when the client has gone
	})
	s.asyncAPIRoute()
	s.describePlayerPort()
	text, err := json.Marshal(document)
	if err != nil {
		panic("adminapi: the OpenAPI document can't be written: " + err.Error())
	}
}

// asyncAPIRoute serves the document of what the server tells by itself, to whoever may read the one of what it answers.
func (s *Server) asyncAPIRoute() {
	s.handle(Viewer, huma.Operation{
		OperationID: "asyncapi", Method: http.MethodGet, Path: "/asyncapi.json", Tags: []string{tagServer},
		Summary:   "Read what the server tells by itself: AsyncAPI 3.0",
		Responses: streamOf(map[string]*huma.Schema{"application/asyncapi+json": {Type: huma.TypeObject}}),
	}, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/asyncapi+json")
		w.Write(live.AsyncAPI()) // it fails only when the client has gone
	})
}

// security tells what an operation of the admin port needs.
func security(role Role) []map[string][]string {
	if role == public {
		return []map[string][]string{{}}
	}
	return []map[string][]string{{adminToken: {string(role)}}}
}

// schemaOf refers to the schema of T.
func schemaOf[T any](s *Server) *huma.Schema {
	return s.api.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[T](), true, "")
}

// jsonBody is a request's body that looks like a T.
func jsonBody[T any](s *Server) *huma.RequestBody {
	return &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{"application/json": {Schema: schemaOf[T](s)}}}
}

// answerOf is a success that looks like a T, or a problem.
func answerOf[T any](s *Server, description string) map[string]*huma.Response {
	return map[string]*huma.Response{
		"200":     {Description: description, Content: map[string]*huma.MediaType{"application/json": {Schema: schemaOf[T](s)}}},
		"default": {Description: "A problem", Content: map[string]*huma.MediaType{problemType: {Schema: schemaOf[Problem](s)}}},
	}
}

// streamOf is a success in one of several media types.
func streamOf(kinds map[string]*huma.Schema) map[string]*huma.Response {
	content := map[string]*huma.MediaType{}
	for kind, schema := range kinds {
		content[kind] = &huma.MediaType{Schema: schema}
	}
	return map[string]*huma.Response{"200": {Description: http.StatusText(http.StatusOK), Content: content}}
}
