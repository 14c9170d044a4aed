package webhook

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"hongbao"
)

// The system events of this package, beside those of slots.
const (
	listEvent = "webhooks"       // the list: the latest is all there is
	markEvent = "webhooks.begin" // marks where in the journal a new endpoint begins
)

// list is what is journaled of endpoints, whole.
type list struct {
	Revision  uint64   `json:"revision"`            // one more with each change
	Endpoints []stored `json:"endpoints,omitempty"` // made over the API
	Places    []place  `json:"places,omitempty"`    // of all endpoints, the configuration's too
}

// stored is an endpoint that was made over the API.
type stored struct {
	Name      string   `json:"name"`
	URL       string   `json:"url"`
	Sealed    [][]byte `json:"sealed"` // its keys
	Events    []string `json:"events,omitempty"`
	Campaigns []string `json:"campaigns,omitempty"`
	Disabled  bool     `json:"disabled,omitempty"`
	Revision  uint64   `json:"revision"` // of the list, when it was put
}

// place says where an endpoint keeps how far it has come, and where it began. A cursor of another generation than its
// place's is void: so commands and the one who delivers never write the same event.
type place struct {
	Name       string           `json:"name"`
	Slot       int              `json:"slot"`
	Generation uint64           `json:"generation"`     // revision of the list that set Begin
	Begin      hongbao.Position `json:"begin"`          // where it begins without a cursor of this generation
	Kick       uint64           `json:"kick,omitempty"` // revision of the list that last said: try everything again now
}

func (l *list) endpoint(name string) *stored {
	i := slices.IndexFunc(l.Endpoints, func(s stored) bool { return s.Name == name })
	if i < 0 {
		return nil
	}
	return &l.Endpoints[i]
}

func (l *list) place(name string) *place {
	i := slices.IndexFunc(l.Places, func(p place) bool { return p.Name == name })
	if i < 0 {
		return nil
	}
	return &l.Places[i]
}

// settle gives an endpoint a slot, and a beginning. One whose endpoint is neither in the list nor configured makes room
// where none is free: it is kept until then, because the configuration of another process may have it.
func (l *list) settle(name string, begin hongbao.Position, configured []Endpoint) error {
	p := place{Name: name, Generation: l.Revision, Begin: begin}
	taken := [EndpointsMax]bool{}
	for _, other := range l.Places {
		taken[other.Slot] = true
	}
	p.Slot = slices.Index(taken[:], false)
	if p.Slot < 0 {
		orphan := slices.IndexFunc(l.Places, func(other place) bool {
			return l.endpoint(other.Name) == nil && !declares(configured, other.Name)
		})
		if orphan < 0 {
			return hongbao.Invalid("name", name, fmt.Sprintf("one of at most %d webhooks: delete one first", EndpointsMax))
		}
		p.Slot = l.Places[orphan].Slot
		l.Places = slices.Delete(l.Places, orphan, orphan+1)
	}
	l.Places = append(l.Places, p)
	return nil
}

func declares(configured []Endpoint, name string) bool {
	return slices.ContainsFunc(configured, func(e Endpoint) bool { return e.Name == name })
}

// load reads the list that was journaled last, and the event that it is in.
func (s *Sender) load(ctx context.Context) (l list, event hongbao.Event, err error) {
	event, err = s.engine.Recorded(ctx, listEvent)
	if errors.Is(err, hongbao.ErrNotFound) {
		return list{}, hongbao.Event{}, nil
	}
	if err != nil {
		return list{}, hongbao.Event{}, err
	}
	if err := json.Unmarshal(event.Data, &l); err != nil {
		return list{}, hongbao.Event{}, fmt.Errorf("%w: the list of webhooks in the journal: %w", hongbao.ErrBroken, err)
	}
	return l, event, nil
}

// change journals the list after edit, which is asked again where another change came first.
func (s *Sender) change(ctx context.Context, actor string, edit func(*list) error) (list, error) {
	const tries = 10
	for i := 0; ; i++ {
		l, before, err := s.load(ctx)
		if err != nil {
			return list{}, err
		}
		l.Revision++
		if err := edit(&l); err != nil {
			return list{}, err
		}
		data, err := json.Marshal(l)
		if err != nil {
			return list{}, err
		}
		event := hongbao.Event{At: s.service.Now(), Actor: actor, Name: listEvent, Data: data}
		_, err = s.engine.Record(ctx, event, &before)
		if errors.Is(err, hongbao.ErrStale) && i < tries {
			continue
		}
		if errors.Is(err, hongbao.ErrStale) {
			err = fmt.Errorf("%w: others keep changing the webhooks", hongbao.ErrBusy)
		}
		if err == nil {
			s.poke()
		}
		return l, err
	}
}

// end is the end of the journal as of now.
func (s *Sender) end(ctx context.Context, name, actor string) (hongbao.Position, error) {
	data, err := json.Marshal(map[string]string{"name": name})
	if err != nil {
		return "", err
	}
	return s.engine.Record(ctx, hongbao.Event{At: s.service.Now(), Actor: actor, Name: markEvent, Data: data}, nil)
}
