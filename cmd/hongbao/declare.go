package main

import (
	"context"
	"errors"
	"time"

	"hongbao"
)

// declare makes the campaigns of the configuration. Nodes that start at once make the same: where another one was first,
// its campaign is the stored one a moment later.
func (s *server) declare(ctx context.Context) error {
	const tries, pause = 5, 500 * time.Millisecond
	err := s.service.Declare(ctx, s.config.Campaigns)
	for range tries {
		if !errors.Is(err, hongbao.ErrNameTaken) {
			break
		}
		time.Sleep(pause)
		err = s.service.Declare(ctx, s.config.Campaigns)
	}
	return err
}
