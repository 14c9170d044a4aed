package bench

import (
	"errors"
	"math"
	"testing"
	"time"

	"hongbao"
)

func TestBadOptionsNameTheField(t *testing.T) {
	for _, row := range []struct {
		field  string
		change func(*Options)
	}{
		{"scenario", func(o *Options) { o.Scenario = "snow" }},
		{"api", func(o *Options) { o.API = "v2" }},
		{"api", func(o *Options) { o.API, o.Scenario = Camp, ScenarioBomb }},
		{"url", func(o *Options) { o.PlayerURL = "127.0.0.1:8080" }},
		{"url", func(o *Options) { o.PlayerURL = "ftp://127.0.0.1" }},
		{"admin", func(o *Options) { o.AdminURL, o.AdminToken = "nowhere", "token" }},
		{"players", func(o *Options) { o.Players = -1 }},
		{"first-uid", func(o *Options) { o.FirstUID = hongbao.UIDMax }},
		{"rate", func(o *Options) { o.Rate = -1 }},
		{"rate", func(o *Options) { o.Rate = math.NaN() }},
		{"closed", func(o *Options) { o.Rate, o.Closed = 1, 1 }},
		{"closed", func(o *Options) { o.Closed = -1 }},
		{"connections", func(o *Options) { o.Connections = -1 }},
		{"duration", func(o *Options) { o.Duration = -time.Second }},
		{"timeout", func(o *Options) { o.Timeout = time.Hour }},
		{"open-share", func(o *Options) { o.OpenShare = math.NaN() }},
		{"open-share", func(o *Options) { o.OpenShare, o.WalletShare = 0.6, 0.6 }},
		{"wallet-share", func(o *Options) { o.WalletShare = 1.5 }},
	} {
		var o Options
		row.change(&o)
		_, err := Run(t.Context(), o)
		var field *hongbao.FieldError
		if !errors.As(err, &field) || field.Field != row.field {
			t.Errorf("%+v: the error is %v, and must name %s", o, err, row.field)
		}
	}
}

func TestLastPlayerMayHaveTheLargestUID(t *testing.T) {
	o := Options{Players: 10, FirstUID: hongbao.UIDMax - 9}
	if err := o.complete(); err != nil {
		t.Error(err)
	}
}
