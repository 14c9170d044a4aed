package hongbao

import (
	"bytes"
	"encoding/base64"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"
)

// The example of the Standard Webhooks specification.
const (
	specKey       = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	specID        = "msg_p5jXN8AQM9LWM0D4loKWxJek"
	specTime      = 1614265330
	specBody      = `{"test": 2432232314}`
	specSignature = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
)

func TestSignatureIsThatOfTheSpecification(t *testing.T) {
	key, err := ParseSigningKey(specKey)
	if err != nil {
		t.Fatal(err)
	}
	header := http.Header{}
	SignWebhook(header, [][]byte{key}, specID, time.Unix(specTime, 999), []byte(specBody))
	for name, want := range map[string]string{
		"webhook-id": specID, "webhook-timestamp": "1614265330", "webhook-signature": specSignature,
	} {
		if got := header.Get(name); got != want {
			t.Errorf("%s is %q; must be %q", name, got, want)
		}
	}
}

func TestEachKeySignsWhileTheyAreChanged(t *testing.T) {
	key, _ := ParseSigningKey(specKey)
	header := http.Header{}
	SignWebhook(header, [][]byte{bytes.Repeat([]byte{1}, 24), key}, specID, time.Unix(specTime, 0), []byte(specBody))
	signatures := strings.Fields(header.Get("webhook-signature"))
	if len(signatures) != 2 || signatures[1] != specSignature || signatures[0] == specSignature {
		t.Errorf("the signatures are %q", signatures)
	}
}

func TestSigningKeyIsRefusedUnlessItsTextIsExact(t *testing.T) {
	of := func(n int) string { return "whsec_" + base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{7}, n)) }
	for _, row := range []struct {
		name, text string
		ok         bool
	}{
		{"the least", of(24), true},
		{"the most", of(64), true},
		{"too short", of(23), false},
		{"too long", of(65), false},
		{"empty", "", false},
		{"no prefix", of(24)[6:], false},
		{"another prefix", "whpk_" + of(24)[6:], false},
		{"no padding", strings.TrimRight(of(32), "="), false},
		{"a line end inside", of(24)[:20] + "\n" + of(24)[20:], false},
		{"a line end behind", of(24) + "\n", false},
		{"stray bits", strings.TrimSuffix(of(25), "w==") + "x==", false},
		{"the alphabet of addresses", "whsec_" + strings.Repeat("_-", 16), false},
	} {
		key, err := ParseSigningKey(row.text)
		if (err == nil) != row.ok {
			t.Errorf("%s: %q gives %v, %v", row.name, row.text, key, err)
		}
		if err != nil && (!errors.Is(err, ErrInvalid) || len(row.text) > 9 && strings.Contains(err.Error(), row.text[6:])) {
			t.Errorf("%s: the error is %q", row.name, err)
		}
	}
}
