package main

import (
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"

	"hongbao"
	"hongbao/cluster"
)

// ClusterConfig is where the stores of the cluster engine are, and how it uses them.
type ClusterConfig struct {
	Redis     RedisConfig  `embed:"" prefix:"redis."`
	Kafka     KafkaConfig  `embed:"" prefix:"kafka."`
	MySQL     MySQLConfig  `embed:"" prefix:"mysql."`
	Outbox    OutboxConfig `embed:"" prefix:"outbox."`
	AllowWeak []string     `name:"allow_weak" placeholder:"NAME" help:"Settings of the stores to accept although they keep less than is promised: ${weaknesses}."`

	place string // begins the names of keys and is that of the topic; empty: the engine's. Tests have their own
}

// RedisConfig is the store that decides.
type RedisConfig struct {
	Addrs       []string `placeholder:"ADDRESS" help:"Servers of the Redis Cluster, host:port of some of them, or the one."`
	Username    string   `placeholder:"NAME" help:"User of the ACL (the default one)."`
	Password    string   `placeholder:"TEXT" help:"Password."`
	TLS         bool     `help:"Connect by TLS."`
	Shards      int      `default:"64" placeholder:"N" help:"Logical shards, fixed at the first start (${default})."`
	ReplicasAck int      `name:"replicas_ack" default:"1" placeholder:"N" help:"Replicas that must have a change before it is told, as many as each master has (${default}). With 0 a win may be lost with a node."`
}

// KafkaConfig is the store that carries.
type KafkaConfig struct {
	Brokers []string   `placeholder:"ADDRESS" help:"Brokers of Kafka, host:port of some of them."`
	TLS     bool       `help:"Connect by TLS."`
	SASL    SASLConfig `embed:"" prefix:"sasl."`
}

// SASLConfig is how to log in to Kafka.
type SASLConfig struct {
	Mechanism string `placeholder:"NAME" help:"plain, scram-sha-256 or scram-sha-512 (no login)."`
	User      string `placeholder:"NAME" help:"User."`
	Password  string `placeholder:"TEXT" help:"Password."`
}

// MySQLConfig is the store that keeps the books.
type MySQLConfig struct {
	DSN string `placeholder:"DSN" help:"user:password@tcp(host:3306)/database; the database exists."`
}

// OutboxConfig bounds what waits in Redis for the books.
type OutboxConfig struct {
	Trim     string `default:"ledger" placeholder:"WHERE" help:"What an event must have reached to leave the outbox: ledger, or kafka where it keeps everything (${default})."`
	MaxBytes int64  `name:"max_bytes" default:"67108864" placeholder:"N" help:"Bytes of a shard's outbox at most, beyond which its players are told busy (${default})."`
}

const (
	outboxBytesMin = 1 << 20
	outboxBytesMax = 1 << 40
)

// validate checks the settings that are there, whatever the engine.
func (c *ClusterConfig) validate() error {
	for _, err := range []error{
		checkAddresses("cluster.redis.addrs", c.Redis.Addrs),
		checkRange("cluster.redis.shards", int64(c.Redis.Shards), 1, cluster.ShardsMax),
		checkRange("cluster.redis.replicas_ack", int64(c.Redis.ReplicasAck), 0, replicasMax),
		checkAddresses("cluster.kafka.brokers", c.Kafka.Brokers),
		c.Kafka.SASL.validate(),
		checkOneOf("cluster.outbox.trim", c.Outbox.Trim, "ledger", "kafka"),
		checkRange("cluster.outbox.max_bytes", c.Outbox.MaxBytes, outboxBytesMin, outboxBytesMax),
		c.checkWeak(),
	} {
		if err != nil {
			return err
		}
	}
	return nil
}

// replicasMax is more than anybody has of a master.
const replicasMax = 16

// validateGiven checks that what the cluster engine can't do without is there.
func (c *ClusterConfig) validateGiven() error {
	for _, required := range []struct {
		key   string
		given bool
	}{
		{"cluster.redis.addrs", len(c.Redis.Addrs) > 0},
		{"cluster.kafka.brokers", len(c.Kafka.Brokers) > 0},
		{"cluster.mysql.dsn", c.MySQL.DSN != ""},
	} {
		if !required.given {
			return hongbao.Invalid(required.key, "", "given with engine: cluster")
		}
	}
	return nil
}

func (c *SASLConfig) validate() error {
	switch {
	case c.Mechanism == "" && c.User == "" && c.Password == "":
		return nil
	case !slices.Contains(mechanisms, c.Mechanism):
		return hongbao.Invalid("cluster.kafka.sasl.mechanism", c.Mechanism, "one of "+strings.Join(mechanisms, ", "))
	case c.User == "":
		return hongbao.Invalid("cluster.kafka.sasl.user", c.User, "given with a mechanism")
	}
	return nil
}

var mechanisms = []string{"plain", "scram-sha-256", "scram-sha-512"}

func (c *ClusterConfig) checkWeak() error {
	for _, name := range c.AllowWeak {
		if !slices.Contains(cluster.Weaknesses, cluster.Weakness(name)) {
			return hongbao.Invalid("cluster.allow_weak", name, "one of "+weaknesses())
		}
	}
	return nil
}

// weaknesses lists the names that cluster.allow_weak may have.
func weaknesses() string {
	var names []string
	for _, w := range cluster.Weaknesses {
		names = append(names, string(w))
	}
	return strings.Join(names, ", ")
}

func checkAddresses(key string, addresses []string) error {
	for _, address := range addresses {
		host, port, err := net.SplitHostPort(address)
		if n, bad := strconv.ParseUint(port, 10, 16); err != nil || bad != nil || n == 0 || host == "" {
			return hongbao.Invalid(key, address, "host:port")
		}
	}
	return nil
}

func checkRange(key string, value, low, high int64) error {
	if value < low || value > high {
		return hongbao.Invalid(key, value, fmt.Sprintf("from %d to %d", low, high))
	}
	return nil
}

// clusterOptions are the settings as the engine takes them.
func (c *Config) clusterOptions() (o cluster.Options, err error) {
	redis, kafka, outbox := &c.Cluster.Redis, &c.Cluster.Kafka, &c.Cluster.Outbox
	o.Redis = cluster.Redis{Addrs: redis.Addrs, Username: redis.Username, Password: redis.Password, TLS: redis.TLS}
	o.Shards, o.ReplicasAck = redis.Shards, redis.ReplicasAck
	o.Kafka.Brokers, o.Kafka.TLS = kafka.Brokers, kafka.TLS
	o.Kafka.SASL.Mechanism, o.Kafka.SASL.User, o.Kafka.SASL.Password = kafka.SASL.Mechanism, kafka.SASL.User, kafka.SASL.Password
	o.Prefix, o.Kafka.Topic = c.Cluster.place, c.Cluster.place
	o.MySQL = c.Cluster.MySQL.DSN
	o.TrimAtKafka, o.OutboxBytes = outbox.Trim == "kafka", outbox.MaxBytes
	for _, name := range c.Cluster.AllowWeak {
		o.AllowWeak = append(o.AllowWeak, cluster.Weakness(name))
	}
	o.Now = hongbao.SystemClock().Now
	o.Calendar, err = c.calendar()
	return o, err
}
