package systemtest

import (
	"os/exec"
	"strconv"
	"strings"
	"testing"
)

// An independent crowd on the camp API: whatever it is answered, the contract has it.
func TestCampAnswersAnIndependentCrowdAsDocumented(t *testing.T) {
	t.Parallel()
	wrk, err := exec.LookPath("wrk")
	if err != nil {
		lack(t, "wrk is not installed: apt-get install wrk, or make tools")
	}
	duration := "2s"
	if long() {
		duration = "30s"
	}
	s := serve(t, "--campaigns", `[{name: rain, kind: rain, opens_at: +0s, lasts: 1h, chance: 0.5, wins_max: 3,
		budget: {total_fen: 200000, count: 2000}}]`)
	seed := newRandom(t).Int32()
	command := exec.Command(wrk, "-t4", "-c4", "-d"+duration, "-s", repository(t, "systemtest/testdata/camp.lua"), s.Player,
		"--", strconv.Itoa(int(seed)), "1000")
	output, err := command.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", command, err, output)
	}
	t.Logf("%s", output)
	said := string(output)
	for _, want := range []string{"outside 0\n", "broken 0\n", "answers /snatch 0 ", "answers /open 0 ", "answers /get_wallet_list 0 "} {
		if !strings.Contains(said, want) {
			t.Errorf("it does not say %q:\n%s", want, said)
		}
	}
	s.audit()
}
