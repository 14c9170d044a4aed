package deploy

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestRedisCreate joins six real servers with the shipped configuration, twice. It is the settings that the servers have
// afterwards that hongbao looks at.
func TestRedisCreate(t *testing.T) {
	if _, err := exec.LookPath("redis-server"); err != nil {
		if os.Getenv("HONGBAO_REQUIRE_SERVICES") != "" {
			t.Fatal(err)
		}
		t.Skip("no redis-server on this machine")
	}
	var addresses []string
	for _, port := range freePorts(t, 6) {
		startRedis(t, port)
		addresses = append(addresses, fmt.Sprintf("127.0.0.1:%d", port))
	}
	for _, time := range []string{"first", "second"} {
		out := run(t, "./redis-create", addresses...)
		if created := strings.Contains(out, "All 16384 slots covered"); created != (time == "first") || !strings.Contains(out, "the cluster is complete") {
			t.Errorf("the %s time:\n%s", time, out)
		}
	}
	for _, address := range addresses {
		for setting, want := range map[string]string{
			"appendonly": "yes", "appendfsync": "always", "maxmemory-policy": "noeviction", "min-replicas-to-write": "1",
			"min-replicas-max-lag": "2", "cluster-require-full-coverage": "no",
		} {
			if got := askRedis(t, address, "config", "get", setting); got != setting+"\n"+want {
				t.Errorf("%s says %q, not %s", address, got, want)
			}
		}
	}
	for i := range 32 {
		if got := askRedis(t, addresses[0], "-c", "set", fmt.Sprint("key-", i), "x"); got != "OK" {
			t.Fatalf("a write is answered %q", got)
		}
	}
}

func startRedis(t *testing.T, port int) {
	t.Helper()
	configuration, err := filepath.Abs("redis.conf")
	if err != nil {
		t.Fatal(err)
	}
	server := exec.Command("redis-server", configuration, "--port", fmt.Sprint(port), "--bind", "127.0.0.1", "--dir", t.TempDir())
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = server.Process.Kill()
		_ = server.Wait()
	})
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		connection, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err == nil {
			_ = connection.Close()
			return
		}
		if time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
}

func askRedis(t *testing.T, address string, arguments ...string) string {
	t.Helper()
	host, port, _ := strings.Cut(address, ":")
	return strings.TrimSpace(run(t, "redis-cli", append([]string{"-h", host, "-p", port}, arguments...)...))
}

// freePorts are free together with the port 10,000 above each, where the cluster bus listens.
func freePorts(t *testing.T, n int) (ports []int) {
	t.Helper()
	for port := 20000 + os.Getpid()%20000; len(ports) < n && port < 55535; port++ {
		client, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err != nil {
			continue
		}
		bus, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port+10000))
		_ = client.Close()
		if err != nil {
			continue
		}
		_ = bus.Close()
		ports = append(ports, port)
	}
	if len(ports) < n {
		t.Fatal("no free ports")
	}
	return ports
}
