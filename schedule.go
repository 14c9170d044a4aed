package hongbao

import (
	"context"
	"errors"
	"time"
)

const (
	tendEvery   = 100 * time.Millisecond
	refundBatch = 1000
)

// Run does what the clock demands until ctx ends: it seals campaigns whose time has come and takes back envelopes that
// have expired.
func (s *Service) Run(ctx context.Context) {
	ticker := time.NewTicker(tendEvery)
	defer ticker.Stop()
	failing := false
	for ctx.Err() == nil {
		err := s.Tend(ctx)
		if ctx.Err() != nil {
			return
		}
		if failed := err != nil; failed != failing {
			failing = failed
			s.logTending(err)
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
		}
	}
}

// logTending tells that the rounds begin to fail, or that they work again: they are many a second.
func (s *Service) logTending(err error) {
	if err != nil {
		s.logger.Error("sealing and settling failed; it is tried again", "error", err)
	} else {
		s.logger.Info("sealing and settling works again")
	}
}

// Tend does one round of what [Service.Run] repeats. While the wall clock is away from the monotonic one by more than
// a minute it does nothing: sealing is one-way, and a clock that jumped may jump back.
func (s *Service) Tend(ctx context.Context) error {
	jump, ok := s.clock.Jump()
	if s.jumped.Swap(!ok) == ok { // it changed
		s.logger.Error("wall clock against monotonic clock", "jump", jump, "sealing_and_settling", ok)
	}
	if !ok {
		return nil
	}
	now := s.Now()
	return errors.Join(s.sealDue(ctx, now), s.refundDue(ctx, now))
}

func (s *Service) sealDue(ctx context.Context, now Time) error {
	var errs error
	for _, c := range s.engine.Campaigns() {
		if c.Seal == nil && now >= c.Rules().ClosesAt {
			_, err := s.engine.Put(ctx, Change{At: now, Actor: "clock", Campaign: c.ID, Close: true})
			errs = errors.Join(errs, err)
		}
	}
	return errs
}

func (s *Service) refundDue(ctx context.Context, now Time) error {
	for ctx.Err() == nil {
		refunded, err := s.engine.Refund(ctx, now, refundBatch)
		if err != nil || refunded < refundBatch {
			return err
		}
	}
	return nil
}
