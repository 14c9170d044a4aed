package adminapi

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"strconv"

	"github.com/danielgtaylor/huma/v2"

	"hongbao"
)

// envelope is one envelope of a player as the administrator sees it: the amount always.
type envelope struct {
	ID         string       `json:"id"`
	CampaignID string       `json:"campaign_id"`
	Status     string       `json:"status" enum:"held,opened,refunded"`
	AmountFen  int64        `json:"amount_fen"`
	Revealed   bool         `json:"revealed" doc:"Whether the player can see the amount"`
	Key        string       `json:"key" doc:"The Idempotency-Key of the snatch"`
	SnatchedAt hongbao.Time `json:"snatched_at"`
	ExpiresAt  hongbao.Time `json:"expires_at,omitzero"`
	OpenedAt   hongbao.Time `json:"opened_at,omitzero"`
	RefundedAt hongbao.Time `json:"refunded_at,omitzero"`
}

func (s *Server) envelope(e *hongbao.Envelope) envelope {
	told := envelope{
		ID: strconv.FormatUint(uint64(e.ID), 10), CampaignID: strconv.FormatUint(uint64(e.ID.Campaign()), 10),
		Status: e.State.String(), AmountFen: e.AmountFen, Revealed: s.service.Revealed(e), Key: e.Key,
		SnatchedAt: e.WonAt, ExpiresAt: e.ExpiresAt,
	}
	if c, err := s.service.Campaign(e.ID.Campaign()); err == nil {
		told.ExpiresAt = c.Expiry(e.ExpiresAt)
	}
	switch e.State {
	case hongbao.StateOpened:
		told.OpenedAt = e.ClosedAt
	case hongbao.StateRefunded:
		told.RefundedAt = e.ClosedAt
	}
	return told
}

func (s *Server) playerRoutes() {
	register(s, Viewer, huma.Operation{
		OperationID: "read-player-wallet", Method: http.MethodGet, Path: "/admin/v1/players/{uid}/wallet", Tags: []string{tagPlayers},
		Summary:     "Read a player's wallet, newest envelope first",
		Description: "A player who never won has an empty one: the server doesn't know who exists.",
	}, s.readWallet)
	register(s, Viewer, huma.Operation{
		OperationID: "read-player-history", Method: http.MethodGet, Path: "/admin/v1/players/{uid}/history", Tags: []string{tagPlayers},
		Summary: "Read what happened to a player's envelopes, oldest first",
		Description: "Each envelope of the wallet was won, and then perhaps opened or refunded. Of a player with more than 10000 " +
			"envelopes it is about the newest 10000, and truncated is true.",
	}, s.readHistory)
}

type walletInput struct {
	UID    playerUID `path:"uid"`
	Limit  pageLimit `query:"limit"`
	Cursor string    `query:"cursor" doc:"The next of the page before"`
}

// playerWallet is a page of a player's wallet.
type playerWallet struct {
	UID        string       `json:"uid"`
	BalanceFen int64        `json:"balance_fen"`
	Envelopes  []envelope   `json:"envelopes" nullable:"false"`
	Next       string       `json:"next" doc:"The cursor of the next page; empty on the last"`
	AsOf       hongbao.Time `json:"as_of,omitzero" doc:"Only in a cluster, while the player's shard can't be read: the time of the books that this is from"`
}

type walletOutput struct {
	Body playerWallet
}

func (s *Server) readWallet(ctx context.Context, in *walletInput) (*walletOutput, error) {
	uid, err := in.UID.parse()
	if err != nil {
		return nil, err
	}
	limit, err := in.Limit.parse()
	if err != nil {
		return nil, err
	}
	cursor, err := hongbao.ParseCursor(in.Cursor)
	if err != nil {
		return nil, err
	}
	wallet, err := s.service.Wallet(ctx, hongbao.WalletRequest{UID: uid, Limit: limit, After: cursor})
	if err != nil {
		return nil, err
	}
	told := playerWallet{
		UID: string(in.UID), BalanceFen: wallet.BalanceFen, Envelopes: []envelope{}, Next: wallet.Next().String(), AsOf: wallet.AsOf,
	}
	for i := range wallet.Envelopes {
		told.Envelopes = append(told.Envelopes, s.envelope(&wallet.Envelopes[i]))
	}
	return &walletOutput{told}, nil
}

// historyMax is how many envelopes a history looks at.
const historyMax = 10_000

type historyInput struct {
	UID playerUID `path:"uid"`
}

// playerHistory is what happened to a player's envelopes.
type playerHistory struct {
	UID       string        `json:"uid"`
	Events    []playerEvent `json:"events" nullable:"false"`
	Truncated bool          `json:"truncated"`
}

// playerEvent is one thing that happened to an envelope.
type playerEvent struct {
	At         hongbao.Time `json:"at"`
	Kind       string       `json:"kind" enum:"won,opened,refunded"`
	CampaignID string       `json:"campaign_id"`
	EnvelopeID string       `json:"envelope_id"`
	AmountFen  int64        `json:"amount_fen"`
}

type historyOutput struct {
	Body playerHistory
}

func (s *Server) readHistory(ctx context.Context, in *historyInput) (*historyOutput, error) {
	uid, err := in.UID.parse()
	if err != nil {
		return nil, err
	}
	told := playerHistory{UID: string(in.UID), Events: []playerEvent{}, Truncated: true}
	request := hongbao.WalletRequest{UID: uid, Limit: hongbao.WalletLimitMax}
	for read := 0; read < historyMax; read += hongbao.WalletLimitMax {
		wallet, err := s.service.Wallet(ctx, request)
		if err != nil {
			return nil, err
		}
		for i := range wallet.Envelopes {
			told.Events = appendEvents(told.Events, &wallet.Envelopes[i])
		}
		if !wallet.More {
			told.Truncated = false
			break
		}
		request.After = wallet.Next()
	}
	slices.SortStableFunc(told.Events, func(a, b playerEvent) int { return cmp.Compare(a.At, b.At) })
	return &historyOutput{told}, nil
}

// appendEvents appends a win before what followed it, so that a stable sort keeps that order within a millisecond.
func appendEvents(events []playerEvent, e *hongbao.Envelope) []playerEvent {
	event := playerEvent{
		At: e.WonAt, Kind: hongbao.EnvelopeWon.String(), AmountFen: e.AmountFen,
		CampaignID: strconv.FormatUint(uint64(e.ID.Campaign()), 10), EnvelopeID: strconv.FormatUint(uint64(e.ID), 10),
	}
	events = append(events, event)
	if e.State != hongbao.StateHeld {
		event.At, event.Kind = e.ClosedAt, e.State.String()
		events = append(events, event)
	}
	return events
}
