package systemtest

import (
	"os/exec"
	"strings"
	"testing"
)

// The solver in JavaScript, which the player page uses, agrees with the Go one on the vectors of the gate.
func TestTheWorkInJavaScriptAgrees(t *testing.T) {
	t.Parallel()
	node, err := exec.LookPath("node")
	if err != nil {
		lack(t, "node is not installed: apt-get install nodejs, or make tools")
	}
	output, err := exec.Command(node, repository(t, "scripts/pow/pow.mjs"), "0").CombinedOutput()
	if err != nil || !strings.Contains(string(output), "33 vectors agree") {
		t.Errorf("%v: %s", err, output)
	}
}
