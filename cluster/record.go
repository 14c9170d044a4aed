package cluster

import (
	"context"
	"fmt"
	"strconv"

	"hongbao"
)

// recordMax is how many bytes of texts a system event may have.
const recordMax = 512 << 10

// Record journals a system event on the first shard, which keeps the latest of each name. Its position is behind the event there, and elsewhere behind what the
// books had.
func (e *Engine) Record(ctx context.Context, event hongbao.Event, after *hongbao.Event) (hongbao.Position, error) {
	if err := e.checkRecord(&event); err != nil {
		return "", err
	}
	var latest []string // what the latest event must be; nothing: whatever it is
	if after != nil {
		form, err := hongbao.LatestForm(event.Name, after)
		if err != nil {
			return "", err
		}
		latest = []string{string(form)}
	}
	event.Kind = hongbao.SystemRecorded
	home := e.home()
	for range 100 {
		event.At = e.time(event.At)
		args := []string{e.limit, string(hongbao.AppendEvent(nil, &event)), event.Name}
		reply, err := e.ask(ctx, home, scriptRecord, event.At, []string{home.outbox, home.recorded()}, append(args, latest...)...)
		if err != nil {
			return "", err
		}
		switch reply[0] {
		case "ok":
			e.seen(event.At)
			return e.positionOf(parseUint(reply[1])), nil
		case "stale":
			return "", fmt.Errorf("%w: another event named %s was recorded", hongbao.ErrStale, event.Name)
		}
		e.seen(parseTime(reply[1])) // time
	}
	return "", fmt.Errorf("%w: the clocks of the shards keep moving", hongbao.ErrBusy)
}

func (e *Engine) checkRecord(event *hongbao.Event) error {
	if err := hongbao.CheckEventName(event.Name); err != nil {
		return err
	}
	if event.Name == zoneEvent && e.catalog.good.Load().Unix() > 0 {
		return hongbao.Invalid("name", event.Name, "another one: it is the engine's own")
	}
	if size := len(event.Name) + len(event.Actor) + len(event.Data); size > recordMax {
		return hongbao.Invalid("data", size, "with name and actor at most "+strconv.Itoa(recordMax)+" bytes long")
	}
	return nil
}

// positionOf is the position of an event of the first shard.
func (e *Engine) positionOf(seq uint64) hongbao.Position {
	seqs := make([]uint64, len(e.shards))
	for _, mark := range e.state.Load().marks {
		seqs[mark.Shard] = mark.Seq
	}
	seqs[0] = seq
	return positionText(seqs)
}

// Recorded is the event of that name that was recorded last, as the first shard has it: what Record returned on any node is
// there, and nothing is told that is not final.
func (e *Engine) Recorded(ctx context.Context, name string) (event hongbao.Event, err error) {
	if name == zoneEvent {
		return event, notRecorded(name)
	}
	home := e.home()
	reply, err := e.ask(ctx, home, scriptRecorded, 0, []string{home.recorded()}, name)
	if err != nil {
		return event, err
	}
	if reply[0] == "none" {
		return event, notRecorded(name)
	}
	return event, hongbao.DecodeEvent([]byte(reply[1]), &event)
}

func notRecorded(name string) error {
	return fmt.Errorf("%w: no event named %s was recorded", hongbao.ErrNotFound, name)
}
