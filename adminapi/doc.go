// Package adminapi is the admin port: campaigns, sign-ups, reports, the journal, audit, backup, health and metrics, on
// net/http's ServeMux with huma describing every operation. `/openapi.json` is the OpenAPI 3.1 document of both ports.
//
// It promises:
//
//   - Every request but `/healthz`, `/readyz`, the files of the console, its sign-in and a loopback peer's `/metrics` needs a
//     bearer token; what changes something needs the role operator. The token's name is the actor in the journal.
//   - Every error is RFC 9457 application/problem+json with `code` and `retryable`, from the one table in problem.go.
//   - Exports are streamed. One that fails after it began breaks the connection off, so that nobody takes a part for the
//     whole; one whose client has gone stops.
//
// huma routes and describes; it does not judge. Parameters and bodies reach the handlers as text and are read by the
// domain's own strict parsers, so that an error here is the same error that the config file gives.
//
// It does not hold state beyond a minute of counters for the rates in `/admin/v1/stats` and the one code and session of the
// console, each under a lock of its own.
package adminapi
