package topic

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"hongbao"
)

// Description is what start-up checks look at. All but Exists is zero when the topic doesn't exist.
type Description struct {
	Exists          bool
	ID              string // a topic deleted and made again has another
	Partitions      int
	Replication     int           // the smallest of any partition
	MinInSync       int           // min.insync.replicas
	Retention       time.Duration // retention.ms; -1 is for ever
	RetentionBytes  int64         // retention.bytes, of a partition; -1 is without limit
	CleanupPolicy   string        // cleanup.policy
	MessageBytesMax int           // max.message.bytes
	UncleanElection bool          // unclean.leader.election.enable: a broker that is behind may become leader
}

// Describe asks for the topic's partitions and configuration.
func (t *Topic) Describe(ctx context.Context) (Description, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	detail, err := t.metadata(ctx)
	if errors.Is(err, kerr.UnknownTopicOrPartition) {
		return Description{}, nil
	}
	if err != nil {
		return Description{}, t.failure("describe", err)
	}
	d := Description{
		Exists:      true,
		ID:          detail.ID.String(),
		Partitions:  len(detail.Partitions),
		Replication: detail.Partitions.NumReplicas(),
	}
	for _, p := range detail.Partitions {
		d.Replication = min(d.Replication, len(p.Replicas))
	}
	configs, err := t.admin.DescribeTopicConfigs(ctx, t.options.Topic)
	if err != nil {
		return Description{}, t.failure("describe configuration", err)
	}
	config, err := configs.On(t.options.Topic, nil)
	if err == nil {
		err = config.Err
	}
	if err != nil {
		return Description{}, t.failure("describe configuration", err)
	}
	return d, d.read(config.Configs)
}

func (d *Description) read(configs []kadm.Config) error {
	for _, c := range configs {
		var number int64
		var err error
		switch c.Key {
		case "min.insync.replicas", "retention.ms", "retention.bytes", "max.message.bytes":
			if number, err = strconv.ParseInt(c.MaybeValue(), 10, 64); err != nil {
				return fmt.Errorf("topic's %s: %w", c.Key, err)
			}
		}
		switch c.Key {
		case "min.insync.replicas":
			d.MinInSync = int(number)
		case "retention.ms":
			d.Retention = time.Duration(-1)
			if number >= 0 {
				d.Retention = time.Duration(min(number, int64(1<<63-1)/int64(time.Millisecond))) * time.Millisecond
			}
		case "retention.bytes":
			d.RetentionBytes = number
		case "max.message.bytes":
			d.MessageBytesMax = int(number)
		case "cleanup.policy":
			d.CleanupPolicy = c.MaybeValue()
		case "unclean.leader.election.enable":
			d.UncleanElection = c.MaybeValue() == "true"
		}
	}
	return nil
}

// messageBytesMax is the topic's max.message.bytes: twice what a batch may have, so that none is ever refused for size.
const messageBytesMax = 2 << 20

// Create makes the topic with a partition for each shard, three replicas of which two must be in sync, everything kept
// for ever. With fewer than three brokers it makes as many replicas as there are, if allowWeakReplication, and is refused
// otherwise. A topic that exists with that number of partitions is left as it is; with another number it is an error.
// Returns when every partition has a leader. After [hongbao.ErrUnknown] it may exist: call again.
func (t *Topic) Create(ctx context.Context, shards int, allowWeakReplication bool) error {
	if shards < 1 {
		return hongbao.Invalid("cluster.shards", shards, "1 or more")
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	detail, err := t.metadata(ctx)
	if errors.Is(err, kerr.UnknownTopicOrPartition) {
		err = t.create(ctx, shards, allowWeakReplication)
		if err != nil && !errors.Is(err, kerr.TopicAlreadyExists) {
			return err
		}
		detail, err = t.awaitLeaders(ctx, shards)
	}
	if err != nil {
		return t.failure("create", err)
	}
	if len(detail.Partitions) != shards {
		return fmt.Errorf("topic %s exists with %d partitions, which can't become %d shards", t.options.Topic, len(detail.Partitions), shards)
	}
	return nil
}

func (t *Topic) create(ctx context.Context, shards int, allowWeakReplication bool) error {
	brokers, err := t.admin.ListBrokers(ctx)
	if err != nil {
		return t.failure("list brokers", err)
	}
	replication, minInSync := min(3, len(brokers)), "1"
	if replication >= 3 {
		minInSync = "2"
	} else if !allowWeakReplication {
		return fmt.Errorf("topic %s needs three brokers to survive the loss of one, there are %d: allow weak replication to make it anyway",
			t.options.Topic, len(brokers))
	}
	_, err = t.admin.CreateTopic(ctx, int32(shards), int16(replication), map[string]*string{
		"min.insync.replicas":            &minInSync,
		"retention.ms":                   kmsg.StringPtr("-1"),
		"retention.bytes":                kmsg.StringPtr("-1"),
		"cleanup.policy":                 kmsg.StringPtr("delete"),
		"max.message.bytes":              kmsg.StringPtr(strconv.Itoa(messageBytesMax)),
		"unclean.leader.election.enable": kmsg.StringPtr("false"),
	}, t.options.Topic)
	var refused *kerr.Error
	if err != nil && !errors.As(err, &refused) {
		return fmt.Errorf("create topic %s: %w: %w", t.options.Topic, hongbao.ErrUnknown, err)
	}
	return err
}

// awaitLeaders waits until the brokers that are asked know every partition and its leader, which is a moment after the
// controller has made them.
func (t *Topic) awaitLeaders(ctx context.Context, shards int) (kadm.TopicDetail, error) {
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		detail, err := t.metadata(ctx)
		if err == nil && len(detail.Partitions) != shards {
			return detail, nil
		}
		if err == nil {
			err = leaderless(detail)
		}
		if err == nil || ctx.Err() != nil {
			return detail, err
		}
		select {
		case <-ctx.Done():
			return detail, err
		case <-tick.C:
		}
	}
}

func leaderless(detail kadm.TopicDetail) error {
	for _, p := range detail.Partitions {
		if p.Err != nil {
			return p.Err
		}
		if p.Leader < 0 {
			return kerr.LeaderNotAvailable
		}
	}
	return nil
}

// metadata is the topic as a broker knows it now; [kerr.UnknownTopicOrPartition] when it doesn't exist, and
// [hongbao.ErrBroken] when it is another topic than the one first seen.
func (t *Topic) metadata(ctx context.Context) (kadm.TopicDetail, error) {
	topics, err := t.admin.ListTopics(ctx, t.options.Topic)
	if err != nil {
		return kadm.TopicDetail{}, err
	}
	detail, ok := topics[t.options.Topic]
	if !ok {
		return kadm.TopicDetail{}, kerr.UnknownTopicOrPartition
	}
	if detail.Err != nil || detail.ID == (kadm.TopicID{}) {
		return detail, detail.Err
	}
	if !t.id.CompareAndSwap(nil, &detail.ID) && *t.id.Load() != detail.ID {
		return detail, fmt.Errorf("%w: topic %s was deleted and made again: id %v, was %v", hongbao.ErrBroken, t.options.Topic, detail.ID, *t.id.Load())
	}
	return detail, nil
}

func (t *Topic) failure(doing string, err error) error {
	return failure(doing+" topic "+t.options.Topic, err)
}
