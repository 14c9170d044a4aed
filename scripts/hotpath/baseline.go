package main

import (
	"fmt"
	"net"
	"net/http"

	"github.com/valyala/fasthttp"
)

// answer is as long as that of a win.
const answer = `{"code":0,"msg":"success","data":{"envelope_id":4294967419,"max_count":0,"cur_count":3}}`

// serveEmpty serves a handler that does nothing, and prints its address. It reads the body, as the real one does.
func serveEmpty(kind string) error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Println(listener.Addr())
	if kind == "fasthttp" {
		server := &fasthttp.Server{NoDefaultServerHeader: true, Handler: func(ctx *fasthttp.RequestCtx) {
			ctx.SetContentType("application/json")
			ctx.SetBodyString(answer)
		}}
		return server.Serve(listener)
	}
	return http.Serve(listener, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(answer))
	}))
}
