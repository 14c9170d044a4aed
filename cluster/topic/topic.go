package topic

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sasl/plain"
	"github.com/twmb/franz-go/pkg/sasl/scram"

	"hongbao"
)

// DefaultName is the topic's name where the options give none.
const DefaultName = "hongbao.journal"

// Options say where the journal is. Only Brokers is required.
type Options struct {
	Brokers []string // host:port, any of the cluster's
	Topic   string   // default [DefaultName]
	TLS     bool     // with the system's certificate authorities
	SASL    SASL     // default none

	// ProduceTimeout is how long [Topic.Produce] tries to have records acknowledged, for each round of up to 65,536
	// of them; default 10 s.
	ProduceTimeout time.Duration
	Logger         *slog.Logger // default [slog.Default]

	dial func(ctx context.Context, network, address string) (net.Conn, error) // tests cut and hold what goes through it
}

// SASL is how to log in. An empty Mechanism is not at all.
type SASL struct {
	Mechanism string // plain, scram-sha-256 or scram-sha-512
	User      string
	Password  string
}

// Limits on what Kafka may take. A broker that holds a request longer is taken for dead, and another connection is tried.
const (
	callTimeout    = 10 * time.Second       // of Open, and of a call that describes, lists or creates
	dialTimeout    = 3 * time.Second        // of one connection
	requestTimeout = 5 * time.Second        // of one request, beyond what the broker may wait by itself
	metadataMinAge = 250 * time.Millisecond // between two looks for where a partition's leader is
	metadataMaxAge = time.Minute
)

// Topic is a connection to the journal. Its methods may be called at the same time.
type Topic struct {
	options  Options
	sasl     kgo.Opt // nil without
	client   *kgo.Client
	admin    *kadm.Client
	id       atomic.Pointer[kadm.TopicID] // as first seen
	producer producer
	stats    struct{ produced, produceErrors, restarts atomic.Uint64 }
}

// Open connects. It doesn't need the topic to exist. The error is [hongbao.ErrInvalid] for options that can't be, and
// [hongbao.ErrBusy] when no broker answers within ten seconds or until ctx is done.
func Open(ctx context.Context, options Options) (*Topic, error) {
	if options.Topic == "" {
		options.Topic = DefaultName
	}
	if options.ProduceTimeout == 0 {
		options.ProduceTimeout = 10 * time.Second
	}
	if options.Logger == nil {
		options.Logger = slog.Default()
	}
	if len(options.Brokers) == 0 {
		return nil, hongbao.Invalid("cluster.kafka.brokers", options.Brokers, "a list of host:port")
	}
	t := &Topic{options: options}
	t.producer.turn, t.producer.closed = make(chan struct{}, 1), make(chan struct{})
	var err error
	if t.sasl, err = options.SASL.opt(); err != nil {
		return nil, err
	}
	if t.client, err = t.connect(); err != nil {
		return nil, err
	}
	t.admin = kadm.NewClient(t.client)

	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	if err := t.client.Ping(ctx); err != nil {
		t.client.Close()
		return nil, failure(fmt.Sprintf("kafka at %v", options.Brokers), err)
	}
	return t, nil
}

// Close ends the connection. Consumers are closed by who made them; a Produce that is under way ends with an error.
func (t *Topic) Close() {
	t.producer.close()
	t.client.Close()
}

// Stats are counts since Open.
type Stats struct {
	Produced      uint64 // records acknowledged
	ProduceErrors uint64 // calls of Produce that failed
	Restarts      uint64 // producers given up after an error
}

// Stats returns the counts.
func (t *Topic) Stats() Stats {
	return Stats{
		Produced:      t.stats.produced.Load(),
		ProduceErrors: t.stats.produceErrors.Load(),
		Restarts:      t.stats.restarts.Load(),
	}
}

func (s SASL) opt() (kgo.Opt, error) {
	if s.Mechanism == "" {
		return nil, nil
	}
	if s.User == "" {
		return nil, hongbao.Invalid("cluster.kafka.sasl.user", s.User, "given with a mechanism")
	}
	switch s.Mechanism {
	case "plain":
		return kgo.SASL(plain.Auth{User: s.User, Pass: s.Password}.AsMechanism()), nil
	case "scram-sha-256":
		return kgo.SASL(scram.Auth{User: s.User, Pass: s.Password}.AsSha256Mechanism()), nil
	case "scram-sha-512":
		return kgo.SASL(scram.Auth{User: s.User, Pass: s.Password}.AsSha512Mechanism()), nil
	}
	return nil, hongbao.Invalid("cluster.kafka.sasl.mechanism", s.Mechanism, "plain, scram-sha-256 or scram-sha-512")
}

// connect makes a client; nothing is sent yet.
func (t *Topic) connect(more ...kgo.Opt) (*kgo.Client, error) {
	opts := []kgo.Opt{
		kgo.SeedBrokers(t.options.Brokers...),
		kgo.ClientID("hongbao"),
		kgo.DialTimeout(dialTimeout),
		kgo.RequestTimeoutOverhead(requestTimeout),
		kgo.RetryTimeout(callTimeout),
		kgo.RetryBackoffFn(backoff),
		kgo.MetadataMinAge(metadataMinAge),
		kgo.MetadataMaxAge(metadataMaxAge),
		kgo.DisableClientMetrics(),
		kgo.WithLogger(logger{t.options.Logger.With("topic", t.options.Topic)}),
	}
	if t.options.TLS {
		opts = append(opts, kgo.DialTLSConfig(&tls.Config{MinVersion: tls.VersionTLS12}))
	}
	if t.options.dial != nil {
		opts = append(opts, kgo.Dialer(t.options.dial))
	}
	if t.sasl != nil {
		opts = append(opts, t.sasl)
	}
	return kgo.NewClient(append(opts, more...)...)
}

// backoff is short, so that a broker that was restarted is found at once: 50 ms doubling to 800 ms, ± a fifth.
func backoff(tries int) time.Duration {
	d := 50 * time.Millisecond << min(max(tries-1, 0), 4)
	return d*4/5 + rand.N(d*2/5)
}

// failure says what failed, as an [hongbao.ErrBusy] unless Kafka refused it for good.
func failure(doing string, err error) error {
	var refused *kerr.Error
	var auth *kadm.AuthError
	if errors.Is(err, hongbao.ErrBroken) || errors.As(err, &auth) || errors.As(err, &refused) && !refused.Retriable {
		return fmt.Errorf("%s: %w", doing, err)
	}
	return fmt.Errorf("%s: %w: %w", doing, hongbao.ErrBusy, err)
}

// logger hands the client's warnings on as debug: what matters of them comes back as an error, which is logged once.
type logger struct{ to *slog.Logger }

func (l logger) Level() kgo.LogLevel {
	if l.to.Enabled(context.Background(), slog.LevelDebug) {
		return kgo.LogLevelWarn
	}
	return kgo.LogLevelNone
}

func (l logger) Log(_ kgo.LogLevel, message string, pairs ...any) {
	l.to.Debug("kafka client: "+message, pairs...)
}
