package playerapi

import (
	"net"
	"strconv"

	"github.com/valyala/fasthttp"

	"hongbao"
	"hongbao/live"
)

// events is GET /v1/events: Server-Sent Events. The request is let in and answered like one for the list of campaigns; then
// the connection is the hub's, and fasthttp keeps nothing of it.
func (s *Server) events(ctx *fasthttp.RequestCtx) error {
	if s.live == nil {
		return refusal{problem: &notFound, detail: "there are no events here"}
	}
	since, err := lastEventID(ctx)
	if err != nil {
		return err
	}
	leave, err := s.look(ctx)
	if err != nil {
		return err
	}
	defer leave()
	header := &ctx.Response.Header
	header.SetContentType("text/event-stream")
	header.Set("Cache-Control", "no-store")
	header.Set("X-Accel-Buffering", "no")
	if ctx.IsHead() {
		return nil
	}
	stay, err := s.live.Enter(streamHeader(ctx), since, s.appendCampaigns)
	if err != nil {
		return err
	}
	ctx.HijackSetNoResponse(true)
	ctx.Hijack(func(conn net.Conn) { stay(unwrapped(conn)) })
	return nil
}

// streamHeader is the response's header as it goes before a body that ends with the connection.
func streamHeader(ctx *fasthttp.RequestCtx) []byte {
	header := &ctx.Response.Header
	header.SetConnectionClose()
	const untilClosed = -2
	header.SetContentLength(untilClosed)
	return header.AppendBytes(nil)
}

// unwrapped is the connection below fasthttp's, which has the buffer that the request was read with. A client that has sent
// more than the request is none that waits for events.
func unwrapped(conn net.Conn) net.Conn {
	if wrapped, ok := conn.(interface{ UnsafeConn() net.Conn }); ok {
		return wrapped.UnsafeConn()
	}
	return conn
}

// appendCampaigns appends a frame for each campaign that is not yet closed.
func (s *Server) appendCampaigns(b []byte) []byte {
	now := s.service.Now()
	for _, c := range s.service.Campaigns() {
		if c.Seal != nil || now >= c.Rules().ClosesAt {
			continue
		}
		view := s.view(c, now)
		b = live.AppendFrame(b, live.Campaign, append(view.append(nil), '}'))
	}
	return b
}

// lastEventID is the event up to which the client says it has been told: in the header that browsers send, or in the query,
// for those that must make do without. Nil: it does not say.
func lastEventID(ctx *fasthttp.RequestCtx) (*uint64, error) {
	const header, parameter = "Last-Event-ID", "last_event_id"
	text := ctx.Request.Header.Peek(header)
	name := header
	if len(text) == 0 {
		text, name = ctx.QueryArgs().Peek(parameter), parameter
	}
	if len(text) == 0 {
		return nil, nil
	}
	id, err := strconv.ParseUint(string(text), 10, 64)
	if err != nil {
		return nil, hongbao.Invalid(name, string(text), "the id of an event, as it was sent")
	}
	return &id, nil
}

// eventConnections is how many connections are told of events.
func (s *Server) eventConnections() int {
	if s.live == nil {
		return 0
	}
	return s.live.Connections()
}
