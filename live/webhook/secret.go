package webhook

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"

	"hongbao"
)

const secretForm = "one secret, or two while they are changed, each whsec_ and then the base64 of 24 to 64 random bytes"

// Secrets are signing keys as they are given: one text, or a list of one or two.
type Secrets []string

// UnmarshalJSON reads either.
func (s *Secrets) UnmarshalJSON(data []byte) error {
	var one string
	if json.Unmarshal(data, &one) == nil {
		*s = Secrets{one}
		return nil
	}
	var list []string
	if json.Unmarshal(data, &list) != nil || len(list) == 0 {
		return hongbao.Invalid("secret", "(not shown)", secretForm)
	}
	*s = list
	return nil
}

// Keys reads the texts. Its error is about the field secret below path and does not show them.
func (s Secrets) Keys(path string) ([][]byte, error) {
	keys := make([][]byte, len(s))
	for i, text := range s {
		key, err := hongbao.ParseSigningKey(text)
		if err != nil {
			return nil, hongbao.Invalid(path+"secret", "(not shown)", secretForm)
		}
		keys[i] = key
	}
	return keys, nil
}

// newKey makes a signing key and its text.
func newKey() (key []byte, text string) {
	key = make([]byte, 32)
	rand.Read(key) // never fails
	return key, "whsec_" + base64.StdEncoding.EncodeToString(key)
}

// safe seals keys for the journal, which viewers may read.
type safe struct{ aead cipher.AEAD }

func newSafe(secret hongbao.Secret) (safe, error) {
	key := secret.WebhookKey()
	block, err := aes.NewCipher(key[:])
	if err != nil {
		return safe{}, err
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	return safe{aead}, err
}

// seal locks keys up; name, the endpoint's, is needed to open them, so that none can be moved to another endpoint.
func (s safe) seal(name string, keys [][]byte) [][]byte {
	sealed := make([][]byte, len(keys))
	for i, key := range keys {
		sealed[i] = s.aead.Seal(nil, nil, key, []byte(name))
	}
	return sealed
}

func (s safe) open(name string, sealed [][]byte) ([][]byte, error) {
	keys := make([][]byte, len(sealed))
	for i, box := range sealed {
		key, err := s.aead.Open(nil, nil, box, []byte(name))
		if err != nil {
			return nil, fmt.Errorf("the secret of the webhook %s was sealed by another server, or is damaged: set it again", name)
		}
		keys[i] = key
	}
	return keys, nil
}
