package bench

import (
	"bytes"
	"strconv"

	"github.com/valyala/fasthttp"
)

// campAnswer is the envelope that all answers of the camp API come in.
type campAnswer struct {
	code int64
	msg  string
	data bool // there is a data field
}

// parseCamp reads an answer of the camp API; data is called at the value of its data field.
func parseCamp(body []byte, data func(s *scanner)) (campAnswer, error) {
	answer := campAnswer{code: -1}
	err := parse(body, func(s *scanner, name []byte) {
		switch string(name) {
		case "code":
			answer.code = s.integer()
		case "msg":
			answer.msg = string(s.text())
		case "data":
			answer.data = true
			if data == nil {
				s.fail("no data beside this code")
				return
			}
			data(s)
		default:
			s.fail("code, msg or data")
		}
	})
	return answer, err
}

// campBody makes {"uid":1} or {"uid":1,"envelope_id":2} the body of the request.
func (x exchange) campBody(uid, envelope uint64) {
	var buffer [64]byte
	b := strconv.AppendUint(append(buffer[:0], `{"uid":`...), uid, 10)
	if envelope != 0 {
		b = strconv.AppendUint(append(b, `,"envelope_id":`...), envelope, 10)
	}
	x.request.Header.SetContentType("application/json")
	x.request.SetBody(append(b, '}'))
}

// campBytes writes an answer as the contract shows it: keys in their order, without spaces. An answer that was read is
// written again and compared, so that clients that look for bytes are served too.
func campBytes(answer campAnswer, data []byte) []byte {
	b := strconv.AppendInt([]byte(`{"code":`), answer.code, 10)
	b = append(append(append(b, `,"msg":"`...), answer.msg...), '"')
	if answer.data {
		b = append(append(b, `,"data":`...), data...)
	}
	return append(b, '}')
}

// checkCampBytes reports an answer that is not byte for byte what the contract shows.
func checkCampBytes(response *fasthttp.Response, answer campAnswer, data []byte) (Result, bool) {
	if want := campBytes(answer, data); !bytes.Equal(response.Body(), want) {
		return wrong("the answer is %q, not %q", shorten(response.Body()), shorten(want)), false
	}
	return Result{}, true
}
