package live

import (
	"testing"

	"golang.org/x/sys/unix"
)

func TestAPeerThatVanishesLosesItsPlaceInAMinute(t *testing.T) {
	h := NewHub(HubOptions{Service: newBed(t).service})
	h.learn(nil)
	stay, err := h.Enter(nil, nil, func(b []byte) []byte { return b })
	if err != nil {
		t.Fatal(err)
	}
	_, conn := pair(t)
	stay(conn)
	for _, s := range h.shards {
		s.all(func(p *peer) error {
			if ms, err := unix.GetsockoptInt(p.fd, unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT); ms != 60_000 || err != nil {
				t.Errorf("it is noticed after %d ms, %v", ms, err)
			}
			if on, err := unix.GetsockoptInt(p.fd, unix.SOL_SOCKET, unix.SO_KEEPALIVE); on != 0 || err != nil {
				t.Errorf("probes beside heartbeats: %d, %v", on, err)
			}
			return errGone
		})
	}
	if h.Connections() != 0 {
		t.Errorf("%d are there", h.Connections())
	}
}
