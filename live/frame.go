package live

import (
	"math/rand/v2"
	"strconv"
	"time"
)

// heartbeat is a comment, which clients ignore.
var heartbeat = []byte(":\n\n")

// frame is an event as it is sent.
type frame struct {
	id   uint64
	at   int64 // engine time in milliseconds
	text []byte
}

func newFrame(e *entry) frame {
	b := append([]byte("id: "), strconv.FormatUint(e.ID, 10)...)
	b = append(b, '\n')
	return frame{e.ID, int64(e.at), AppendFrame(b, e.Event, e.Data)}
}

// AppendFrame appends a frame without an id. Data must have no line break, which JSON without spaces has not.
func AppendFrame(b []byte, event string, data []byte) []byte {
	b = append(b, "event: "...)
	b = append(b, event...)
	b = append(b, "\ndata: "...)
	b = append(b, data...)
	return append(b, "\n\n"...)
}

// appendID appends a frame that has nothing but an id: a client takes note of it, and nobody is told of an event.
func appendID(b []byte, id uint64) []byte {
	b = append(b, "id: "...)
	b = strconv.AppendUint(b, id, 10)
	return append(b, "\n\n"...)
}

// appendRetry tells a client how long to wait before it reconnects, once this connection is lost: at least a second, and
// those of a server that goes away not all at once.
func appendRetry(b []byte, spread time.Duration) []byte {
	b = append(b, "retry: "...)
	b = strconv.AppendInt(b, 1000+rand.Int64N(max(spread.Milliseconds(), 1)), 10)
	return append(b, "\n\n"...)
}
