// Package deploy checks what is shipped for running hongbao: that each file is accepted by the parser of what will read
// it, and that they agree with each other and with the product. Its module is its own, so that these parsers stay out of
// the product's. No container runs here.
package deploy

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// settings are the keys of hongbao's configuration that there are. Campaigns are not declared here.
type settings struct {
	Engine, Data, Timezone string
	Player                 struct {
		Listen, Auth string
		TrustedPeers []string `yaml:"trusted_peers"`
		CORSOrigins  []string `yaml:"cors_origins"`
		CampCampaign string   `yaml:"camp_campaign"`
		JWT          struct {
			Alg, Key string
			KeyFile  []string `yaml:"key_file"`
		}
	}
	Admin struct {
		Listen string
		Tokens []struct {
			Name, Role, Token string
			TokenFile         string `yaml:"token_file"`
		}
	}
	Gate    map[string]any
	Cluster struct {
		Redis struct {
			Addrs              []string
			Username, Password string
			TLS                any
			Shards             int
			ReplicasAck        int `yaml:"replicas_ack"`
		}
		Kafka struct {
			Brokers   []string
			TLS, SASL any
		}
		MySQL  struct{ DSN string }
		Outbox struct {
			Trim     string
			MaxBytes any `yaml:"max_bytes"`
		}
		AllowWeak []string `yaml:"allow_weak"`
	}
	Webhooks []map[string]any
}

func readSettings(t *testing.T) (s settings) {
	t.Helper()
	decoder := yaml.NewDecoder(bytes.NewReader(read(t, "cluster.yaml")))
	decoder.KnownFields(true)
	if err := decoder.Decode(&s); err != nil {
		t.Fatalf("cluster.yaml: %v", err)
	}
	return s
}

func TestSettingsAreNotWeak(t *testing.T) {
	s := readSettings(t)
	if s.Engine != "cluster" || s.Cluster.Redis.Shards != 64 || s.Cluster.Redis.ReplicasAck != 1 {
		t.Errorf("engine %q, shards %d, replicas_ack %d", s.Engine, s.Cluster.Redis.Shards, s.Cluster.Redis.ReplicasAck)
	}
	if len(s.Cluster.AllowWeak) > 0 {
		t.Errorf("cluster.allow_weak is shipped: %q", s.Cluster.AllowWeak)
	}
	if s.Cluster.MySQL.DSN != "" || s.Cluster.Redis.Password != "" {
		t.Error("a password stands in cluster.yaml")
	}
	for _, token := range s.Admin.Tokens {
		if token.Token != "" || !strings.HasPrefix(token.TokenFile, "/run/secrets/") {
			t.Errorf("the token %s is no secret", token.Name)
		}
	}
}

// TestSecretsAreMadeOnce runs init-secrets as an operator does.
func TestSecretsAreMadeOnce(t *testing.T) {
	dir := t.TempDir()
	script := filepath.Join(dir, "init-secrets")
	if err := os.WriteFile(script, read(t, "init-secrets"), 0o700); err != nil {
		t.Fatal(err)
	}
	made := func() map[string]string {
		run(t, script)
		files, err := filepath.Glob(filepath.Join(dir, "secrets", "*"))
		if err != nil {
			t.Fatal(err)
		}
		texts := map[string]string{}
		for _, file := range files {
			texts[filepath.Base(file)] = string(read(t, file))
			if info, err := os.Stat(file); err != nil || info.Mode().Perm()&0o004 == 0 {
				t.Errorf("the containers' users can't read %s (%v)", file, err)
			}
		}
		return texts
	}
	first, again := made(), made()
	for name := range project(t).Secrets {
		if len(first[name]) < 16 || first[name] != again[name] {
			t.Errorf("%s: %q at first, then %q", name, first[name], again[name])
		}
	}
	if len(first) != len(project(t).Secrets) {
		t.Errorf("init-secrets makes %d secrets, compose.yaml names %d", len(first), len(project(t).Secrets))
	}
	if !strings.Contains(first["mysql_dsn"], ":"+first["mysql_password"]+"@tcp(mysql:3306)/") {
		t.Errorf("the DSN %q has another password", first["mysql_dsn"])
	}
	if info, err := os.Stat(filepath.Join(dir, "secrets")); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("others on the machine can enter secrets/ (%v)", err)
	}
	if !slices.Contains(strings.Fields(string(read(t, ".gitignore"))), "secrets/") {
		t.Error("git does not ignore secrets/")
	}
	if !slices.Contains(strings.Fields(string(read(t, "Containerfile.dockerignore"))), "deploy/secrets") {
		t.Error("secrets/ gets into the build")
	}
}

func read(t *testing.T, file string) []byte {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func run(t *testing.T, command string, arguments ...string) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), command, arguments...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", command, err, out)
	}
	return string(out)
}
