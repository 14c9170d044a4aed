// Command go plays a whole rain: it waits until the rain opens, taps until there is nothing more to win, opens what it has
// won, and says what is in the wallet. What it plays with, client.go and events.go, is there to be copied into a product.
//
//	go run ./examples/go -campaign 1 -uid 7
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"net/http"
	"os"
	"time"
)

// result is what is printed in the end.
type result struct {
	Won        []string `json:"won"`    // envelopes that the player was told of
	Opened     []string `json:"opened"` // and that are opened
	OpenedFen  int64    `json:"opened_fen"`
	BalanceFen int64    `json:"balance_fen"`
	Events     []uint64 `json:"events"` // ids
}

func main() {
	log.SetFlags(0)
	server := flag.String("url", "http://127.0.0.1:8080", "player port")
	campaign := flag.String("campaign", "1", "campaign to play")
	uid := flag.String("uid", "7", "player, with player.auth trusted")
	token := flag.String("token", "", "player's token, with player.auth jwt")
	stay := flag.Bool("stay", false, "go on listening until the campaign is over")
	within := flag.Duration("within", 10*time.Minute, "give up after so long")
	flag.Parse()

	ctx, cancel := context.WithTimeout(context.Background(), *within)
	defer cancel()
	client := &Client{URL: *server, Identify: func(h http.Header) {
		if *token != "" {
			h.Set("Authorization", "Bearer "+*token)
		} else {
			h.Set("X-Player-Id", *uid)
		}
	}}
	result, err := play(ctx, client, *campaign, *stay)
	if err != nil {
		log.Fatal(err)
	}
	if err := json.NewEncoder(os.Stdout).Encode(result); err != nil {
		log.Fatal(err)
	}
}

// play plays a campaign from before it opens to the wallet.
func play(ctx context.Context, client *Client, campaign string, stay bool) (r result, err error) {
	ctx, cancel := context.WithCancel(ctx)
	news := news{opens: make(chan struct{}), over: make(chan struct{}), ended: make(chan struct{})}
	go news.follow(ctx, client, campaign)
	defer func() {
		cancel()
		<-news.ended
		r.Events = news.ids
	}()
	if err := r.tap(ctx, client, campaign, &news); err != nil {
		return r, err
	}
	if err := r.open(ctx, client, campaign); err != nil {
		return r, err
	}
	if stay {
		err = news.wait(news.over)
	}
	return r, err
}

// news is what everybody is told of a campaign.
type news struct {
	opens, over chan struct{} // closed when it does, and when it is
	ended       chan struct{} // closed when no more comes; what is below may be read then
	ids         []uint64
	err         error
}

// follow listens until ctx ends.
func (n *news) follow(ctx context.Context, client *Client, campaign string) {
	defer close(n.ended)
	isOpen, isOver := false, false
	for event, err := range client.Events(ctx, 0) {
		if err != nil {
			n.err = err
			return
		}
		if event.ID > 0 {
			n.ids = append(n.ids, event.ID)
		}
		var about struct {
			CampaignID string `json:"campaign_id"`
			ID, Phase  string // of the event `campaign`, which comes first for each that is not over
		}
		if json.Unmarshal(event.Data, &about) != nil || about.CampaignID != campaign && about.ID != campaign {
			continue
		}
		log.Println(event.Name, about.Phase)
		if !isOpen && (event.Name == "open" || event.Name == "campaign" && about.Phase == "open") {
			isOpen = true
			close(n.opens)
		}
		if !isOver && (event.Name == "closed" || event.Name == "cancelled") {
			isOver = true
			close(n.over)
		}
	}
}

// wait waits for one of the things that happen to a campaign, or its end.
func (n *news) wait(happens chan struct{}) error {
	select {
	case <-happens:
	case <-n.over:
	case <-n.ended:
		return n.err
	}
	return nil
}

// tap snatches until it is told that there is nothing more to win.
func (r *result) tap(ctx context.Context, client *Client, campaign string, news *news) error {
	for {
		s, err := client.Snatch(ctx, campaign, NewKey())
		if err != nil {
			return err
		}
		switch s.Status {
		case "won":
			r.Won = append(r.Won, s.EnvelopeID)
			log.Println("won", s.EnvelopeID, s.Wins, "of", s.WinsMax)
		case "missed", "paused":
		case "not_open":
			if err := news.wait(news.opens); err != nil {
				return err
			}
		default:
			log.Println(s.Status)
			return nil
		}
		select {
		case <-time.After(100 * time.Millisecond): // a thumb is not faster
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// open opens whatever of the campaign is in the wallet, also what an earlier run did not come to open.
func (r *result) open(ctx context.Context, client *Client, campaign string) error {
	for e, err := range client.Envelopes(ctx) {
		if err != nil {
			return err
		}
		if e.CampaignID != campaign || e.Status != "held" {
			continue
		}
		o, err := client.Open(ctx, e.ID)
		if err != nil {
			return err
		}
		if o.Status != "opened" {
			return fmt.Errorf("envelope %s is %s", e.ID, o.Status)
		}
		r.Opened = append(r.Opened, e.ID)
		r.OpenedFen += o.AmountFen
		log.Printf("opened %s: %d fen", e.ID, o.AmountFen)
	}
	wallet, err := client.Wallet(ctx, "")
	r.BalanceFen = wallet.BalanceFen
	return err
}
