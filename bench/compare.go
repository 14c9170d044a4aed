package bench

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"hongbao"
)

// Compared is what [Told.Compare] looked at.
type Compared struct {
	Wallets        int      `json:"wallets"`         // wallets read in full
	JournalEntries uint64   `json:"journal_entries"` // of the campaigns played; 0 without an admin client
	Campaigns      []string `json:"campaigns"`       // how each stands: "campaign 3: 120 of 200 envelopes, 5970 of 10000 fen"
}

// Compare holds all that was told against the wallets, the published campaigns and, where admin is not nil, the
// journal. What can't be true is added to the differences; an error means that something could not be read, and then
// nothing is proven. Call it when no request is under way; it may be called again, after more was told or the server
// was started anew.
func (t *Told) Compare(ctx context.Context, client *Client, admin *Admin) (Compared, error) {
	var compared Compared
	wallets, err := t.compareWallets(ctx, client)
	compared.Wallets = wallets
	for _, id := range t.campaignIDs() {
		err = errors.Join(err, t.compareCampaign(client, id))
		if admin == nil {
			continue
		}
		j := newJournalCheck(t, id)
		err = errors.Join(err, j.read(ctx, admin))
		compared.JournalEntries += j.entries
		compared.Campaigns = append(compared.Campaigns, j.String())
	}
	return compared, err
}

// campaignIDs are the campaigns that were played.
func (t *Told) campaignIDs() []uint32 {
	t.mu.Lock()
	defer t.mu.Unlock()
	ids := map[uint32]bool{}
	for id := range t.campaigns {
		ids[id] = true
	}
	for id := range t.envelopes {
		ids[id.Campaign()] = true
	}
	sorted := make([]uint32, 0, len(ids))
	for id := range ids {
		sorted = append(sorted, id)
	}
	slices.Sort(sorted)
	return sorted
}

// compareWallets reads the wallet of every player that was told of a win, or may have won.
func (t *Told) compareWallets(ctx context.Context, client *Client) (read int, err error) {
	var mu sync.Mutex
	each(ctx, t.winners(), func(uid uint64) {
		wallet := client.WholeWallet(uid)
		mu.Lock()
		defer mu.Unlock()
		if wallet.Outcome != Answered {
			err = fmt.Errorf("the wallet of player %d can't be read (%s): %w", uid, wallet.Label, wallet.Err)
			return
		}
		if wallet.AsOf != 0 {
			err = fmt.Errorf("the wallet of player %d is only shown as of %s: compare when all of the cluster is back", uid, wallet.AsOf)
			return
		}
		read++
		t.compareWallet(uid, &wallet)
	})
	return read, errors.Join(err, ctx.Err())
}

func (t *Told) winners() (uids []uint64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for uid, p := range t.players {
		if len(p.holdings) > 0 || p.unknown > 0 {
			uids = append(uids, uid)
		}
	}
	slices.Sort(uids)
	return uids
}

// compareWallet is what [Told.heardWallet] checks, and that nothing is there that nobody was told of.
func (t *Told) compareWallet(uid uint64, wallet *Wallet) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.checkShown(uid, t.before(uid), wallet)
	untold := 0
	for _, e := range wallet.Envelopes {
		if t.envelopes[e.ID] != nil || !t.concerns(e) {
			continue
		}
		if untold++; untold > t.player(uid).unknown {
			t.differences.add("G4", whereEnvelope(uid, e.ID), "in the wallet, and the player was never told")
		}
	}
}

// concerns tells whether an envelope was won in what was witnessed.
func (t *Told) concerns(e Envelope) bool {
	return t.campaigns[e.ID.Campaign()] != nil && e.SnatchedAt >= t.since
}

// compareCampaign holds what was told of a campaign against the rules that it publishes.
func (t *Told) compareCampaign(client *Client, id uint32) error {
	campaign, err := client.Campaign(id)
	var refused *RefusedError
	if errors.As(err, &refused) && refused.Code == "not_found" {
		t.mu.Lock()
		defer t.mu.Unlock()
		t.differences.add("API", whereCampaign(id), "players were told of wins in it, and it does not exist")
		return nil
	}
	if err != nil {
		return err
	}
	t.judgeCampaign(campaign)
	return nil
}

func (t *Told) judgeCampaign(campaign *Campaign) {
	t.mu.Lock()
	defer t.mu.Unlock()
	sum := t.checkAmounts(campaign)
	t.checkBudget(campaign, sum)
	if len(campaign.Revisions) == 1 { // a revision may bring new envelopes
		t.checkSoldOut(campaign)
	}
}

// checkAmounts checks that each envelope told was cut from the budget and is within its bounds, and sums them.
func (t *Told) checkAmounts(campaign *Campaign) (sum hongbao.Tally) {
	published := campaign.published()
	for id, h := range t.envelopes {
		if id.Campaign() != campaign.ID {
			continue
		}
		sum.Add(h.amountFen)
		segment := published.SegmentOf(id.Number())
		switch {
		case segment.Count == 0:
			t.differences.add("G1", whereEnvelope(h.uid, id), "no such envelope was cut from the budget")
		case h.amountFen != 0 && (h.amountFen < segment.MinFen || h.amountFen > segment.MaxFen):
			t.differences.add("G1", whereEnvelope(h.uid, id), "%d fen, where %d to %d are allowed", h.amountFen, segment.MinFen, segment.MaxFen)
		}
	}
	return sum
}

// checkBudget checks what was told against the largest budget that the campaign ever had.
func (t *Told) checkBudget(campaign *Campaign, told hongbao.Tally) {
	var most hongbao.Tally
	for _, r := range campaign.Revisions {
		most.Count = max(most.Count, r.Rules.Budget.Count)
		most.TotalFen = max(most.TotalFen, r.Rules.Budget.TotalFen)
	}
	if told.Count > most.Count || told.TotalFen > most.TotalFen {
		t.differences.add("G1", whereCampaign(campaign.ID), "%d envelopes of %d fen were told, of a budget of %d and %d",
			told.Count, told.TotalFen, most.Count, most.TotalFen)
	}
}

func (t *Told) checkSoldOut(campaign *Campaign) {
	c := t.campaign(campaign.ID)
	if c.lateWin != "" {
		t.differences.add("API", whereCampaign(campaign.ID), "a win after sold_out was told (%s)", c.lateWin)
	}
	if c.soldOutAt != 0 && campaign.Left > 0 {
		t.differences.add("API", whereCampaign(campaign.ID), "sold_out was told, and %d %% are left", campaign.Left)
	}
}
