package systemtest

import (
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// links are the links to the stores that a test makes worse: one to a master of Redis, one to Kafka, one to MySQL.
//
// A Redis Cluster and a Kafka tell their clients where they are, so that a proxy before them must be what they tell: the
// master announces the proxy's port for as long as a test needs it (its replica then follows it through the proxy, too;
// the bus, by which the servers see each other, is direct, so that nobody is promoted). Kafka has a second listener.
type links struct{ redis, kafka, mysql *proxy }

// kafkaBehindProxy gives Kafka a listener that is reached by a proxy. It needs a restart, which a test of one may be.
func (s *stores) kafkaBehindProxy(restart func()) *proxy {
	s.t.Helper()
	if s.kafka != nil {
		return s.kafka
	}
	port, controller := s.number("kafka", "port"), s.number("kafka", "port")+1
	behind := port + 3 // the last of the ten ports that scripts/services keeps
	s.kafka = newProxy(s.owner, fmt.Sprint("127.0.0.1:", behind))
	file := filepath.Join(s.dir, "kafka", "server.properties")
	plain, proxied := fmt.Sprint("PLAINTEXT://127.0.0.1:", port), "PROXIED://127.0.0.1:"
	text := read(s.t, file)
	for _, change := range [][2]string{
		{"\nlisteners=" + plain, "\nlisteners=" + plain + "," + proxied + fmt.Sprint(behind)},
		{"\nadvertised.listeners=" + plain, "\nadvertised.listeners=" + plain + "," + strings.Replace(proxied, "127.0.0.1:", "", 1) + s.kafka.address},
		{"CONTROLLER:PLAINTEXT,", "CONTROLLER:PLAINTEXT,PROXIED:PLAINTEXT,"},
	} {
		if strings.Count(text, change[0]) != 1 {
			s.t.Fatalf("%s does not have this once: %s (controller %d)", file, change[0], controller)
		}
		text = strings.Replace(text, change[0], change[1], 1)
	}
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		s.t.Fatal(err)
	}
	restart()
	return s.kafka
}

func (s *stores) restartKafka() {
	s.kill("kafka")
	s.start("kafka")
}

// redisBehindProxy has a master announce a proxy's port, until the test ends.
func (s *stores) redisBehindProxy(t testing.TB, master string) *proxy {
	t.Helper()
	p := newProxy(t, s.address(master))
	_, port, _ := net.SplitHostPort(p.address)
	s.announce(t, master, port, fmt.Sprint(s.number(master, "port")+10000))
	t.Cleanup(func() { s.announce(t, master, "0", "0") })
	return p
}

// announce returns when all servers know.
func (s *stores) announce(t testing.TB, master, port, bus string) {
	t.Helper()
	s.mustRedis(master, "config", "set", "cluster-announce-port", port, "cluster-announce-bus-port", bus)
	want := port
	if port == "0" {
		want = fmt.Sprint(s.number(master, "port"))
	}
	eventually(t, 20*time.Second, "all servers of Redis know the port that "+master+" announces", func() bool {
		for _, name := range redisNames {
			if out, err := s.redis(name, "cluster", "nodes"); err != nil || !strings.Contains(out, " 127.0.0.1:"+want+"@") {
				return false
			}
		}
		return true
	})
}

// openLinks lays proxies to all stores and returns the settings that use them.
func openLinks(t testing.TB, s *stores) (l links, args []string) {
	l = links{
		redis: s.redisBehindProxy(t, s.pairOf(1).master),
		kafka: s.kafkaBehindProxy(s.restartKafka),
		mysql: newProxy(t, s.address("mysql")),
	}
	return l, []string{"--cluster.kafka.brokers=" + l.kafka.address, "--cluster.mysql.dsn=root@tcp(" + l.mysql.address + ")/hongbao"}
}

// linkFault makes each link worse in each way, one after another.
func linkFault() fault {
	var l links
	return fault{
		name: "slow and cut connections",
		prepare: func(t *testing.T, s *stores) (args []string) {
			l, args = openLinks(t, s)
			return args
		},
		do: func(t *testing.T, r *rush, random *rand.Rand) {
			for _, link := range []struct {
				name string
				*proxy
				waits []int // shards that can't play without it
			}{{"Redis", l.redis, []int{1, 2}}, {"Kafka", l.kafka, nil}, {"MySQL", l.mysql, nil}} {
				r.worsen(t, link.name, link.proxy, link.waits, random)
			}
		},
	}
}

// worsen makes one link slow, cuts it again and again, lets it swallow everything for longer than anything waits, and
// refuse connections. Others play on; afterwards all do.
func (r *rush) worsen(t *testing.T, name string, p *proxy, waits []int, random *rand.Rand) {
	t.Helper()
	all := []int{0, 1, 2, 3}
	others := []int{0, 3}
	if waits == nil {
		others = all
	}
	before := p.moved.Load()
	r.step(t, name+" is slow", func() {
		p.slow(20*time.Millisecond, 256<<10)
		r.playsOn(t, around(), all...)
		p.slow(0, 0)
	})
	if p.moved.Load() == before {
		t.Errorf("nothing passes the link to %s: it is not the one", name)
	}
	r.step(t, name+" is cut", func() {
		cut := 0
		for range 10 {
			time.Sleep(time.Duration(random.Int64N(int64(150 * time.Millisecond)))) // any moment will do
			cut += p.cut()
		}
		if cut == 0 {
			t.Errorf("there was no connection to %s to cut", name)
		}
		r.playsOn(t, around(), all...)
	})
	r.step(t, name+" is swallowed", func() {
		p.swallow()
		if waits != nil {
			r.isBusy(t, 0, waits...)
		}
		r.playsOn(t, 3*time.Second, others...)
		p.release()
	})
	r.step(t, name+" refuses", func() {
		p.refuse()
		if waits != nil {
			r.isBusy(t, 0, waits...)
		}
		r.playsOn(t, around(), others...)
		p.admit(t)
	})
	r.awaitShards(random)
}

// step logs what players were told while something was done.
func (r *rush) step(t *testing.T, name string, do func()) {
	t.Helper()
	r.tellAll()
	began := time.Now()
	do()
	t.Logf("%s, for %s:%s", name, since(began, time.Now()), tell(r.tellAll()))
}
