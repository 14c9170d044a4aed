package bench

import (
	"net"
	"testing"

	"github.com/valyala/fasthttp"
	"github.com/valyala/fasthttp/fasthttputil"

	"hongbao"
)

// canned is a server that gives every request the same answer.
type canned struct {
	status      int
	contentType string
	header      [2]string
	body        string
}

func (c canned) client(t testing.TB, api string) *Client {
	t.Helper()
	listener := fasthttputil.NewInmemoryListener()
	server := &fasthttp.Server{NoDefaultContentType: true, Handler: func(ctx *fasthttp.RequestCtx) {
		ctx.SetStatusCode(c.status)
		ctx.SetContentType(c.contentType)
		if c.header[0] != "" {
			ctx.Response.Header.Set(c.header[0], c.header[1])
		}
		ctx.SetBodyString(c.body)
	}}
	go server.Serve(listener)
	client, err := NewClient(ClientOptions{URL: "http://in.memory", API: api})
	if err != nil {
		t.Fatal(err)
	}
	client.http.Dial = func(string) (net.Conn, error) { return listener.Dial() }
	t.Cleanup(func() { client.Close(); listener.Close() })
	return client
}

const (
	wonV1    = `{"status":"won","campaign_id":"1","envelope_id":"4294967301","wins":1,"wins_max":5,"receipt":"0123456789012345678901234567890123456789012"}`
	missedV1 = `{"status":"missed","wins":0,"wins_max":5,"key":"made"}`
	problem  = "application/problem+json"
)

func TestAnswersMeanWhatTheContractSays(t *testing.T) {
	for _, row := range []struct {
		name    string
		api     string
		answer  canned
		outcome Outcome
		label   string
	}{
		{"a win", V1, canned{status: 200, body: wonV1}, Answered, "won"},
		{"with fields of a later version", V1, canned{status: 200, body: `{"later":[1],` + wonV1[1:]}, Answered, "won"},
		{"of another campaign", V1, canned{status: 200, body: `{"status":"won","campaign_id":"2","envelope_id":"8589934592","wins":1,"wins_max":5,"receipt":"0123456789012345678901234567890123456789012"}`}, Wrong, "wrong"},
		{"without a receipt", V1, canned{status: 200, body: `{"status":"won","campaign_id":"1","envelope_id":"4294967301","wins":1,"wins_max":5}`}, Wrong, "wrong"},
		{"whose id is a number", V1, canned{status: 200, body: `{"status":"won","campaign_id":1,"envelope_id":4294967301,"wins":1,"wins_max":5}`}, Wrong, "wrong"},
		{"a key for a request that had one", V1, canned{status: 200, body: missedV1}, Wrong, "wrong"},
		{"sold out, not asking the engine", V1, canned{status: 200, body: `{"status":"sold_out","wins_max":5}`}, Answered, "sold_out"},
		{"a refusal without wins_max", V1, canned{status: 200, body: `{"status":"sold_out"}`}, Wrong, "wrong"},
		{"of another content type", V1, canned{status: 200, contentType: "text/html", body: wonV1}, Wrong, "wrong"},
		{"busy", V1, canned{503, problem, [2]string{"Retry-After", "1"}, `{"code":"busy","retryable":true}`}, Busy, "busy"},
		{"busy without Retry-After", V1, canned{status: 503, contentType: problem, body: `{"code":"busy","retryable":true}`}, Wrong, "wrong"},
		{"unknown", V1, canned{status: 504, contentType: problem, body: `{"code":"unknown","retryable":true,"key":"k"}`}, Unknown, "unknown"},
		{"unknown that is not retryable", V1, canned{status: 504, contentType: problem, body: `{"code":"unknown","retryable":false}`}, Wrong, "wrong"},
		{"unauthorised", V1, canned{status: 401, contentType: problem, body: `{"code":"unauthorised","retryable":false}`}, Refused, "unauthorised"},
		{"too fast", V1, canned{429, problem, [2]string{"Retry-After", "1"}, `{"code":"too_fast","retryable":true}`}, Busy, "too_fast"},
		{"too fast without Retry-After", V1, canned{status: 429, contentType: problem, body: `{"code":"too_fast","retryable":true}`}, Wrong, "wrong"},
		{"read-only", V1, canned{503, problem, [2]string{"Retry-After", "1"}, `{"code":"read_only","retryable":true}`}, Busy, "read_only"},
		{"denied", V1, canned{status: 403, contentType: problem, body: `{"code":"denied","retryable":false}`}, Barred, "denied"},
		{"without a ticket", V1, canned{status: 403, contentType: problem, body: `{"code":"ticket_required","retryable":false}`}, Barred, "ticket_required"},
		{"a ticket that does not hold", V1, canned{status: 403, contentType: problem, body: `{"code":"ticket_invalid","retryable":false}`}, Barred, "ticket_invalid"},
		{"an internal error", V1, canned{status: 500, contentType: problem, body: `{"code":"internal","retryable":false}`}, Wrong, "wrong"},
		{"an error that is no problem", V1, canned{status: 503, contentType: "text/plain", body: `busy`}, Wrong, "wrong"},
		{"a win", Camp, canned{status: 200, body: `{"code":0,"msg":"success","data":{"envelope_id":4294967419,"max_count":5,"cur_count":3}}`}, Answered, "won"},
		{"with a space", Camp, canned{status: 200, body: `{"code":0, "msg":"success","data":{"envelope_id":4294967419,"max_count":5,"cur_count":3}}`}, Wrong, "wrong"},
		{"with keys in another order", Camp, canned{status: 200, body: `{"code":0,"msg":"success","data":{"envelope_id":4294967419,"cur_count":3,"max_count":5}}`}, Wrong, "wrong"},
		{"with data where none belongs", Camp, canned{status: 200, body: `{"code":4,"msg":"sold out","data":{}}`}, Wrong, "wrong"},
		{"limit reached", Camp, canned{status: 200, body: `{"code":2,"msg":"limit reached","data":{"cur_count":5,"max_count":5}}`}, Answered, "limit_reached"},
		{"a miss", Camp, canned{status: 200, body: `{"code":3,"msg":"missed"}`}, Answered, "missed"},
		{"paused", Camp, canned{status: 200, body: `{"code":5,"msg":"paused"}`}, Answered, "paused"},
		{"words of another code", Camp, canned{status: 200, body: `{"code":4,"msg":"paused"}`}, Wrong, "wrong"},
		{"busy", Camp, canned{status: 200, body: `{"code":9,"msg":"busy"}`}, Busy, "busy"},
		{"unknown", Camp, canned{status: 200, body: `{"code":12,"msg":"unknown"}`}, Unknown, "unknown"},
		{"too fast", Camp, canned{status: 200, body: `{"code":6,"msg":"too fast"}`}, Busy, "too_fast"},
		{"read-only", Camp, canned{status: 200, body: `{"code":9,"msg":"read only"}`}, Busy, "read_only"},
		{"denied", Camp, canned{status: 401, body: `{"code":11,"msg":"denied"}`}, Barred, "denied"},
		{"without a ticket", Camp, canned{status: 200, body: `{"code":13,"msg":"ticket required"}`}, Barred, "ticket_required"},
		{"a ticket that does not hold", Camp, canned{status: 200, body: `{"code":13,"msg":"ticket invalid"}`}, Barred, "ticket_invalid"},
		{"words that no code has", Camp, canned{status: 200, body: `{"code":9,"msg":"nothing happened"}`}, Wrong, "wrong"},
		{"unauthorised", Camp, canned{status: 401, body: `{"code":11,"msg":"unauthorised"}`}, Refused, "unauthorised"},
		{"an undocumented code", Camp, canned{status: 200, body: `{"code":99,"msg":"?"}`}, Wrong, "wrong"},
	} {
		t.Run(row.api+" "+row.name, func(t *testing.T) {
			if row.answer.contentType == "" {
				row.answer.contentType = "application/json"
			}
			answer := row.answer.client(t, row.api).Snatch(Snatch{UID: 7, Campaign: 1, Key: "k"})
			if answer.Outcome != row.outcome || answer.Label != row.label {
				t.Errorf("it is %s (%s): %v", answer.Outcome, answer.Label, answer.Err)
			}
		})
	}
}

func TestKeyOfTheServerIsTold(t *testing.T) {
	for _, row := range []struct {
		api    string
		answer canned
		want   string
	}{
		{V1, canned{status: 200, contentType: "application/json", body: missedV1}, "made"},
		{V1, canned{status: 504, contentType: problem, body: `{"code":"unknown","retryable":true,"key":"made"}`}, "made"},
		{Camp, canned{200, "application/json", [2]string{"Idempotency-Key", "made"}, `{"code":3,"msg":"missed"}`}, "made"},
		{Camp, canned{200, "application/json", [2]string{"Idempotency-Key", "made"}, `{"code":12,"msg":"unknown"}`}, "made"},
	} {
		if answer := row.answer.client(t, row.api).Snatch(Snatch{UID: 7, Campaign: 1}); answer.Key != row.want {
			t.Errorf("%s %s: the key is %q (%v)", row.api, row.answer.body, answer.Key, answer.Err)
		}
	}
}

func TestNobodyThereIsBusyAndNotUnknown(t *testing.T) {
	listener := listen(t)
	listener.Close()
	client, err := NewClient(ClientOptions{URL: "http://" + listener.Addr().String()})
	if err != nil {
		t.Fatal(err)
	}
	if answer := client.Snatch(Snatch{UID: 7, Campaign: 1}); answer.Outcome != Busy || answer.Label != "unreachable" {
		t.Errorf("%s, %s: %v", answer.Outcome, answer.Label, answer.Err)
	}
}

// BenchmarkWitness is the cost of a request on the crowd's side, with that of a server that does nothing.
func BenchmarkWitness(b *testing.B) {
	refusal := canned{status: 200, contentType: "application/json", body: `{"status":"sold_out","wins":0,"wins_max":5}`}
	witness := Witness{Client: refusal.client(b, V1), Told: NewTold(0)}
	b.ReportAllocs()
	for i := range b.N {
		if answer := witness.Snatch(Snatch{UID: uint64(i % 1000), Campaign: 1}); answer.Status != hongbao.SoldOut {
			b.Fatal(answer.Err)
		}
	}
}
