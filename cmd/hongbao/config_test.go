package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"hongbao"
)

// parsed is the configuration that a command line leads to, with a config file of that text and that environment.
func parsed(t *testing.T, file string, environ map[string]string, args ...string) (*Config, error) {
	t.Helper()
	for _, entry := range os.Environ() { // of services that other tests use
		if name, _, _ := strings.Cut(entry, "="); strings.HasPrefix(name, "HONGBAO_CLUSTER__") {
			t.Setenv(name, "")
			os.Unsetenv(name)
		}
	}
	for name, value := range environ {
		t.Setenv(name, value)
	}
	if file != "" {
		args = append(args, "--config", write(t, "hongbao.yaml", file))
	}
	c := &commandLine{stdout: io.Discard, stderr: io.Discard}
	_, err := c.parse(append([]string{"version"}, args...))
	return &c.Config, err
}

// write makes a file of that text in a folder of the test.
func write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

type env = map[string]string

func TestFlagsOverEnvironmentOverFileOverDefaults(t *testing.T) {
	const file = "player: {listen: 'file:1', auth: jwt}\ndata: /file\n"
	listen, auth := "HONGBAO_PLAYER__LISTEN", "HONGBAO_PLAYER__AUTH"
	rows := []struct {
		name    string
		file    string
		environ env
		args    []string
		listen  string
		auth    string
		data    string
	}{
		{"nothing set: defaults", "", nil, nil, "127.0.0.1:8080", "trusted", "./data"},
		{"the file sets", file, nil, nil, "file:1", "jwt", "/file"},
		{"the environment sets", "", env{listen: "env:1", "HONGBAO_DATA": "/env"}, nil, "env:1", "trusted", "/env"},
		{"the environment wins over the file, key by key", file, env{listen: "env:1"}, nil, "env:1", "jwt", "/file"},
		{"a flag wins over both", file, env{listen: "env:1", auth: "jwt"}, []string{"--player.listen=flag:1"}, "flag:1", "jwt", "/file"},
		{"an empty value in the file is the default", "data:\nplayer:\n", nil, nil, "127.0.0.1:8080", "trusted", "./data"},
		{"an empty file is all defaults", "# nothing\n", nil, nil, "127.0.0.1:8080", "trusted", "./data"},
		{"another program's variable is left alone", "", env{"HONGBAO_HOME": "/x", "HONGBAO": "y"}, nil, "127.0.0.1:8080", "trusted", "./data"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			config, err := parsed(t, row.file, row.environ, row.args...)
			if err != nil {
				t.Fatal(err)
			}
			got := []string{config.Player.Listen, config.Player.Auth, config.Data}
			if want := []string{row.listen, row.auth, row.data}; !reflect.DeepEqual(got, want) {
				t.Errorf("listen, auth and data are %q, want %q", got, want)
			}
		})
	}
}

func TestVariableThatEndsInFileReadsTheFile(t *testing.T) {
	secret := write(t, "secret", "tip-top secret\n")
	config, err := parsed(t, "", env{"HONGBAO_PLAYER__JWT__KEY_FILE": secret, "HONGBAO_TIMEZONE_FILE": write(t, "zone", "UTC\n")})
	if err != nil {
		t.Fatal(err)
	}
	keys, err := config.Player.JWT.keys()
	if err != nil || len(keys) != 1 || string(keys[0]) != "tip-top secret" {
		t.Errorf("keys are %q, %v", keys, err)
	}
	if config.Timezone != "UTC" {
		t.Errorf("timezone is %q, want that of the file without its newline", config.Timezone)
	}
}

func TestAGroupOfSettingsIsNotTheFlagOfThatName(t *testing.T) {
	file := write(t, "hongbao.yaml", "admin: {listen: 127.0.0.1:9}")
	c := &commandLine{stdout: io.Discard, stderr: io.Discard}
	if _, err := c.parse([]string{"audit", "--config", file}); err != nil || c.Audit.Admin != "" || c.Config.Admin.Listen != "127.0.0.1:9" {
		t.Errorf("--admin is %q, admin.listen %q, %v; want nothing and what the file says", c.Audit.Admin, c.Config.Admin.Listen, err)
	}
}

func TestListsAreReadFromEverywhere(t *testing.T) {
	want := []string{"10.0.0.0/8", "192.168.1.7"}
	for name, config := range map[string]func() (*Config, error){
		"flag": func() (*Config, error) { return parsed(t, "", nil, "--player.trusted_peers=10.0.0.0/8,192.168.1.7") },
		"environment": func() (*Config, error) {
			return parsed(t, "", env{"HONGBAO_PLAYER__TRUSTED_PEERS": "10.0.0.0/8,192.168.1.7"})
		},
		"file": func() (*Config, error) {
			return parsed(t, "player:\n  trusted_peers:\n  - 10.0.0.0/8\n  - 192.168.1.7\n", nil)
		},
	} {
		c, err := config()
		if err != nil || !reflect.DeepEqual(c.Player.TrustedPeers, want) {
			t.Errorf("%s: trusted_peers are %q, %v; want %q", name, c.Player.TrustedPeers, err, want)
		}
	}
}

func TestTheClusterIsSetFromEverywhere(t *testing.T) {
	const file = `
engine: cluster
cluster:
  redis: {addrs: [redis-1:6379, redis-2:6379], username: u, tls: true, shards: 16, replicas_ack: 0}
  kafka: {brokers: [kafka:9092], sasl: {mechanism: scram-sha-512, user: u}}
  outbox: {trim: kafka, max_bytes: 1048576}
  allow_weak: [kafka_replication, redis_min_replicas]
`
	config, err := parsed(t, file, env{
		"HONGBAO_CLUSTER__MYSQL__DSN_FILE":      write(t, "dsn", "u:p@tcp(mysql:3306)/hongbao\n"),
		"HONGBAO_CLUSTER__REDIS__PASSWORD_FILE": write(t, "password", "secret, with comma\n"),
		"HONGBAO_CLUSTER__REDIS__ADDRS":         "redis-3:6379,redis-4:6379",
	}, "--cluster.kafka.sasl.password=p", "--cluster.kafka.tls")
	if err != nil {
		t.Fatal(err)
	}
	o, err := config.clusterOptions()
	if err != nil {
		t.Fatal(err)
	}
	got := fmt.Sprintln(o.Redis, o.Shards, o.ReplicasAck, o.Kafka.Brokers, o.Kafka.TLS, o.Kafka.SASL, o.MySQL, o.TrimAtKafka, o.OutboxBytes, o.AllowWeak)
	want := "{[redis-3:6379 redis-4:6379] u secret, with comma true} 16 0 [kafka:9092] true {scram-sha-512 u p} " +
		"u:p@tcp(mysql:3306)/hongbao true 1048576 [kafka_replication redis_min_replicas]\n"
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	bare, err := parsed(t, "", nil)
	if c := bare.Cluster; err != nil || c.Redis.Shards != 64 || c.Redis.ReplicasAck != 1 || c.Outbox.Trim != "ledger" || c.Outbox.MaxBytes != 64<<20 {
		t.Errorf("by default: %+v, %v", c, err)
	}
}

const rainYAML = `
campaigns:
  - name: new-year-rain
    kind: rain
    opens_at: 2027-02-05T20:00:00+08:00
    lasts: 10m
    budget: {total_fen: 100000000, count: 1000000, min_fen: 1, max_fen: 2000, split: double_mean}
    chance: 0.2
    wins_max: 5
  - {name: soon, kind: bomb, opens_at: +10s, budget: {total_fen: 100, count: 10}}
`

func TestCampaignsAreReadAsTheAdminAPIReadsThem(t *testing.T) {
	config, err := parsed(t, rainYAML, nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(config.Campaigns) != 2 {
		t.Fatalf("%d campaigns, want 2", len(config.Campaigns))
	}
	now := hongbao.TimeOf(time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC))
	rules, err := config.Campaigns[0].Rules(now)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := rules.OpensAt.String(), "2027-02-05T12:00:00Z"; got != want {
		t.Errorf("opens_at, a bare YAML time, is %s, want %s", got, want)
	}
	if got, want := rules.Chance.String(), "0.2"; got != want {
		t.Errorf("chance is %s, want exactly %s", got, want)
	}
	if !config.Campaigns[1].OpensAt.Relative() {
		t.Error("+10s is not relative")
	}
	again, err := parsed(t, "", env{"HONGBAO_CAMPAIGNS_FILE": write(t, "list.yaml", strings.TrimPrefix(rainYAML, "\ncampaigns:"))})
	if err != nil || !reflect.DeepEqual(again.Campaigns, config.Campaigns) {
		t.Errorf("from the environment: %v, %v", again.Campaigns, err)
	}
}

func TestBadConfigurationIsRefusedWithItsReason(t *testing.T) {
	rows := []struct {
		name    string
		file    string
		environ env
		args    []string
		want    string
	}{
		{"unknown key in the file", "player: {listn: x}", nil, nil, "hongbao.yaml: there is no setting player.listn (did you mean player.listen?)"},
		{"unknown group in the file", "playr: {listen: x}", nil, nil, "there is no setting playr"},
		{"unknown variable", "", env{"HONGBAO_ADMIN__LISTN": "x"}, nil, "HONGBAO_ADMIN__LISTN: there is no setting admin.listn (did you mean admin.listen?)"},
		{"unknown flag", "", nil, []string{"--player.listn=x"}, "unknown flag --player.listn"},
		{"unknown key in a campaign", "campaigns: [{name: a, wins_mx: 1}]", nil, nil, "campaigns[0].wins_mx: \"(unknown key)\" is not allowed: must be a known key (did you mean wins_max?)"},
		{"wrong type deep in a campaign", "campaigns: [{name: a}, {budget: {total_fen: lots}}]", nil, nil, "campaigns[1].budget.total_fen: "},
		{"a fraction of a fen", "campaigns: [{budget: {total_fen: 1.5}}]", nil, nil, "campaigns[0].budget.total_fen: \"1.5\" is not allowed: must be a whole number"},
		{"a campaign that is no object", "campaigns: [rain]", nil, nil, "campaigns[0]: \"\\\"rain\\\"\" is not allowed: must be a JSON object"},
		{"campaigns that are no list", "campaigns: {name: a}", nil, nil, "campaigns"},
		{"not a number", "campaigns: [{chance: .nan}]", nil, nil, "campaigns can't be said in JSON"},
		{"one name twice", "campaigns: [{name: a}, {name: a}]", nil, nil, "campaigns[1].name: \"a\" is not allowed: must be another name than that of campaigns[0]"},
		{"a key twice", "data: a\ndata: b", nil, nil, "line 2: mapping key \"data\" already defined at line 1"},
		{"a key twice in a campaign", "campaigns:\n- name: a\n  name: b", nil, nil, "line 3: mapping key \"name\" already defined at line 2"},
		{"a group as one value", "player: 5", nil, nil, "player: \"5\" is not allowed: must be a group of settings"},
		{"a key with dots", "player.listen: x", nil, nil, "player.listen: \"(with dots)\" is not allowed: must be written as nested groups"},
		{"a list for one value", "data: [a, b]", nil, nil, "data: \"[\\\"a\\\",\\\"b\\\"]\" is not allowed: must be a single value"},
		{"a list in a list", "player: {cors_origins: [[a]]}", nil, nil, "player.cors_origins[0]: "},
		{"a group for one value", "data: {}", nil, nil, "data: \"{}\" is not allowed: must be a single value"},
		{"two documents", "data: a\n---\ndata: b", nil, nil, "more than one YAML document"},
		{"not YAML", "data: [", nil, nil, "yaml:"},
		{"not UTF-8", "data: \xff", nil, nil, "yaml:"},
		{"a file that is not there", "", nil, []string{"--config=/nonexistent.yaml"}, "/nonexistent.yaml: no such file or directory"},
		{"a variable's file that is not there", "", env{"HONGBAO_PLAYER__JWT__KEY": "a", "HONGBAO_DATA_FILE": "/nonexistent"}, nil, "HONGBAO_DATA_FILE: open /nonexistent"},
		{"a variable as it is and as a file", "", env{"HONGBAO_DATA": "a", "HONGBAO_DATA_FILE": os.DevNull}, nil, "(twice)"},
		{"an empty data folder", "", nil, []string{"--data="}, "data: \"\" is not allowed: must be given"},
		{"an unknown way to know players", "player: {auth: basic}", nil, nil, "player.auth: \"basic\" is not allowed: must be one of trusted, jwt"},
		{"an unknown algorithm", "player: {jwt: {alg: none}}", nil, nil, "player.jwt.alg: \"none\" is not allowed: must be one of HS256, RS256, EdDSA"},
		{"an unknown zone", "", nil, []string{"--timezone=Mars/Olympus"}, "timezone: \"Mars/Olympus\" is not allowed: must be an IANA zone"},
		{"the machine's own zone, whatever it is", "", nil, []string{"--timezone=Local"}, "timezone: \"Local\""},
		{"a network that is none", "player: {trusted_peers: [everyone]}", nil, nil, "player.trusted_peers: \"everyone\" is not allowed: must be a network such as 10.0.0.0/8, or an address"},
		{"an unknown engine", "engine: paper", nil, nil, "engine: \"paper\" is not allowed: must be one of embedded, cluster"},
		{"a cluster without Redis", "engine: cluster", nil, nil, "cluster.redis.addrs: \"\" is not allowed: must be given with engine: cluster"},
		{"a cluster without Kafka", "engine: cluster\ncluster: {redis: {addrs: [a:1]}}", nil, nil, "cluster.kafka.brokers: \"\" is not allowed: must be given"},
		{"a cluster without MySQL", "engine: cluster\ncluster: {redis: {addrs: [a:1]}, kafka: {brokers: [b:1]}}", nil, nil, "cluster.mysql.dsn: \"\" is not allowed: must be given"},
		{"an address without a port", "cluster: {redis: {addrs: [a]}}", nil, nil, "cluster.redis.addrs: \"a\" is not allowed: must be host:port"},
		{"an address without a host", "cluster: {kafka: {brokers: ['b:1', ':9092']}}", nil, nil, "cluster.kafka.brokers: \":9092\" is not allowed: must be host:port"},
		{"a port that is none", "", nil, []string{"--cluster.redis.addrs=a:0"}, "cluster.redis.addrs: \"a:0\""},
		{"no shards", "cluster: {redis: {shards: 0}}", nil, nil, "cluster.redis.shards: \"0\" is not allowed: must be from 1 to 1024"},
		{"too many shards", "", env{"HONGBAO_CLUSTER__REDIS__SHARDS": "1025"}, nil, "cluster.redis.shards: \"1025\""},
		{"shards that are no number", "cluster: {redis: {shards: many}}", nil, nil, "cluster.redis.shards: expected a valid 64 bit int but got \"many\""},
		{"fewer replicas than none", "cluster: {redis: {replicas_ack: -1}}", nil, nil, "cluster.redis.replicas_ack: \"-1\" is not allowed: must be from 0 to 16"},
		{"an unknown login", "cluster: {kafka: {sasl: {mechanism: oauth, user: a}}}", nil, nil, "cluster.kafka.sasl.mechanism: \"oauth\" is not allowed: must be one of plain, scram-sha-256, scram-sha-512"},
		{"a login without a mechanism", "cluster: {kafka: {sasl: {user: a}}}", nil, nil, "cluster.kafka.sasl.mechanism: \"\""},
		{"a login without a user", "cluster: {kafka: {sasl: {mechanism: plain, password: a}}}", nil, nil, "cluster.kafka.sasl.user: \"\" is not allowed: must be given"},
		{"an unknown place to trim at", "cluster: {outbox: {trim: never}}", nil, nil, "cluster.outbox.trim: \"never\" is not allowed: must be one of ledger, kafka"},
		{"a small outbox", "cluster: {outbox: {max_bytes: 1048575}}", nil, nil, "cluster.outbox.max_bytes: \"1048575\" is not allowed: must be from 1048576 to"},
		{"an unknown weakness", "cluster: {allow_weak: [kafka_replication, mysql]}", nil, nil, "cluster.allow_weak: \"mysql\" is not allowed: must be one of kafka_replication, kafka_retention, redis_appendonly"},
		{"an unknown key of the cluster", "cluster: {redis: {adrs: [a]}}", nil, nil, "there is no setting cluster.redis.adrs (did you mean cluster.redis.addrs?)"},
		{"a rate below none", "gate: {player: {rate: -1}}", nil, nil, "gate.player.rate: \"-1\" is not allowed: must be 0 (no limit), or from 0.01 to 10000000 a second"},
		{"a burst that is too large", "gate: {global: {rate: 1, burst: 10000001}}", nil, nil, "gate.global.burst: \"10000001\""},
		{"a rate that is no number", "", env{"HONGBAO_GATE__ADDRESS__RATE": "fast"}, nil, "gate.address.rate"},
		{"an unknown limit in flight", "gate: {in_flight: some}", nil, nil, "gate.in_flight: \"some\" is not allowed: must be adaptive, off, or a number"},
		{"a short ticket key", "gate: {ticket: {keys: [short]}}", nil, nil, "gate.ticket.keys"},
		{"too much work", "gate: {ticket: {pow_bits: 31}}", nil, nil, "gate.ticket.pow_bits: \"31\""},
		{"a short lifetime", "gate: {ticket: {lifetime: 1ms}}", nil, nil, "gate.ticket.lifetime: \"1ms\""},
		{"a hook that is no URL", "gate: {risk: {url: risk.example.com}}", nil, nil, "gate.risk.url"},
		{"a score that is none", "gate: {risk: {url: 'http://risk', deny_above: 2}}", nil, nil, "gate.risk.deny_above: \"2\""},
		{"a signing key that is none", "gate: {risk: {keys: [secret]}}", nil, nil, "gate.risk.keys: \"(key 1)\" is not allowed: must be whsec_"},
		{"a webhook without a secret", "webhooks: [{name: crm, url: 'https://example.com/'}]", nil, nil, "webhooks[0].secret: "},
		{"a webhook with a secret that is none", "webhooks: [{name: crm, url: 'https://example.com/', secret: topsecret}]", nil, nil, "webhooks[0].secret: \"(not shown)\""},
		{"a webhook with a password", "webhooks: [{name: crm, url: 'https://a:b@example.com/', secret: whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA}]", nil, nil, "webhooks[0].url: \"https://a:xxxxx@example.com/\""},
		{"a webhook of an event that there is none of", "webhooks: [{name: crm, url: 'https://example.com/', secret: whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA, events: [progress]}]", nil, nil, "webhooks[0].events[0]: \"progress\""},
		{"two webhooks of a name", "webhooks: [{name: crm, url: 'https://example.com/', secret: whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA}, {name: crm, url: 'https://example.com/', secret: whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA}]", nil, nil, "webhooks[1].name: \"crm\""},
		{"a webhook's unknown key", "webhooks: [{nam: crm}]", nil, nil, "webhooks[0].nam: "},
		{"webhooks by a variable", "", env{"HONGBAO_WEBHOOKS": "[{name: crm}]"}, nil, "webhooks[0].url: "},
		{"a private network that is none", "webhook: {private_networks: [localhost]}", nil, nil, "webhook.private_networks: \"localhost\""},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			_, err := parsed(t, row.file, row.environ, row.args...)
			if err == nil || !strings.Contains(err.Error(), row.want) {
				t.Fatalf("the error is\n%v\nand does not say\n%s", err, row.want)
			}
			if exitCode(err) != exitUsage {
				t.Errorf("it exits with %d, want %d", exitCode(err), exitUsage)
			}
		})
	}
}
