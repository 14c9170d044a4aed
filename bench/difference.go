package bench

import "fmt"

// differencesListed is how many differences are kept word by word; beyond, they are only counted.
const differencesListed = 100

// Difference is something that can't be true if the server keeps its guarantees and its contract.
type Difference struct {
	Guarantee string `json:"guarantee"` // G1 to G8, or API: an answer outside the contract
	Where     string `json:"where"`     // "player 17, envelope 4294967301"
	What      string `json:"what"`
}

func (d Difference) String() string { return d.Guarantee + " " + d.Where + ": " + d.What }

// differences is a bounded list; its owner guards it.
type differences struct {
	listed []Difference
	total  uint64
}

func (d *differences) add(guarantee, where, what string, details ...any) {
	d.total++
	if len(d.listed) < differencesListed {
		d.listed = append(d.listed, Difference{guarantee, where, fmt.Sprintf(what, details...)})
	}
}
