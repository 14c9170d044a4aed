package hongbao

import "context"

// OpenRequest asks to credit an envelope.
type OpenRequest struct {
	UID      uint64
	Envelope EnvelopeID
	Now      Time
}

// OpenResult is the outcome of opening: credited now (First), credited before, or expired.
type OpenResult struct {
	Expired    bool // too late, or refunded; nothing else is set
	First      bool
	AmountFen  int64
	BalanceFen int64 // after it
}

// Open credits a held envelope to its holder; asked again, it tells the same amount. An envelope that does not exist
// or is somebody else's is [ErrNotFound]. After [ErrUnknown] it is asked again to learn.
func (s *Service) Open(ctx context.Context, uid uint64, envelope EnvelopeID) (OpenResult, error) {
	if err := checkUID(uid); err != nil {
		return OpenResult{}, err
	}
	result, err := s.engine.Open(ctx, OpenRequest{UID: uid, Envelope: envelope, Now: s.clock.Now()})
	if err == nil && result.First {
		s.openings.Add(1)
	}
	return result, err
}
