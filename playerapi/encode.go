package playerapi

import (
	"encoding/json"
	"strconv"

	"github.com/valyala/fasthttp"

	"hongbao"
)

// bodyBytesKept is the largest answer whose buffer a connection keeps for the next.
const bodyBytesKept = 16 << 10

// begin lends the response's own buffer for appending; [answer] gives it back.
func begin(ctx *fasthttp.RequestCtx) []byte { return ctx.Response.SwapBody(nil)[:0] }

// answer sends a body that was appended to what [begin] lent.
func answer(ctx *fasthttp.RequestCtx, status int, contentType string, body []byte) {
	ctx.SetStatusCode(status)
	ctx.SetContentType(contentType)
	if cap(body) > bodyBytesKept {
		ctx.Response.SetBodyRaw(body)
		return
	}
	ctx.Response.SwapBody(body)
}

func answerJSON(ctx *fasthttp.RequestCtx, body []byte) {
	answer(ctx, fasthttp.StatusOK, "application/json", body)
}

// appendID appends an id as /v1 writes them: as a string, for JavaScript.
func appendID(b []byte, id uint64) []byte {
	b = append(b, '"')
	b = strconv.AppendUint(b, id, 10)
	return append(b, '"')
}

func appendTime(b []byte, t hongbao.Time) []byte {
	b = append(b, '"')
	b = t.Append(b)
	return append(b, '"')
}

// appendText appends a JSON string. Plain text, such as keys that the server made, is copied.
func appendText(b []byte, text string) []byte {
	for _, c := range []byte(text) {
		if c < ' ' || c > '~' || c == '"' || c == '\\' {
			return appendJSON(b, text)
		}
	}
	b = append(b, '"')
	b = append(b, text...)
	return append(b, '"')
}

// appendJSON appends what encoding/json makes of a value of the domain.
func appendJSON(b []byte, value any) []byte {
	data, err := json.Marshal(value)
	if err != nil {
		panic("playerapi: a value of the domain can't be written: " + err.Error())
	}
	return append(b, data...)
}
