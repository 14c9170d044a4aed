package webhook

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"hongbao"
	"hongbao/live"
)

// Bounds of the list of endpoints.
const (
	EndpointsMax = 32 // of the API and the configuration together
	nameMax      = 40
	urlMax       = 1024
	keysMax      = 2
	campaignsMax = 32
)

// Endpoint is where events are sent.
type Endpoint struct {
	Name      string   // 1 to 40 of a-z A-Z 0-9 - _ .
	URL       string   // http or https, without user and password
	Keys      [][]byte // one, or two while they are changed: a signature by each
	Events    []string // names of [Events]; none: all
	Campaigns []string // names, which need not exist yet; none: all
	Disabled  bool     // nothing is sent; what happens meanwhile is sent later
}

// The events beside those of the player port's stream.
const (
	eventWon      = "envelope.won"
	eventOpened   = "envelope.opened"
	eventRefunded = "envelope.refunded"
	eventTest     = "webhook.test" // only when asked for
)

// Events are the names of all that an endpoint may ask for.
func Events() []string {
	return append([]string{eventWon, eventOpened, eventRefunded}, live.Events()...)
}

// wants reports whether the endpoint asks for events of that name, of whatever campaign.
func (e *Endpoint) wants(event string) bool {
	return len(e.Events) == 0 || slices.Contains(e.Events, event)
}

// wantsCampaign reports whether it asks for the campaign of that name.
func (e *Endpoint) wantsCampaign(name string) bool {
	return len(e.Campaigns) == 0 || slices.Contains(e.Campaigns, name)
}

// Check says what is wrong with the endpoint; path is what the names of fields begin with.
func (e *Endpoint) Check(path string) error {
	if !isName(e.Name, nameMax) {
		return hongbao.Invalid(path+"name", e.Name, "1 to 40 of the characters a-z A-Z 0-9 - _ .")
	}
	if err := checkURL(path+"url", e.URL); err != nil {
		return err
	}
	if len(e.Keys) < 1 || len(e.Keys) > keysMax || slices.ContainsFunc(e.Keys, func(k []byte) bool { return !hongbao.IsSigningKey(k) }) {
		return hongbao.Invalid(path+"secret", "(not shown)", secretForm)
	}
	for i, event := range e.Events {
		if !slices.Contains(Events(), event) || slices.Contains(e.Events[:i], event) {
			return hongbao.Invalid(fmt.Sprintf("%sevents[%d]", path, i), event, "one of "+strings.Join(Events(), " ")+", each once")
		}
	}
	if len(e.Campaigns) > campaignsMax {
		return hongbao.Invalid(path+"campaigns", len(e.Campaigns), "at most 32 names; none is all campaigns")
	}
	for i, name := range e.Campaigns {
		if !isName(name, 64) || slices.Contains(e.Campaigns[:i], name) {
			return hongbao.Invalid(fmt.Sprintf("%scampaigns[%d]", path, i), name, "the name of a campaign, each once")
		}
	}
	return nil
}

func isName(name string, most int) bool {
	const allowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_."
	return name != "" && len(name) <= most && strings.Trim(name, allowed) == ""
}

func checkURL(field, text string) error {
	address, err := url.Parse(text)
	if err == nil && address.Port() != "" {
		_, err = strconv.ParseUint(address.Port(), 10, 16)
	}
	switch {
	case err != nil || len(text) > urlMax || address.Scheme != "http" && address.Scheme != "https" || address.Hostname() == "" || address.Opaque != "":
		return hongbao.Invalid(field, text, "an http or https address of at most 1024 bytes")
	case address.User != nil:
		return hongbao.Invalid(field, address.Redacted(), "an address without user and password: requests are signed")
	case address.Fragment != "":
		return hongbao.Invalid(field, text, "an address without a fragment, which is never sent")
	}
	return nil
}
