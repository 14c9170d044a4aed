package hongbao

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// The bounds of a signing key in bytes, and what its text begins with, as Standard Webhooks has them.
const (
	signingKeyMin    = 24
	signingKeyMax    = 64
	signingKeyPrefix = "whsec_"
	signingKeyForm   = "whsec_ and then the base64 of 24 to 64 random bytes"
)

// ParseSigningKey reads a key in the text form of Standard Webhooks: whsec_ and then the base64 of 24 to 64 bytes. Its
// error is a [FieldError] that does not show the key.
func ParseSigningKey(text string) ([]byte, error) {
	encoded, ok := strings.CutPrefix(text, signingKeyPrefix)
	key, err := base64.StdEncoding.DecodeString(encoded)
	// The decoder passes over line ends and stray bits; a key with those was damaged on its way here.
	if !ok || err != nil || base64.StdEncoding.EncodeToString(key) != encoded || !IsSigningKey(key) {
		return nil, Invalid("signing key", "(not shown)", signingKeyForm)
	}
	return key, nil
}

// IsSigningKey reports whether a key has as many bytes as Standard Webhooks asks of one.
func IsSigningKey(key []byte) bool { return len(key) >= signingKeyMin && len(key) <= signingKeyMax }

// SignWebhook puts the three headers of Standard Webhooks on a request: its id, its time, and a signature by each key,
// so that a receiver that knows only the old or only the new one accepts it while they are changed.
func SignWebhook(header http.Header, keys [][]byte, id string, at time.Time, body []byte) {
	stamp := strconv.FormatInt(at.Unix(), 10)
	signatures := make([]string, len(keys))
	for i, key := range keys {
		mac := hmac.New(sha256.New, key)
		mac.Write([]byte(id + "." + stamp + "."))
		mac.Write(body)
		signatures[i] = "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
	}
	header.Set("webhook-id", id)
	header.Set("webhook-timestamp", stamp)
	header.Set("webhook-signature", strings.Join(signatures, " "))
}
