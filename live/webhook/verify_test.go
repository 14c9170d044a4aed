package webhook

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"hongbao"
)

// What docs/webhooks.md tells receivers to do stands here, word by word.

func verify(secret string, r *http.Request, body []byte) bool {
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_"))
	id, stamp := r.Header.Get("webhook-id"), r.Header.Get("webhook-timestamp")
	seconds, bad := strconv.ParseInt(stamp, 10, 64)
	if err != nil || bad != nil || time.Since(time.Unix(seconds, 0)).Abs() > 5*time.Minute {
		return false
	}
	mac := hmac.New(sha256.New, key)
	fmt.Fprintf(mac, "%s.%s.%s", id, stamp, body)
	want := "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
	return slices.ContainsFunc(strings.Fields(r.Header.Get("webhook-signature")), func(s string) bool {
		return hmac.Equal([]byte(s), []byte(want))
	})
}

func TestTheDocumentedVerification(t *testing.T) {
	document, err := os.ReadFile("../../docs/webhooks.md")
	if err != nil {
		t.Fatal(err)
	}
	own, err := os.ReadFile("verify_test.go")
	if err != nil {
		t.Fatal(err)
	}
	_, documented, _ := strings.Cut(string(document), "```go\n")
	documented, _, _ = strings.Cut(documented, "```")
	if documented == "" || !strings.Contains(string(own), documented) {
		t.Errorf("docs/webhooks.md has another function:\n%s", documented)
	}
	key, secret := newKey()
	other, otherSecret := newKey()
	r, _ := http.NewRequest(http.MethodPost, "/", nil)
	body := []byte(`{"type":"open"}`)
	hongbao.SignWebhook(r.Header, [][]byte{other, key}, "17.0", time.Now(), body)
	if !verify(secret, r, body) || !verify(otherSecret, r, body) {
		t.Error("a good signature is refused")
	}
	_, stranger := newKey()
	if verify(stranger, r, body) || verify(secret, r, []byte(`{"type":"closed"}`)) {
		t.Error("a bad signature is accepted")
	}
	hongbao.SignWebhook(r.Header, [][]byte{key}, "17.0", time.Now().Add(-time.Hour), body)
	if verify(secret, r, body) {
		t.Error("an old request is accepted")
	}
}
