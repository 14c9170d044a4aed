package cluster

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/redis/rueidis"

	"hongbao"
)

// Weakness names a setting of the stores that keeps less than hongbao promises, and is refused unless the operator
// accepts it.
type Weakness string

// The weaknesses that can be accepted.
const (
	WeakKafkaReplication Weakness = "kafka_replication"  // replication below 3, or min.insync.replicas below 2
	WeakKafkaRetention   Weakness = "kafka_retention"    // the topic's records are deleted some day
	WeakRedisAppendOnly  Weakness = "redis_appendonly"   // no append-only file
	WeakRedisFsync       Weakness = "redis_appendfsync"  // it is not synced with each write
	WeakRedisMemory      Weakness = "redis_maxmemory"    // keys are evicted when memory is full
	WeakRedisReplicas    Weakness = "redis_min_replicas" // a master without its replicas takes writes
)

// Weaknesses lists them all, for whoever reads a configuration.
var Weaknesses = []Weakness{
	WeakKafkaReplication, WeakKafkaRetention, WeakRedisAppendOnly, WeakRedisFsync, WeakRedisMemory, WeakRedisReplicas,
}

// weak is the error of a weakness that was not accepted, or nil.
func (e *Engine) weak(w Weakness, found, wanted string) error {
	if slices.Contains(e.options.AllowWeak, w) {
		e.logger.Warn("a store keeps less than it should, as cluster.allow_weak accepts", "weakness", string(w), "found", found, "wanted", wanted)
		return nil
	}
	return fmt.Errorf("%s; it must be %s (or accept it with cluster.allow_weak: [%s])", found, wanted, w)
}

func (e *Engine) checkTopic(ctx context.Context) (err error) {
	d, failed := e.topic.Describe(ctx)
	if failed != nil {
		return failed
	}
	name := e.options.Kafka.Topic
	switch {
	case !d.Exists:
		return fmt.Errorf("the topic %s does not exist, although this cluster was begun: restore it, or run hongbao reconcile", name)
	case d.Partitions != len(e.shards):
		return fmt.Errorf("the topic %s has %d partitions; there must be one for each of %d shards", name, d.Partitions, len(e.shards))
	}
	if d.Replication < 3 || d.MinInSync < 2 {
		err = e.weak(WeakKafkaReplication, fmt.Sprintf("the topic %s has replication %d and min.insync.replicas %d", name, d.Replication, d.MinInSync),
			"at least 3 and 2")
	}
	if d.Retention >= 0 || d.RetentionBytes >= 0 || d.CleanupPolicy != "delete" {
		err = errors.Join(err, e.weak(WeakKafkaRetention,
			fmt.Sprintf("the topic %s has retention.ms %d, retention.bytes %d, cleanup.policy %s", name, d.Retention.Milliseconds(), d.RetentionBytes, d.CleanupPolicy),
			"kept for ever: -1, -1, delete"))
	}
	if e.options.TrimAtKafka && (d.Replication < 3 || d.MinInSync < 2 || d.Retention >= 0 || d.RetentionBytes >= 0) {
		err = errors.Join(err, hongbao.Invalid("cluster.outbox.trim", "kafka",
			"ledger, unless the topic has replication 3, min.insync.replicas 2 and unlimited retention"))
	}
	return err
}

// checkRedis asks each master for its settings, and refuses those that lose what was told. One that can't be reached is no
// reason not to start.
//
// Keeps G4.
func (e *Engine) checkRedis(ctx context.Context) (errs error) {
	for _, l := range e.redis.all() {
		if err := e.checkServer(ctx, l.address); err != nil {
			errs = errors.Join(errs, fmt.Errorf("Redis at %s: %w", l.address, err))
		}
	}
	return errs
}

func (e *Engine) checkServer(ctx context.Context, address string) error {
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	client, err := e.redis.dial(address)
	if err != nil {
		return nil // its shards are busy
	}
	defer client.Close()
	settings, err := client.Do(ctx, client.B().ConfigGet().Parameter("append*", "maxmemory-policy", "min-replicas-to-write", "cluster-require-full-coverage").Build()).AsStrMap()
	info, infoErr := client.Do(ctx, client.B().Info().Build()).ToString()
	var refused *rueidis.RedisError
	switch err := errors.Join(err, infoErr); {
	case errors.As(err, &refused):
		return fmt.Errorf("it does not tell its settings (CONFIG GET, INFO): %w", err)
	case err != nil:
		return nil
	}
	return e.judgeServer(address, settings, info)
}

func (e *Engine) judgeServer(address string, settings map[string]string, info string) error {
	if version := infoField(info, "redis_version"); !atLeast7(version) {
		return fmt.Errorf("it is version %s; must be 7.0 or newer", version)
	}
	var errs error
	refuse := func(w Weakness, name, wanted string) {
		errs = errors.Join(errs, e.weak(w, name+" is "+settings[name], wanted))
	}
	if settings["appendonly"] != "yes" {
		refuse(WeakRedisAppendOnly, "appendonly", "yes")
	}
	if settings["appendfsync"] != "always" {
		refuse(WeakRedisFsync, "appendfsync", "always")
	}
	if settings["maxmemory-policy"] != "noeviction" {
		refuse(WeakRedisMemory, "maxmemory-policy", "noeviction")
	}
	if n, _ := strconv.Atoi(settings["min-replicas-to-write"]); n < e.options.ReplicasAck {
		refuse(WeakRedisReplicas, "min-replicas-to-write", fmt.Sprintf("%d, as many as cluster.redis.replicas_ack", e.options.ReplicasAck))
	}
	if settings["cluster-require-full-coverage"] == "yes" && strings.Contains(info, "cluster_enabled:1") {
		e.logger.Warn("one lost shard of Redis will stop all of them: set cluster-require-full-coverage no", "address", address)
	}
	return errors.Join(errs, e.checkReplicas(address, infoField(info, "connected_slaves")))
}

// checkReplicas holds the number of replicas against what WAIT waits for: one that need not confirm may be behind, and be
// promoted. Fewer than expected are a failure that passes: until they are back the master's shards are busy.
func (e *Engine) checkReplicas(address, connected string) error {
	n, _ := strconv.Atoi(connected)
	switch ack := e.options.ReplicasAck; {
	case n > ack:
		return hongbao.Invalid("cluster.redis.replicas_ack", ack, fmt.Sprintf("%d, as many replicas as the master has", n))
	case n < ack:
		e.logger.Warn("a master lacks replicas: its shards are busy until they are back", "address", address, "replicas", n, "wanted", ack)
	}
	return nil
}

func atLeast7(version string) bool {
	major, _, _ := strings.Cut(version, ".")
	n, err := strconv.Atoi(major)
	return err == nil && n >= 7
}
