package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"hongbao"
)

// What falls in a demo, and how soon after the last rain the next one does.
const (
	demoName  = "demo-rain-"
	demoSoon  = hongbao.Duration(3 * time.Second)
	demoLasts = hongbao.Duration(time.Minute)
)

// keepRaining makes a rain whenever there is none that falls or is about to.
func (s *server) keepRaining(ctx context.Context) {
	ticker := time.NewTicker(time.Second)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			s.tryRain(ctx)
		case <-ctx.Done():
			return
		}
	}
}

func (s *server) tryRain(ctx context.Context) {
	err := s.rainOn(ctx)
	if errors.Is(err, hongbao.ErrNameTaken) {
		return // another node was first
	}
	if err != nil && ctx.Err() == nil {
		s.logger.Error("the next rain of the demo could not be made; it is tried again", "error", err)
	}
}

// rainOn makes the next rain once the last one has ended or has nothing left.
func (s *server) rainOn(ctx context.Context) error {
	rains := 0
	for _, campaign := range s.service.Campaigns() {
		if !strings.HasPrefix(campaign.Rules().Name, demoName) {
			continue
		}
		rains++
		if campaign.Seal == nil && s.service.Now() < campaign.Rules().ClosesAt && !s.soldOut(campaign) {
			return nil
		}
	}
	chance := hongbao.ChanceCertain / 2
	_, err := s.service.Create(ctx, hongbao.Spec{
		Name: fmt.Sprint(demoName, rains+1), Kind: hongbao.Rain,
		Title:   hongbao.Text{ZH: "红包雨", EN: "Red-packet rain"},
		OpensAt: hongbao.InFuture(demoSoon), Lasts: demoLasts,
		Budget: hongbao.BudgetSpec{TotalFen: 1_000_00, Count: 1_000},
		Chance: &chance,
	}, "demo")
	return err
}

func (s *server) soldOut(campaign *hongbao.Campaign) bool {
	return s.service.Progress(campaign.ID).Taken.Count >= campaign.Rules().Budget.Count
}
