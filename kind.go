package hongbao

import "slices"

// Kind is which of the two give-aways a campaign is; it selects the preset of its rules.
type Kind string

const (
	// Rain (红包雨): tap for minutes, each tap wins with some chance, several wins a player.
	Rain Kind = "rain"
	// Bomb (红包炸弹): announced, goes off, first come first served among those who signed up.
	Bomb Kind = "bomb"
)

// Pace says whether the number of envelopes issued follows the clock.
type Pace string

const (
	// PaceNone issues envelopes as fast as they are asked for.
	PaceNone Pace = "none"
	// PaceLinear spreads them over the first 95 % of the window.
	PaceLinear Pace = "linear"
)

// Signup says who may sign up.
type Signup string

const (
	// SignupNone needs no sign-up.
	SignupNone Signup = "none"
	// SignupOpen lets every player sign up.
	SignupOpen Signup = "open"
	// SignupInvited lets only the administrator sign players up.
	SignupInvited Signup = "invited"
)

// Reveal says when a player learns the amount.
type Reveal string

const (
	// RevealOnOpen shows the amount when the envelope is opened.
	RevealOnOpen Reveal = "on_open"
	// RevealOnSnatch shows it with the win.
	RevealOnSnatch Reveal = "on_snatch"
)

// The allowed values of the enumerations, in the order in which errors list them.
var (
	kinds   = []Kind{Rain, Bomb}
	paces   = []Pace{PaceNone, PaceLinear}
	signups = []Signup{SignupNone, SignupOpen, SignupInvited}
	reveals = []Reveal{RevealOnOpen, RevealOnSnatch}
)

func checkOneOf[T ~string](field string, value T, allowed []T) error {
	if slices.Contains(allowed, value) {
		return nil
	}
	text := "one of"
	for _, a := range allowed {
		text += " " + string(a)
	}
	return Invalid(field, value, text)
}
