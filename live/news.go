package live

import "time"

// news is what a shard has yet to send.
type news struct {
	frames   []frame // events, oldest first
	last     uint64  // the event up to which all have been told when they have been sent
	counted  []byte  // progress
	progress uint64  // its number
}

// news is what has come after an event and a progress; ok is false where some of the events are not kept any more.
func (h *Hub) news(sent, progress uint64) (n news, ok bool) {
	h.mu.RLock()
	defer h.mu.RUnlock()
	n = news{last: max(h.last, sent), progress: h.counting}
	if h.counting != progress {
		n.counted = h.counted
	}
	if sent+ringLength < h.last {
		return n, false
	}
	for id := sent + 1; id <= h.last; id++ {
		n.frames = append(n.frames, h.ring[id%ringLength])
	}
	return n, true
}

// after is the part of text, which is that of the frames, that comes after an event.
func (n *news) after(id uint64, text []byte) []byte {
	for _, f := range n.frames {
		if f.id <= id {
			text = text[len(f.text):]
		}
	}
	return text
}

// told takes note of how long it took until a shard had told its last peer.
func (h *Hub) told(n *news) {
	if len(n.frames) == 0 {
		return
	}
	latest := n.frames[len(n.frames)-1]
	took := time.Duration(int64(h.service.Now())-latest.at) * time.Millisecond
	h.delay.tell(latest.id, max(took, 0))
}
