package cluster

import "strconv"

// Figure is one number that the engine counts, for metrics. Figures of one name have the same labels.
type Figure struct {
	Name    string // "cluster_relayed_total"
	Help    string // a sentence
	Labels  map[string]string
	Counter bool // it only grows while the process runs
	Value   float64
}

// Figures are how the stores fared when they were looked at last, and what this process has done as a worker. It asks
// nobody.
func (e *Engine) Figures() []Figure {
	state := e.state.Load()
	figures := []Figure{
		{Name: "cluster_worker_active", Help: "1 when this process is the one that works in the background.", Value: ones(e.work.active.Load())},
		{Name: "cluster_relayed_total", Help: "Events moved to Kafka by this process.", Counter: true, Value: float64(e.work.relayed.Load())},
		{Name: "cluster_ledger_events_total", Help: "Events entered into the books by this process.", Counter: true, Value: float64(e.work.applied.Load())},
		{Name: "cluster_ledger_lag_seconds", Help: "For how long some event has been waiting to enter the books.", Value: state.behind.Seconds()},
		{Name: "cluster_conflicts_total", Help: "Events that contradict the books, such as a second holder of an envelope.", Counter: true, Value: float64(state.conflicts)},
		{Name: "cluster_outbox_limit_bytes", Help: "Size of a shard's outbox at which its players are told busy.", Value: float64(e.options.OutboxBytes)},
		{Name: "cluster_replicas_missing", Help: "Redis masters that this process reaches and that lack the replicas which must confirm.", Value: float64(e.unconfirmedMasters())},
	}
	for _, s := range e.shards {
		figures = append(figures, e.figuresOf(s, state)...)
	}
	return figures
}

func (e *Engine) figuresOf(s *shard, state *state) []Figure {
	waiting := 0.0
	if s.index < len(state.marks) {
		seq := s.seq.Load()
		waiting = float64(seq - min(seq, state.marks[s.index].Seq))
	}
	labels := map[string]string{"shard": strconv.Itoa(s.index)}
	gauge := func(name, help string, value float64) Figure {
		return Figure{Name: name, Help: help, Labels: labels, Value: value}
	}
	return []Figure{
		gauge("cluster_shard_up", "1 when this process can use the shard.", ones(e.usable(s))),
		gauge("cluster_shard_fenced", "1 when the shard waits for adoption or reconciling.", ones(s.fenced.Load())),
		gauge("cluster_outbox_events", "Events of the shard that are final and not yet in the books.", waiting),
		gauge("cluster_outbox_bytes", "Size of the shard's outbox.", float64(s.bytes.Load())),
	}
}

func ones(is bool) float64 {
	if is {
		return 1
	}
	return 0
}

// usable reports whether the shard answered when it was looked at last, confirmed by its replicas.
func (e *Engine) usable(s *shard) bool {
	l := e.redis.lane(s)
	return l != nil && !l.down.Load() && !s.fenced.Load() && s.answers.Load()
}

// unconfirmedMasters counts the servers that can be reached and whose shards, not fenced, do not answer all the same.
func (e *Engine) unconfirmedMasters() int {
	masters := map[*lane]bool{}
	for _, s := range e.shards {
		if l := e.redis.lane(s); l != nil && !l.down.Load() && !s.fenced.Load() && !s.answers.Load() {
			masters[l] = true
		}
	}
	return len(masters)
}
