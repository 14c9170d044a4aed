package adminapi

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"hongbao"
)

// signUpBodyMax has room for [hongbao.InvitesMax] uids of sixteen digits, in JSON that is indented.
const signUpBodyMax = 4 << 20

// signUpList is the JSON body of a sign-up.
type signUpList struct {
	_    struct{}      `additionalProperties:"false"`
	UIDs []uidOrDigits `json:"uids" minItems:"1" maxItems:"100000" nullable:"false" doc:"Players to sign up"`
}

// uidOrDigits is a uid as a number, or as a string for languages that lose digits above 2^53.
type uidOrDigits struct{}

// Schema describes it.
func (uidOrDigits) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{OneOf: []*huma.Schema{
		integerSchema("a uid", 0, hongbao.UIDMax),
		{Type: huma.TypeString, Pattern: "^(0|[1-9][0-9]{0,15})$"},
	}}
}

func (s *Server) signUpRoute() {
	body := jsonBody[signUpList](s)
	body.Content["text/csv"] = &huma.MediaType{Schema: &huma.Schema{
		Type: huma.TypeString, Description: "One uid a line; a first line that says uid is skipped",
	}}
	register(s, Operator, huma.Operation{
		OperationID: "sign-up-players", Method: http.MethodPost, Path: "/admin/v1/campaigns/{id}/signups", Tags: []string{tagCampaigns},
		Summary:     "Sign players up for a campaign",
		Description: "1 to 100000 of them; all or none. It may be repeated: who is signed up already, or stands there twice, counts as known.",
		RequestBody: body, MaxBodyBytes: signUpBodyMax,
	}, s.signUp)
}

type signUpInput struct {
	ID          campaignID `path:"id"`
	ContentType string     `header:"Content-Type" hidden:"true"`
	RawBody     []byte
}

// signUpCount is how many players a request signed up.
type signUpCount struct {
	Added int `json:"added" doc:"Players signed up by this request"`
	Known int `json:"known" doc:"Those that were signed up before"`
}

type signUpOutput struct {
	Body signUpCount
}

func (s *Server) signUp(ctx context.Context, in *signUpInput) (*signUpOutput, error) {
	id, err := in.ID.parse()
	if err != nil {
		return nil, err
	}
	parse := parseUIDs
	if kind, _, _ := mime.ParseMediaType(in.ContentType); kind == "text/csv" {
		parse = parseUIDLines
	}
	uids, err := parse(in.RawBody)
	if err != nil {
		return nil, err
	}
	added, err := s.service.Invite(ctx, id, uids, actor(ctx))
	if err != nil {
		return nil, err
	}
	return &signUpOutput{signUpCount{Added: added, Known: len(uids) - added}}, nil
}

// parseUIDs reads {"uids":[1,"2"]}; errors name the place in the list.
func parseUIDs(body []byte) ([]uint64, error) {
	var list struct {
		UIDs json.RawMessage `json:"uids"`
	}
	if err := hongbao.DecodeStrict(body, &list); err != nil {
		return nil, err
	}
	decoder := json.NewDecoder(bytes.NewReader(list.UIDs))
	decoder.UseNumber()
	if token, _ := decoder.Token(); token != json.Delim('[') {
		return nil, hongbao.Invalid("uids", string(list.UIDs), "a list of uids")
	}
	var uids []uint64
	for decoder.More() {
		token, _ := decoder.Token()
		uid, err := uidOfToken(len(uids), token)
		if err != nil {
			return nil, err
		}
		if uids, err = appendUID(uids, uid, "uids"); err != nil {
			return nil, err
		}
	}
	return uids, nil
}

func uidOfToken(i int, token json.Token) (uint64, error) {
	field := fmt.Sprintf("uids[%d]", i)
	switch value := token.(type) {
	case json.Number:
		return parseUID(field, value.String())
	case string:
		return parseUID(field, value)
	}
	return 0, hongbao.Invalid(field, token, "a uid as a number or a string")
}

// parseUIDLines reads one uid a line; errors name the line.
func parseUIDLines(body []byte) ([]uint64, error) {
	reader := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(body, []byte("\ufeff")))) // spreadsheets write a byte order mark
	reader.FieldsPerRecord = -1
	reader.ReuseRecord = true
	var uids []uint64
	for first := true; ; first = false {
		record, err := reader.Read()
		switch {
		case err == io.EOF:
			return uids, nil
		case err != nil:
			return nil, lineError(err)
		case first && record[0] == "uid" && len(record) == 1:
			continue
		}
		line, _ := reader.FieldPos(0)
		field := fmt.Sprintf("line %d", line)
		if len(record) != 1 {
			return nil, hongbao.Invalid(field, fmt.Sprint(len(record), " values"), "one uid")
		}
		uid, err := parseUID(field, record[0])
		if err != nil {
			return nil, err
		}
		if uids, err = appendUID(uids, uid, "lines"); err != nil {
			return nil, err
		}
	}
}

func lineError(err error) error {
	var parse *csv.ParseError
	if errors.As(err, &parse) {
		return hongbao.Invalid(fmt.Sprintf("line %d", parse.Line), parse.Err, "one uid")
	}
	return hongbao.Invalid("body", err, "one uid a line")
}

func appendUID(uids []uint64, uid uint64, field string) ([]uint64, error) {
	if len(uids) == hongbao.InvitesMax {
		return nil, hongbao.Invalid(field, fmt.Sprint("more than ", hongbao.InvitesMax), fmt.Sprintf("1 to %d uids", hongbao.InvitesMax))
	}
	return append(uids, uid), nil
}
