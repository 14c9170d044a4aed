package hongbao

import "testing"

// created is a campaign of these rules.
func created(t testing.TB, rules Rules) *Campaign {
	t.Helper()
	e, err := Created(1, Nonce{1}, testSeed(), Change{At: opensAt - hour, Actor: "ann", Create: &rules})
	if err != nil {
		t.Fatal(err)
	}
	c, err := (*Campaign)(nil).After(&e)
	if err != nil {
		t.Fatal(err)
	}
	return c
}
