package gate

import (
	"net/netip"
	"runtime"
	"testing"
	"time"
)

// A million players, from a million addresses, within a minute: the gate has what it needs from the start.
func TestAMillionPlayersTakeNoMoreMemory(t *testing.T) {
	var before, made, after runtime.MemStats
	runtime.ReadMemStats(&before)
	g := newBed(t, Options{Global: Rate{Rate: 1e7}, Player: Rate{Rate: 20}, Address: Rate{Rate: 20}}).gate
	runtime.ReadMemStats(&made)
	start := time.Now()
	for i := range uint64(1_000_000) {
		at := start.Add(time.Duration(i) * time.Minute / 1_000_000)
		v := Visitor{UID: i * 9_007_199_253, Address: netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)})}
		_, err := g.Arrive(v.Address, at)
		if err == nil {
			_, err = g.Admit(v, at)
		}
		if err != nil {
			t.Fatalf("player %d: %v", i, err)
		}
	}
	runtime.ReadMemStats(&after)
	if grown := after.TotalAlloc - made.TotalAlloc; grown > 1<<20 {
		t.Errorf("a million players took %d bytes", grown)
	}
	if all := made.HeapAlloc - before.HeapAlloc; all > 200<<20 {
		t.Errorf("the gate takes %d bytes", all)
	}
}
