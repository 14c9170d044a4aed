package playerapi

import (
	"bytes"

	"github.com/valyala/fasthttp"
)

// route is one noun and verb of the API.
type route uint8

const (
	routeNone route = iota
	routeSnatch
	routeOpen
	routeSignup
	routeTicket
	routeWallet
	routeCampaigns
	routeCampaign
	routeEvents
	routeCampSnatch
	routeCampOpen
	routeCampWallet
	routeHealth
	routePage      // the player page and its files
	routePreflight // of any of them
	routes         // how many there are
)

// routeTable has the name that a route is counted under, and its method. GET includes HEAD.
var routeTable = [routes]struct{ name, method string }{
	routeNone:       {"none", ""},
	routeSnatch:     {"snatch", "POST"},
	routeOpen:       {"open", "POST"},
	routeSignup:     {"signup", "PUT"},
	routeTicket:     {"ticket", "POST"},
	routeWallet:     {"wallet", "GET"},
	routeCampaigns:  {"campaigns", "GET"},
	routeCampaign:   {"campaign", "GET"},
	routeEvents:     {"events", "GET"},
	routeCampSnatch: {"camp_snatch", "POST"},
	routeCampOpen:   {"camp_open", "POST"},
	routeCampWallet: {"camp_wallet", "POST"},
	routeHealth:     {"health", "GET"},
	routePage:       {"page", "GET"},
	routePreflight:  {"preflight", "OPTIONS"},
}

// match finds the route of a path, and the id in it.
func match(path []byte) (r route, id []byte) {
	switch string(path) {
	case "/snatch":
		return routeCampSnatch, nil
	case "/open":
		return routeCampOpen, nil
	case "/get_wallet_list":
		return routeCampWallet, nil
	case "/v1/wallet":
		return routeWallet, nil
	case "/v1/campaigns":
		return routeCampaigns, nil
	case "/v1/events":
		return routeEvents, nil
	case "/healthz":
		return routeHealth, nil
	}
	if rest, ok := bytes.CutPrefix(path, []byte("/v1/campaigns/")); ok {
		return matchCampaign(rest)
	}
	if rest, ok := bytes.CutPrefix(path, []byte("/v1/envelopes/")); ok {
		if id, ok := bytes.CutSuffix(rest, []byte("/open")); ok {
			return routeOpen, id
		}
	}
	if isPage(path) {
		return routePage, nil
	}
	return routeNone, nil
}

func matchCampaign(rest []byte) (r route, id []byte) {
	id, action, found := bytes.Cut(rest, []byte("/"))
	switch {
	case !found:
		return routeCampaign, id
	case string(action) == "snatch":
		return routeSnatch, id
	case string(action) == "signup":
		return routeSignup, id
	case string(action) == "ticket":
		return routeTicket, id
	}
	return routeNone, nil
}

func (r route) String() string { return routeTable[r].name }

// camp tells the camp API's routes, whose errors have another form.
func (r route) camp() bool {
	return r == routeCampSnatch || r == routeCampOpen || r == routeCampWallet
}

func (r route) allows(ctx *fasthttp.RequestCtx) bool {
	want := routeTable[r].method
	return string(ctx.Method()) == want || want == "GET" && ctx.IsHead()
}

// allow is the value of the Allow header.
func (r route) allow() string {
	if routeTable[r].method == "GET" {
		return "GET, HEAD"
	}
	return routeTable[r].method
}
