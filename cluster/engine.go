package cluster

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"hongbao"
	"hongbao/cluster/ledger"
	"hongbao/cluster/topic"
)

// Options say where the stores are and how they are used.
type Options struct {
	Redis       Redis
	Kafka       topic.Options // an empty Topic is hongbao.journal
	MySQL       string        // data source name of go-sql-driver
	Shards      int           // logical shards; fixed at the first start. Default 64
	ReplicasAck int           // replicas that must have a change before it is told; must equal the replicas of each master
	TrimAtKafka bool          // trim outboxes at Kafka's acknowledgement instead of the ledger's
	OutboxBytes int64         // a shard's outbox at most. Default 64 MiB
	AllowWeak   []Weakness    // settings of the stores that are accepted although G4 suffers

	Calendar *hongbao.Calendar
	Now      func() hongbao.Time // wall clock at the start
	Logger   *slog.Logger

	Prefix      string        // begins the names of all keys, after the brace. Default hongbao
	CacheAge    time.Duration // how old a campaign's rules may be where they are used without asking. Default 1 s
	ProgressAge time.Duration // how old Progress may be. Default 200 ms; negative: not at all
	LeaseMax    int           // numbers leased at a time. Default 2048
	// Broken is told why a worker can't go on with a shard; the process may go on serving.
	Broken func(error)
}

func (o *Options) setDefaults() {
	setDefault(&o.Shards, 64)
	setDefault(&o.OutboxBytes, 64<<20)
	setDefault(&o.Prefix, "hongbao")
	setDefault(&o.Kafka.Topic, "hongbao.journal")
	setDefault(&o.CacheAge, time.Second)
	setDefault(&o.ProgressAge, 200*time.Millisecond)
	setDefault(&o.LeaseMax, 2048)
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	if o.Broken == nil {
		o.Broken = func(error) {}
	}
	o.Kafka.Logger = o.Logger
}

func setDefault[T comparable](value *T, otherwise T) {
	var zero T
	if *value == zero {
		*value = otherwise
	}
}

// ShardsMax is the most shards that there can be.
const ShardsMax = 1024

// Engine is the cluster engine. It implements [hongbao.Engine]. It keeps nothing: any number of them work on the same
// stores.
type Engine struct {
	options  Options
	logger   *slog.Logger
	calendar *hongbao.Calendar
	secret   hongbao.Secret
	shards   []*shard
	limit    string // bytes of an outbox, as the scripts of players take it
	reserve  string // and those of refunds

	redis   *topology
	ledger  *ledger.Ledger
	topic   *topic.Topic
	catalog *catalog
	days    days
	flights flights

	nobodies nobodies
	readers  chan struct{} // a place for each that reads the books

	last   atomic.Int64 // latest engine time that was seen, Unix milliseconds
	offset atomic.Int64 // nanoseconds that Redis' clock is ahead of this machine's
	state  atomic.Pointer[state]
	kafka  atomic.Pointer[error] // why it does not answer; nil: it does
	work   *working

	incarnation string // of the leases of new campaigns

	stop     chan struct{}
	tasks    sync.WaitGroup
	closing  sync.Once
	closeErr error
}

var _ hongbao.Engine = (*Engine)(nil)

// Open connects to the stores, makes schema, topic and shard records where nothing is there yet, checks how the stores
// are set up, and is ready to serve when it returns. Shards that wait for adoption answer busy meanwhile.
func Open(ctx context.Context, o Options) (*Engine, error) {
	o.setDefaults()
	e := newEngine(o)
	if err := e.start(ctx); err != nil {
		return nil, errors.Join(err, e.release())
	}
	e.tasks.Go(e.catalog.keep)
	e.tasks.Go(e.observe)
	e.tasks.Go(e.watchKafka)
	return e, nil
}

func newEngine(o Options) *Engine {
	e := &Engine{
		options: o, logger: o.Logger, calendar: o.Calendar, stop: make(chan struct{}),
		readers: make(chan struct{}, readersMax), work: newWorking(o.Shards), limit: fmt.Sprint(o.OutboxBytes), reserve: fmt.Sprint(o.OutboxBytes + o.OutboxBytes/8),
	}
	e.days.calendar = o.Calendar
	for i := range o.Shards {
		e.shards = append(e.shards, newShard(o.Prefix, i))
	}
	e.redis = newTopology(o.Redis, o.ReplicasAck, e.shards, o.Logger)
	e.catalog = newCatalog(e)
	e.state.Store(&state{})
	return e
}

func (e *Engine) start(ctx context.Context) error {
	if err := e.connect(ctx); err != nil {
		return err
	}
	if err := e.checkRedis(ctx); err != nil {
		return err
	}
	if err := e.setUp(ctx); err != nil {
		return err
	}
	if err := e.checkTopic(ctx); err != nil {
		return err
	}
	if err := e.checkClock(ctx); err != nil {
		return err
	}
	err := e.catalog.refresh(ctx)
	if errors.Is(err, hongbao.ErrBusy) { // its server is down, or waits for a worker, which may be this one
		e.logger.Warn("the list of campaigns is that of the books, for now", "error", err)
		err = e.catalog.refreshFromBooks(ctx)
	}
	return err
}

// connect reaches the stores.
func (e *Engine) connect(ctx context.Context) (err error) {
	if e.ledger, err = ledger.Open(ctx, e.options.MySQL); err != nil {
		return named("cluster.mysql.dsn", err)
	}
	if e.topic, err = topic.Open(ctx, e.options.Kafka); err != nil {
		return named("cluster.kafka.brokers", err)
	}
	if err := e.redis.start(ctx); err != nil {
		return named("cluster.redis.addrs", err)
	}
	return nil
}

// home is the shard of banks and of the list of campaigns.
func (e *Engine) home() *shard { return e.shards[0] }

// of is the shard of a player.
func (e *Engine) of(uid uint64) *shard { return e.shards[shardOf(uid, len(e.shards))] }

// Secret is what seeds and receipts derive from; all nodes have it from the ledger.
func (e *Engine) Secret() hongbao.Secret { return e.secret }

// time is engine time as far as this process knows it: it never goes back.
func (e *Engine) time(now hongbao.Time) hongbao.Time { return max(now, hongbao.Time(e.last.Load())) }

// seen notes the time of something that was committed.
func (e *Engine) seen(at hongbao.Time) {
	for {
		last := e.last.Load()
		if int64(at) <= last || e.last.CompareAndSwap(last, int64(at)) {
			return
		}
	}
}

// Offset is how far Redis' clock is ahead of this machine's. Nodes add it to their wall clock, so that they agree.
func (e *Engine) Offset() time.Duration { return time.Duration(e.offset.Load()) }

// Close lets the stores go. There is nothing to make durable: what was told is.
func (e *Engine) Close() error {
	e.closing.Do(func() {
		close(e.stop)
		e.tasks.Wait()
		e.closeErr = e.release()
	})
	return e.closeErr
}

func (e *Engine) release() (err error) {
	e.redis.close()
	if e.topic != nil {
		e.topic.Close()
	}
	if e.ledger != nil {
		err = e.ledger.Close()
	}
	return err
}

// everyShard does something with every shard at once and joins the errors.
func (e *Engine) everyShard(do func(s *shard) error) error {
	errs := make([]error, len(e.shards))
	var all sync.WaitGroup
	for i, s := range e.shards {
		all.Go(func() { errs[i] = do(s) })
	}
	all.Wait()
	return errors.Join(errs...)
}

// patience is how long an operation goes on when what it rests on keeps changing, before it is busy.
const patience = 3 * time.Second

// again waits a moment before something is tried again, or reports false when it has been tried for long enough.
func again(ctx context.Context, since time.Time) bool {
	if time.Since(since) > patience {
		return false
	}
	timer := time.NewTimer(2 * time.Millisecond)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
