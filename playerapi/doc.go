// Package playerapi is the public port: /v1 and the camp API over fasthttp. It decides nothing: it reads a request, finds
// out who asks, calls [hongbao.Service] and writes the answer down.
//
// It promises that every input gets one of the documented answers: what a player sends never panics, never makes a 500
// and never reaches the engine unless it is valid. Errors are mapped to both APIs in one table, in problem.go. On the
// snatch path it uses no maps, no reflection and no formatting, and allocates nothing but the text of a key that the
// request brings. What fasthttp lends for a request is never kept after it.
//
// An order holds for every request: route, method, body and parameters, who asks, the service. It does not limit rates
// or terminate TLS. The player page and its files, which package web makes, are answered beside the API.
package playerapi
