package adminapi

import (
	"fmt"
	"strconv"

	"github.com/danielgtaylor/huma/v2"

	"hongbao"
)

// Parameters arrive as text; each type knows how it is read and how OpenAPI describes it.

// campaignID is a campaign's id in a path.
type campaignID string

// Schema describes it.
func (campaignID) Schema(huma.Registry) *huma.Schema {
	return integerSchema("id of a campaign", 1, hongbao.CampaignMax)
}

// parse takes what is no id for one that doesn't exist.
func (id campaignID) parse() (uint32, error) {
	n, err := parseInteger("id", string(id), 1, hongbao.CampaignMax)
	if err != nil {
		return 0, fmt.Errorf("%w: there is no campaign %q", hongbao.ErrNotFound, string(id))
	}
	return uint32(n), nil
}

// playerUID is a player's uid in a path.
type playerUID string

// Schema describes it.
func (playerUID) Schema(huma.Registry) *huma.Schema {
	return integerSchema("uid of a player", 0, hongbao.UIDMax)
}

func (uid playerUID) parse() (uint64, error) { return parseUID("uid", string(uid)) }

func parseUID(field, text string) (uint64, error) {
	return parseInteger(field, text, 0, hongbao.UIDMax)
}

const (
	pageDefault = 50
	pageMax     = 200
)

// pageLimit is how many entries a page has.
type pageLimit string

// Schema describes it.
func (pageLimit) Schema(huma.Registry) *huma.Schema {
	schema := integerSchema("entries of a page", 1, pageMax)
	schema.Default = pageDefault
	return schema
}

func (l pageLimit) parse() (int, error) { return parseLimit(string(l), pageDefault, pageMax) }

func parseLimit(text string, otherwise, most int) (int, error) {
	if text == "" {
		return otherwise, nil
	}
	n, err := parseInteger("limit", text, 1, uint64(most))
	return int(n), err
}

// parseInteger reads decimal digits without sign or leading zeroes.
func parseInteger(field, text string, low, high uint64) (uint64, error) {
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil || strconv.FormatUint(n, 10) != text || n < low || n > high {
		return 0, hongbao.Invalid(field, text, fmt.Sprintf("a whole number from %d to %d", low, high))
	}
	return n, nil
}

func integerSchema(description string, low, high float64) *huma.Schema {
	return &huma.Schema{Type: huma.TypeInteger, Format: "int64", Description: description, Minimum: &low, Maximum: &high}
}
