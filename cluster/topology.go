package cluster

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/rueidis"

	"hongbao"
)

// Redis says where the servers of the first store are.
type Redis struct {
	Addrs    []string // host:port of some of them
	Username string
	Password string
	TLS      bool
}

// topology knows which server has which shard, and keeps a lane to each.
type topology struct {
	seeds   []string
	options rueidis.ClientOption
	shards  string // number of shards, as scripts compare it
	acks    int
	logger  *slog.Logger
	list    []*shard

	lanes   atomic.Pointer[[]*lane] // by shard; nil: nobody has it
	mu      sync.Mutex              // guards byAddr
	byAddr  map[string]*lane
	look    chan struct{} // asks for a look
	stop    chan struct{}
	watcher sync.WaitGroup
}

const lookEvery = time.Second

func newTopology(r Redis, acks int, list []*shard, logger *slog.Logger) *topology {
	t := &topology{
		seeds: r.Addrs, shards: strconv.Itoa(len(list)), acks: acks, logger: logger, list: list,
		options: rueidis.ClientOption{Username: r.Username, Password: r.Password, ClientName: "hongbao"},
		byAddr:  map[string]*lane{}, look: make(chan struct{}, 1), stop: make(chan struct{}),
	}
	if r.TLS {
		t.options.TLSConfig = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	t.lanes.Store(&[]*lane{})
	return t
}

// start looks for the servers, and goes on looking.
func (t *topology) start(ctx context.Context) error {
	if err := t.refresh(ctx); err != nil {
		return err
	}
	t.watcher.Go(t.watch)
	return nil
}

func (t *topology) watch() {
	ticker := time.NewTicker(lookEvery)
	defer ticker.Stop()
	for {
		select {
		case <-t.look:
		case <-ticker.C:
		case <-t.stop:
			return
		}
		ctx, cancel := context.WithTimeout(context.Background(), groupTimeout)
		if err := t.refresh(ctx); err != nil {
			t.logger.Warn("the servers of Redis can't be listed", "error", err)
		}
		cancel()
		select { // not more often than this, however many ask
		case <-time.After(redialEvery):
		case <-t.stop:
			return
		}
	}
}

// changed asks for another look at who has what.
func (t *topology) changed() {
	select {
	case t.look <- struct{}{}:
	default:
	}
}

func (t *topology) close() {
	close(t.stop)
	t.watcher.Wait()
	t.mu.Lock()
	defer t.mu.Unlock()
	var all sync.WaitGroup
	for _, l := range t.byAddr {
		all.Go(l.close)
	}
	all.Wait()
}

// submit sends a call to the server that has its shard.
func (t *topology) submit(ctx context.Context, c *call) error {
	l := t.lane(c.shard)
	if l == nil {
		return fmt.Errorf("%w: no server of Redis has shard %d", hongbao.ErrBusy, c.shard.index)
	}
	return l.submit(ctx, c)
}

// all lists the lanes.
func (t *topology) all() []*lane {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Collect(maps.Values(t.byAddr))
}

func (t *topology) lane(s *shard) *lane {
	lanes := *t.lanes.Load()
	if s.index >= len(lanes) {
		return nil
	}
	return lanes[s.index]
}

// refresh asks the servers, one after another, until one tells who has what.
func (t *topology) refresh(ctx context.Context) error {
	var errs error
	for _, address := range t.candidates() {
		masters, err := t.askMasters(ctx, address)
		if err == nil {
			t.settle(masters)
			return nil
		}
		errs = errors.Join(errs, fmt.Errorf("%s: %w", address, err))
	}
	return fmt.Errorf("%w: %w", hongbao.ErrBusy, errs)
}

// candidates are those that are known to be up, and then those that were configured.
func (t *topology) candidates() (list []string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for address, l := range t.byAddr {
		if !l.down.Load() {
			list = append(list, address)
		}
	}
	return append(list, t.seeds...)
}

// slots is a range of hash slots and the master that has it.
type slots struct {
	from, to int64
	master   string
}

func (t *topology) askMasters(ctx context.Context, address string) ([]slots, error) {
	ctx, cancel := context.WithTimeout(ctx, dialTimeout/2)
	defer cancel()
	client, err := t.dial(address)
	if err != nil {
		return nil, err
	}
	defer client.Close()
	message, err := client.Do(ctx, client.B().ClusterSlots().Build()).ToMessage()
	var fromRedis *rueidis.RedisError
	if errors.As(err, &fromRedis) { // cluster support is disabled: one server has everything
		return []slots{{0, 1<<14 - 1, address}}, nil
	}
	if err != nil {
		return nil, err
	}
	return parseSlots(&message, address)
}

func (t *topology) dial(address string) (rueidis.Client, error) {
	options := t.options
	options.InitAddress = []string{address}
	options.ForceSingleClient, options.DisableCache, options.DisableRetry = true, true, true
	options.Dialer.Timeout, options.ConnWriteTimeout = dialTimeout/2, dialTimeout/2
	return rueidis.NewClient(options)
}

// parseSlots reads CLUSTER SLOTS. A server that does not know its own address leaves it empty.
func parseSlots(message *rueidis.RedisMessage, asked string) ([]slots, error) {
	ranges, err := message.ToArray()
	if err != nil {
		return nil, err
	}
	host, _, _ := net.SplitHostPort(asked)
	var list []slots
	for _, r := range ranges {
		parts, err := r.ToArray()
		if err != nil || len(parts) < 3 {
			return nil, errors.New("CLUSTER SLOTS answers something else than ranges")
		}
		master, err := parts[2].ToArray()
		if err != nil || len(master) < 2 {
			return nil, errors.New("CLUSTER SLOTS answers a range without a master")
		}
		from, _ := parts[0].AsInt64()
		to, _ := parts[1].AsInt64()
		name, _ := master[0].ToString()
		port, _ := master[1].AsInt64()
		if name == "" || name == "?" {
			name = host
		}
		list = append(list, slots{from, to, net.JoinHostPort(name, strconv.FormatInt(port, 10))})
	}
	if len(list) == 0 {
		return nil, errors.New("no master has any slot")
	}
	return list, nil
}

// settle gives each shard the lane of its master, and lets lanes go whose server has none any more.
func (t *topology) settle(masters []slots) {
	t.mu.Lock()
	defer t.mu.Unlock()
	lanes, used := make([]*lane, len(t.list)), map[string]bool{}
	for i, s := range t.list {
		slot := int64(slotOf(s.tag))
		for _, r := range masters {
			if r.from <= slot && slot <= r.to {
				lanes[i] = t.laneTo(r.master)
				used[r.master] = true
			}
		}
	}
	t.lanes.Store(&lanes)
	for address, l := range t.byAddr {
		if !used[address] {
			delete(t.byAddr, address)
			go l.close()
		}
	}
}

func (t *topology) laneTo(address string) *lane {
	l := t.byAddr[address]
	if l == nil {
		l = newLane(address, t.acks, t.shards, t.options, t.logger, t.changed)
		t.byAddr[address] = l
	}
	return l
}

// slotOf is the hash slot of a tag in braces: CRC16 (XMODEM) of what is between them, of 16,384.
func slotOf(tag string) uint16 {
	var crc uint16
	for _, b := range []byte(tag[1 : len(tag)-1]) {
		crc ^= uint16(b) << 8
		for range 8 {
			if crc&0x8000 != 0 {
				crc = crc<<1 ^ 0x1021
			} else {
				crc <<= 1
			}
		}
	}
	return crc % 16384
}
