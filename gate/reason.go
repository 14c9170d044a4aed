package gate

// reason is why the gate refused a request, in the order in which it looks.
type reason uint8

const (
	byAddress reason = iota
	byFailures
	byDenylist
	byPlayer
	byReadOnly
	byTicket
	byLot
	byGlobal
	byRisk
	byInFlight
	byBreaker
	reasons // how many there are
)

var reasonNames = [reasons]string{
	"address", "failures", "denylist", "player", "read_only", "ticket", "lot", "global", "risk", "in_flight", "breaker",
}

func (r reason) String() string { return reasonNames[r] }

// refuse counts a refusal, if err is one, and returns it.
func (g *Gate) refuse(r reason, err error) error {
	if err != nil {
		g.refused[r].Add(1)
	}
	return err
}
