package hongbao

import (
	"context"
	"fmt"
	"strconv"
)

// Declare creates the campaigns of the configuration that do not exist yet. One that is stored under its name is left
// alone, and a difference is logged. A campaign with relative times is made anew, as name-2, name-3 …, once the stored
// one has ended.
func (s *Service) Declare(ctx context.Context, specs []Spec) error {
	for i, spec := range specs {
		if err := s.declare(ctx, spec); err != nil {
			return fmt.Errorf("campaigns[%d] (%s): %w", i, spec.Name, err)
		}
	}
	return nil
}

func (s *Service) declare(ctx context.Context, spec Spec) error {
	latest, next := s.generation(spec)
	now := s.Now()
	if latest != nil && (!spec.relative() || now < latest.ended()) {
		s.warnOfDifference(spec, latest)
		return nil
	}
	spec.Name = next
	_, err := s.Create(ctx, spec, "config")
	return err
}

func (s Spec) relative() bool { return s.OpensAt.Relative() || s.ClosesAt.Relative() }

// generation finds the newest stored campaign of the spec's name, and the name of the next.
func (s *Service) generation(spec Spec) (latest *Campaign, next string) {
	byName := map[string]*Campaign{}
	for _, c := range s.engine.Campaigns() {
		byName[c.Rules().Name] = c
	}
	next = spec.Name
	for n := 2; byName[next] != nil; n++ {
		latest = byName[next]
		if !spec.relative() {
			break
		}
		next = spec.Name + "-" + strconv.Itoa(n)
	}
	return latest, next
}

func (s *Service) warnOfDifference(spec Spec, stored *Campaign) {
	declared, err := spec.Rules(stored.Revisions[0].At)
	if err != nil {
		s.logger.Warn("a declared campaign is stored already and would not be valid now", "name", spec.Name, "error", err)
		return
	}
	inForce := *stored.Rules()
	declared.Name = inForce.Name
	if spec.relative() {
		declared.OpensAt, declared.ClosesAt = inForce.OpensAt, inForce.ClosesAt
	}
	if declared != inForce {
		s.logger.Warn("a declared campaign is stored with other rules and is left alone", "name", inForce.Name, "id", stored.ID,
			"declared", string(CanonicalRules(declared)), "stored", string(CanonicalRules(inForce)))
	}
}
