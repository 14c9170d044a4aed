package systemtest

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os/exec"
	"strings"
	"testing"
	"time"

	"hongbao/bench"
)

// Whoever opens connections without end takes no descriptor that the engine or the administrators need.
func TestConnectionsWithoutEndStopNobodyElse(t *testing.T) {
	t.Parallel()
	args := append([]string{"-c", `ulimit -n 300; exec "$0" "$@"`, shipped}, serveArgs("--campaigns", openRain, "--gate.player.rate=0")...)
	s := launch(t, exec.Command("sh", args...)).ready()
	client := s.client(1)
	snatch := func(uid uint64) {
		t.Helper()
		if answer := client.Snatch(bench.Snatch{UID: uid, Campaign: 1}); !answer.Won() {
			t.Errorf("a snatch: %+v", answer)
		}
	}
	snatch(1)
	address := strings.TrimPrefix(s.Player, "http://")
	var last net.Conn
	for range 250 { // of which half of 300 are let in
		conn, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		fmt.Fprint(conn, "POST /snatch HTTP/1.1\r\nHost: x\r\nContent-Le") // and nothing more
		last = conn
	}
	last.SetReadDeadline(time.Now().Add(8 * time.Second)) // less than the server is patient
	if answer, _ := io.ReadAll(last); !strings.Contains(string(answer), "503 Service Unavailable") {
		t.Errorf("the last connection is told %q", answer)
	}
	for uid := range uint64(20) { // on a connection that was there before
		snatch(100 + uid)
	}
	if response, err := http.Get(s.Admin + "/readyz"); err != nil || response.StatusCode != http.StatusOK {
		t.Errorf("readyz: %v, %v", response, err)
	}
	s.audit()
}
