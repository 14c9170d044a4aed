package deploy

import (
	"encoding/base64"
	"fmt"
	"maps"
	"net/netip"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/cli"
	"github.com/compose-spec/compose-go/v2/types"
)

var (
	hongbaoServices = []string{"api-1", "api-2", "worker"}
	kafkaServices   = []string{"kafka-1", "kafka-2", "kafka-3"}
	redisServices   = []string{"redis-1", "redis-2", "redis-3", "redis-4", "redis-5", "redis-6"}
)

// project is compose.yaml as Compose itself loads it, with no environment.
func project(t *testing.T) *types.Project {
	t.Helper()
	options, err := cli.NewProjectOptions([]string{"compose.yaml"}, cli.WithConsistency(true), cli.WithResolvedPaths(true))
	if err != nil {
		t.Fatal(err)
	}
	project, err := cli.ProjectFromOptions(t.Context(), options)
	if err != nil {
		t.Fatal(err)
	}
	return project
}

func service(t *testing.T, name string) types.ServiceConfig {
	t.Helper()
	found, err := project(t).GetService(name)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func env(s types.ServiceConfig, name string) string {
	if value := s.Environment[name]; value != nil {
		return *value
	}
	return ""
}

func TestServices(t *testing.T) {
	want := slices.Concat(hongbaoServices, kafkaServices, redisServices, []string{"grafana", "lb", "mysql", "prometheus", "redis-create"})
	slices.Sort(want)
	if got := slices.Sorted(maps.Keys(project(t).Services)); !slices.Equal(got, want) {
		t.Errorf("the services are %q, not %q", got, want)
	}
	for name, s := range project(t).Services {
		if _, tag, tagged := strings.Cut(path.Base(s.Image), ":"); s.Build == nil && (!tagged || tag == "latest") {
			t.Errorf("%s: the image %s names no version", name, s.Image)
		}
		if restart := map[bool]string{true: "no", false: "unless-stopped"}[name == "redis-create"]; s.Restart != restart {
			t.Errorf("%s: restart is %q, not %q", name, s.Restart, restart)
		}
	}
}

func TestMountedFilesExist(t *testing.T) {
	here, err := filepath.Abs(".")
	if err != nil {
		t.Fatal(err)
	}
	for name, s := range project(t).Services {
		for _, volume := range s.Volumes {
			if volume.Type != types.VolumeTypeBind {
				continue
			}
			if _, err := os.Stat(volume.Source); err != nil || !strings.HasPrefix(volume.Source, here+"/") {
				t.Errorf("%s mounts %s, which is not shipped (%v)", name, volume.Source, err)
			}
			if !volume.ReadOnly {
				t.Errorf("%s may write to %s", name, volume.Source)
			}
		}
		for _, secret := range s.Secrets {
			if dir := filepath.Dir(project(t).Secrets[secret.Source].File); dir != filepath.Join(here, "secrets") {
				t.Errorf("%s: the secret %s is in %q, where init-secrets makes none", name, secret.Source, dir)
			}
		}
	}
}

// TestPortsAreOfLoopback also keeps the stores, which ask for no password, from being published at all.
func TestPortsAreOfLoopback(t *testing.T) {
	published := map[string]string{}
	for name, s := range project(t).Services {
		for _, port := range s.Ports {
			published[name] = port.Published
			if port.HostIP != "127.0.0.1" {
				t.Errorf("%s publishes %s on %q", name, port.Published, port.HostIP)
			}
		}
	}
	want := map[string]string{"lb": "8080", "api-1": "8081", "prometheus": "9090", "grafana": "3000"}
	if !maps.Equal(published, want) {
		t.Errorf("published: %v, not %v", published, want)
	}
	stores := project(t).Networks["stores"]
	for _, name := range slices.Concat(redisServices, kafkaServices, []string{"mysql", "redis-create"}) {
		networks := slices.Collect(maps.Keys(service(t, name).Networks))
		if !slices.Equal(networks, []string{"stores"}) || !bool(stores.Internal) {
			t.Errorf("%s can be reached from %q", name, networks)
		}
	}
}

func TestHongbaoProcesses(t *testing.T) {
	root, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	unit, dataOf := strings.Fields(string(read(t, "hongbao.service"))), map[string]string{}
	for _, name := range hongbaoServices {
		s := service(t, name)
		command := map[bool]string{true: "worker", false: "serve"}[name == "worker"]
		if !slices.Equal(s.Command, []string{command}) || len(s.Entrypoint) > 0 {
			t.Errorf("%s runs %q %q, not hongbao %s", name, s.Entrypoint, s.Command, command)
		}
		if s.Image != "hongbao" || s.Build == nil || s.Build.Context != root {
			t.Fatalf("%s: image %q is not built from %s", name, s.Image, root)
		}
		containerfile := string(read(t, filepath.Join(root, s.Build.Dockerfile)))
		if s.HealthCheck != nil || !strings.Contains(containerfile, "\nFROM scratch\n") {
			t.Errorf("%s: in an image from scratch there is nothing that a health check could run", name)
		}
		if file := mount(s, env(s, "HONGBAO_CONFIG")); filepath.Base(file) != "cluster.yaml" {
			t.Errorf("%s reads its settings at %q, where %q is mounted", name, env(s, "HONGBAO_CONFIG"), file)
		}
		data := mount(s, env(s, "HONGBAO_DATA"))
		if other, taken := dataOf[data]; taken || data == "" {
			t.Errorf("%s: its folder is in the volume %q, which is that of %q", name, data, other)
		}
		dataOf[data] = name
		if wantsPlayers := name != "worker"; wantsPlayers != (env(s, "HONGBAO_PLAYER__LISTEN") == "0.0.0.0:8080") {
			t.Errorf("%s: players at %q", name, env(s, "HONGBAO_PLAYER__LISTEN"))
		}
		if env(s, "HONGBAO_ADMIN__LISTEN") != "0.0.0.0:8081" {
			t.Errorf("%s: administrators at %q", name, env(s, "HONGBAO_ADMIN__LISTEN"))
		}
		if !hasSecret(s, env(s, "HONGBAO_CLUSTER__MYSQL__DSN_FILE")) {
			t.Errorf("%s: the DSN at %q is no secret of its", name, env(s, "HONGBAO_CLUSTER__MYSQL__DSN_FILE"))
		}
		for _, token := range readSettings(t).Admin.Tokens {
			if !hasSecret(s, token.TokenFile) {
				t.Errorf("%s: the token at %q is no secret of its", name, token.TokenFile)
			}
		}
		if limit := fmt.Sprintf("LimitNOFILE=%d", s.Ulimits["nofile"].Single); !slices.Contains(unit, limit) {
			t.Errorf("%s: hongbao.service has another limit than %s", name, limit)
		}
		checkWaitsForStores(t, s)
	}
}

func checkWaitsForStores(t *testing.T, s types.ServiceConfig) {
	t.Helper()
	for _, store := range append(slices.Clone(kafkaServices), "mysql", "redis-create") {
		want := types.ServiceConditionHealthy
		if store == "redis-create" {
			want = types.ServiceConditionCompletedSuccessfully
		}
		if got := s.DependsOn[store].Condition; got != want {
			t.Errorf("%s waits for %s to be %q, not %q", s.Name, store, got, want)
		}
		if want == types.ServiceConditionHealthy && service(t, store).HealthCheck == nil {
			t.Errorf("%s waits for the health of %s, which has no check", s.Name, store)
		}
	}
}

// mount is what is mounted at a path: a file of this machine, or a volume.
func mount(s types.ServiceConfig, target string) string {
	for _, volume := range s.Volumes {
		if volume.Target == target {
			return volume.Source
		}
	}
	return ""
}

// hasSecret reports whether a service gets the secret that is read from file.
func hasSecret(s types.ServiceConfig, file string) bool {
	return slices.ContainsFunc(s.Secrets, func(secret types.ServiceSecretConfig) bool {
		return file == "/run/secrets/"+secret.Source && (secret.Target == "" || secret.Target == file)
	})
}

// TestOnlyTheLoadBalancerIsBelieved keeps players from naming themselves past it.
func TestOnlyTheLoadBalancerIsBelieved(t *testing.T) {
	peers := readSettings(t).Player.TrustedPeers
	address := service(t, "lb").Networks["edge"].Ipv4Address
	if !slices.Equal(peers, []string{address}) {
		t.Fatalf("player.trusted_peers is %q; the load balancer is %q", peers, address)
	}
	checkFixed(t, "edge", address)
}

// checkFixed tells when an address is not the network's, or could be given to another container.
func checkFixed(t *testing.T, network, address string) {
	t.Helper()
	pool := project(t).Networks[network].Ipam.Config[0]
	at, err := netip.ParseAddr(address)
	if err != nil {
		t.Fatal(err)
	}
	if !netip.MustParsePrefix(pool.Subnet).Contains(at) || netip.MustParsePrefix(pool.IPRange).Contains(at) {
		t.Errorf("%s: not in %s outside of %s", at, pool.Subnet, pool.IPRange)
	}
}

func TestRedisServersBecomeOneCluster(t *testing.T) {
	var named, created []string
	for _, name := range redisServices {
		s := service(t, name)
		address := s.Networks["stores"].Ipv4Address
		checkFixed(t, "stores", address)
		named, created = append(named, name+":6379"), append(created, address+":6379")
		if mount(s, "/data") != name {
			t.Errorf("%s keeps its data in %q", name, mount(s, "/data"))
		}
		if len(s.Command) != 2 || filepath.Base(mount(s, s.Command[1])) != "redis.conf" {
			t.Errorf("%s runs %q, without redis.conf", name, s.Command)
		}
	}
	if addrs := readSettings(t).Cluster.Redis.Addrs; !slices.Equal(addrs, named) {
		t.Errorf("cluster.redis.addrs is %q, not %q", addrs, named)
	}
	create := service(t, "redis-create")
	if !slices.Equal(create.Command[1:], created) || filepath.Base(mount(create, create.Command[0])) != "redis-create" {
		t.Errorf("redis-create runs %q, not for %q", create.Command, created)
	}
	if info, err := os.Stat("redis-create"); err != nil || info.Mode().Perm()&0o111 != 0o111 {
		t.Errorf("redis-create can't be run by everybody (%v)", err)
	}
	for _, name := range redisServices {
		if create.DependsOn[name].Condition != types.ServiceConditionHealthy {
			t.Errorf("redis-create does not wait for %s", name)
		}
	}
}

func TestKafkaIsNotWeak(t *testing.T) {
	var brokers, voters []string
	for i, name := range kafkaServices {
		s := service(t, name)
		brokers = append(brokers, strings.TrimPrefix(env(s, "KAFKA_ADVERTISED_LISTENERS"), "PLAINTEXT://"))
		voters = append(voters, fmt.Sprintf("%s@%s:9093", env(s, "KAFKA_NODE_ID"), name))
		for setting, want := range map[string]string{
			"KAFKA_NODE_ID": fmt.Sprint(i + 1), "KAFKA_DEFAULT_REPLICATION_FACTOR": "3", "KAFKA_MIN_INSYNC_REPLICAS": "2",
			"KAFKA_LOG_RETENTION_MS": "-1", "KAFKA_LOG_RETENTION_BYTES": "-1", "KAFKA_UNCLEAN_LEADER_ELECTION_ENABLE": "false",
		} {
			if got := env(s, setting); got != want {
				t.Errorf("%s: %s is %q, not %q", name, setting, got, want)
			}
		}
		if mount(s, env(s, "KAFKA_LOG_DIRS")) != name {
			t.Errorf("%s keeps its log in %q, which is no volume of its", name, env(s, "KAFKA_LOG_DIRS"))
		}
		if id, err := base64.RawURLEncoding.DecodeString(env(s, "CLUSTER_ID")); err != nil || len(id) != 16 {
			t.Errorf("%s: CLUSTER_ID %q is no UUID in base64", name, env(s, "CLUSTER_ID"))
		}
	}
	for _, name := range kafkaServices {
		if got := env(service(t, name), "KAFKA_CONTROLLER_QUORUM_VOTERS"); got != strings.Join(voters, ",") {
			t.Errorf("%s: the voters are %q, not %q", name, got, voters)
		}
	}
	if got := readSettings(t).Cluster.Kafka.Brokers; !slices.Equal(got, brokers) {
		t.Errorf("cluster.kafka.brokers is %q, not %q", got, brokers)
	}
}

func TestMySQLSyncsEachCommit(t *testing.T) {
	s := service(t, "mysql")
	for _, flag := range []string{"--innodb-flush-log-at-trx-commit=1", "--sync-binlog=1"} {
		if !slices.Contains(s.Command, flag) {
			t.Errorf("mysqld runs without %s", flag)
		}
	}
	if !hasSecret(s, env(s, "MYSQL_PASSWORD_FILE")) || env(s, "MYSQL_PASSWORD") != "" || env(s, "MYSQL_ROOT_PASSWORD") != "" {
		t.Error("MySQL's password is no secret")
	}
	if mount(s, "/var/lib/mysql") != "mysql" {
		t.Error("MySQL's data is in no volume")
	}
}

func TestLoadBalancerSendsToTheNodes(t *testing.T) {
	if file := mount(service(t, "lb"), "/usr/local/etc/haproxy/haproxy.cfg"); filepath.Base(file) != "haproxy.cfg" {
		t.Errorf("the load balancer reads %q", file)
	}
	configuration := string(read(t, "haproxy.cfg"))
	for _, backend := range []string{"api", "events"} {
		_, section, _ := strings.Cut(configuration, "\nbackend "+backend+"\n")
		section, _, _ = strings.Cut(section, "\n\n")
		var servers []string
		for _, match := range regexp.MustCompile(`(?m)^\s+server \S+ (\S+)`).FindAllStringSubmatch(section, -1) {
			servers = append(servers, match[1])
		}
		if !slices.Equal(servers, []string{"api-1:8080", "api-2:8080"}) {
			t.Errorf("the backend %s has the servers %q", backend, servers)
		}
	}
}
