package main

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// secretFile makes a key file of the test.
func secretFile(t *testing.T, dir, name string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte(strings.Repeat(name+" secret ", 4)+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// A key is taken out of force by replacing its file, while players play.
func TestKeysRotateWhileTheServerRuns(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file, next := secretFile(t, dir, "former"), secretFile(t, dir, "current")
	former := succeed(t, "token", "--uid=7", "--player.jwt.key_file="+file)
	current := succeed(t, "token", "--uid=7", "--player.jwt.key_file="+next)
	p := serve(t, "--player.auth=jwt", "--player.jwt.key_file="+file)
	believed := func(token string) bool {
		status, _ := p.ask("GET", p.Player+"/v1/wallet", "", "Authorization: Bearer "+strings.TrimSpace(token))
		return status == http.StatusOK
	}
	if !believed(former) || believed(current) {
		t.Fatal("the key in the file is not what is in force")
	}
	if err := os.Rename(file, file+".away"); err != nil {
		t.Fatal(err)
	}
	eventually(t, 20*time.Second, "the missing file is logged", func() bool {
		return strings.Contains(p.stderr.String(), "keys for tokens were refused")
	})
	if !believed(former) {
		t.Error("a missing file takes its key out of force")
	}
	if err := os.Rename(next, file); err != nil {
		t.Fatal(err)
	}
	eventually(t, 20*time.Second, "the new key is in force", func() bool { return believed(current) })
	if believed(former) {
		t.Error("a token of the removed key is believed")
	}
	for _, want := range []string{`{outcome="refused"} 1`, `{outcome="taken"} 1`} {
		if _, metrics := p.ask("GET", p.Admin+"/metrics", ""); !strings.Contains(metrics, "\nhongbao_player_key_reloads_total"+want+"\n") {
			t.Errorf("the metrics have no %s: %s", want, metrics)
		}
	}
}
