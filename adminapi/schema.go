package adminapi

import (
	"reflect"

	"github.com/danielgtaylor/huma/v2"

	"hongbao"
)

// The domain knows nothing of huma: here stands how its types look in JSON.

// newSchemas makes a registry in which the domain's types, and huma's error, are described by stand-ins.
func newSchemas() huma.Registry {
	schemas := huma.NewMapRegistry("#/components/schemas/", huma.DefaultSchemaNamer)
	stand := func(real, in reflect.Type) { schemas.RegisterTypeAlias(real, in) }
	stand(reflect.TypeFor[huma.ErrorModel](), reflect.TypeFor[Problem]())
	stand(reflect.TypeFor[hongbao.Time](), reflect.TypeFor[timeText]())
	stand(reflect.TypeFor[hongbao.Duration](), reflect.TypeFor[durationText]())
	stand(reflect.TypeFor[hongbao.Chance](), reflect.TypeFor[chanceNumber]())
	stand(reflect.TypeFor[hongbao.EventKind](), reflect.TypeFor[eventKindName]())
	stand(reflect.TypeFor[hongbao.Kind](), reflect.TypeFor[kindName]())
	stand(reflect.TypeFor[hongbao.Split](), reflect.TypeFor[splitName]())
	stand(reflect.TypeFor[hongbao.Pace](), reflect.TypeFor[paceName]())
	stand(reflect.TypeFor[hongbao.Signup](), reflect.TypeFor[signupName]())
	stand(reflect.TypeFor[hongbao.Reveal](), reflect.TypeFor[revealName]())
	stand(reflect.TypeFor[hongbao.Phase](), reflect.TypeFor[phaseName]())
	return schemas
}

type (
	timeText      struct{}
	durationText  struct{}
	chanceNumber  struct{}
	eventKindName struct{}
	kindName      struct{}
	splitName     struct{}
	paceName      struct{}
	signupName    struct{}
	revealName    struct{}
	phaseName     struct{}
)

func (timeText) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeString, Format: "date-time"}
}

func (durationText) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeString, Examples: []any{"24h0m0s"}}
}

func (chanceNumber) Schema(huma.Registry) *huma.Schema {
	zero, one := 0.0, 1.0
	return &huma.Schema{Type: huma.TypeNumber, ExclusiveMinimum: &zero, Maximum: &one}
}

func (eventKindName) Schema(huma.Registry) *huma.Schema {
	return oneOf(hongbao.EnvelopeWon.String(), hongbao.EnvelopeOpened.String(), hongbao.EnvelopeRefunded.String(),
		hongbao.PlayerSignedUp.String(), hongbao.CampaignCreated.String(), hongbao.CampaignRevised.String(),
		hongbao.CampaignSealed.String(), hongbao.SystemRecorded.String())
}

func (kindName) Schema(huma.Registry) *huma.Schema { return oneOf(hongbao.Rain, hongbao.Bomb) }

func (splitName) Schema(huma.Registry) *huma.Schema {
	return oneOf(hongbao.DoubleMean, hongbao.Normal, hongbao.Uniform, hongbao.Equal)
}

func (paceName) Schema(huma.Registry) *huma.Schema {
	return oneOf(hongbao.PaceNone, hongbao.PaceLinear)
}

func (signupName) Schema(huma.Registry) *huma.Schema {
	return oneOf(hongbao.SignupNone, hongbao.SignupOpen, hongbao.SignupInvited)
}

func (revealName) Schema(huma.Registry) *huma.Schema {
	return oneOf(hongbao.RevealOnOpen, hongbao.RevealOnSnatch)
}

func (phaseName) Schema(huma.Registry) *huma.Schema {
	return oneOf(hongbao.PhaseScheduled, hongbao.PhaseCountdown, hongbao.PhaseOpen, hongbao.PhaseClosed, hongbao.PhaseSettled)
}

func oneOf[T ~string](values ...T) *huma.Schema {
	schema := &huma.Schema{Type: huma.TypeString}
	for _, value := range values {
		schema.Enum = append(schema.Enum, string(value))
	}
	return schema
}

// campaignSpec describes [hongbao.Spec], which reads it: the keys of a campaign in the config file.
type campaignSpec struct {
	_            struct{}     `additionalProperties:"false"`
	Name         string       `json:"name" minLength:"1" maxLength:"64" pattern:"^[A-Za-z0-9._-]+$" doc:"No other campaign has it"`
	Title        hongbao.Text `json:"title,omitempty" doc:"For players; at most 100 characters in each language"`
	RulesText    hongbao.Text `json:"rules_text,omitempty" doc:"For players; at most 2000 characters in each language"`
	Kind         hongbao.Kind `json:"kind" doc:"The preset that what is left out is taken from"`
	OpensAt      string       `json:"opens_at" doc:"RFC 3339, or from now: +10s; at most 366 days ahead" example:"2027-02-05T20:00:00+08:00"`
	ClosesAt     string       `json:"closes_at,omitempty" doc:"RFC 3339, or from now: +10m; at most 90 days after opens_at. A rain needs this or lasts; a bomb closes 15 s after it opens" example:"2027-02-05T20:10:00+08:00"`
	Lasts        string       `json:"lasts,omitempty" doc:"In place of closes_at" example:"10m"`
	OpenFor      string       `json:"open_for,omitempty" default:"24h" doc:"How long after closes_at an envelope can be opened: 1m to 2160h"`
	Budget       budgetSpec   `json:"budget"`
	Chance       float64      `json:"chance,omitempty" exclusiveMinimum:"0" maximum:"1" default:"1" doc:"Of a snatch to win; at most 9 decimal places"`
	Pace         string       `json:"pace,omitempty" enum:"none,linear" default:"none"`
	WinsMax      int          `json:"wins_max,omitempty" minimum:"0" maximum:"10000" doc:"Wins of a player; 0: no limit. Left out: 5 in a rain, 1 in a bomb"`
	DailyWinsMax int          `json:"daily_wins_max,omitempty" minimum:"0" maximum:"10000" doc:"Wins of a player in all campaigns of the kind on one calendar day; 0: no limit. Left out: 0 in a rain, 3 in a bomb"`
	Signup       string       `json:"signup,omitempty" enum:"none,open,invited" doc:"Left out: none in a rain, open in a bomb"`
	Reveal       string       `json:"reveal,omitempty" enum:"on_open,on_snatch" doc:"Left out: on_open in a rain, on_snatch in a bomb"`
	Ticket       bool         `json:"ticket,omitempty" default:"false" doc:"A snatch needs a ticket, which players fetch during countdown and open"`
	FairStart    string       `json:"fair_start,omitempty" default:"0s" doc:"How long after opens_at whoever arrives is admitted in an order drawn by lot: 0s (off) to 30s, at most a quarter of the window"`
	Paused       bool         `json:"paused,omitempty" default:"false"`
}

// budgetSpec describes [hongbao.BudgetSpec].
type budgetSpec struct {
	_        struct{} `additionalProperties:"false"`
	TotalFen int64    `json:"total_fen" minimum:"1" maximum:"1000000000000" doc:"In fen; from count times min_fen to count times max_fen"`
	Count    uint64   `json:"count" minimum:"1" maximum:"4294967296" doc:"Envelopes"`
	MinFen   int64    `json:"min_fen,omitempty" minimum:"1" doc:"Left out: 1 in a rain, a tenth of the mean in a bomb"`
	MaxFen   int64    `json:"max_fen,omitempty" minimum:"1" doc:"Left out: twice the mean"`
	Split    string   `json:"split,omitempty" enum:"double_mean,normal,uniform,equal" doc:"Left out: double_mean in a rain, normal in a bomb"`
}

// campaignPatch describes [hongbao.Patch].
type campaignPatch struct {
	_            struct{}     `additionalProperties:"false"`
	Budget       *budgetPatch `json:"budget,omitempty" doc:"It counts what is issued already"`
	OpensAt      string       `json:"opens_at,omitempty" format:"date-time" doc:"Only until it has passed"`
	ClosesAt     string       `json:"closes_at,omitempty" format:"date-time" doc:"In the future"`
	Chance       float64      `json:"chance,omitempty" exclusiveMinimum:"0" maximum:"1"`
	Pace         string       `json:"pace,omitempty" enum:"none,linear"`
	WinsMax      int          `json:"wins_max,omitempty" minimum:"0" maximum:"10000"`
	DailyWinsMax int          `json:"daily_wins_max,omitempty" minimum:"0" maximum:"10000"`
	Paused       bool         `json:"paused,omitempty" doc:"true pauses, false resumes"`
}

// budgetPatch describes [hongbao.BudgetPatch].
type budgetPatch struct {
	_        struct{} `additionalProperties:"false"`
	TotalFen int64    `json:"total_fen,omitempty" minimum:"1" maximum:"1000000000000"`
	Count    uint64   `json:"count,omitempty" minimum:"1" maximum:"4294967296"`
	MinFen   int64    `json:"min_fen,omitempty" minimum:"1"`
	MaxFen   int64    `json:"max_fen,omitempty" minimum:"1"`
}
