package playerapi

import (
	"bytes"
	"encoding/pem"
	"fmt"
	"strings"

	"github.com/golang-jwt/jwt/v5"

	"hongbao"
)

const (
	secretBytesGood = 32 // RFC 7518: as long as the hash
	keysMax         = 64 // a token that is no good is tried with each
)

// tokenKeys are the keys in force and the tokens that one of them verified. They are replaced together, so that a token
// never outlives its key: also not one that was being verified while the keys were replaced.
type tokenKeys struct {
	set   jwt.VerificationKeySet
	known *tokenCache
	sum   keySum
}

// use puts keys in force, when all of them are good.
func (t *tokens) use(texts [][]byte) error {
	keys := &tokenKeys{known: newTokenCache(tokensKnownMax), sum: keySumOf(texts, nil)}
	for i, text := range texts {
		several, err := parseKeys(t.alg, text)
		if err != nil {
			return fmt.Errorf("player.jwt: key %d of %d: %w", i+1, len(texts), err)
		}
		keys.set.Keys = append(keys.set.Keys, several...)
	}
	switch n := len(keys.set.Keys); {
	case n == 0:
		return hongbao.Invalid("player.jwt.key", "", "given while player.auth is jwt")
	case n > keysMax:
		return hongbao.Invalid("player.jwt.key", fmt.Sprintf("%d keys", n), fmt.Sprintf("at most %d", keysMax))
	}
	t.warnOfShort(texts)
	t.keys.Store(keys)
	return nil
}

func (t *tokens) warnOfShort(texts [][]byte) {
	for _, text := range texts {
		if t.alg == "HS256" && len(text) < secretBytesGood {
			t.logger.Warn("player.jwt.key is short: 32 random bytes are what HS256 asks for", "bytes", len(text))
		}
	}
}

// parseKeys reads what one text or file has: one secret, or any number of public keys.
func parseKeys(alg string, text []byte) ([]jwt.VerificationKey, error) {
	switch alg {
	case "HS256":
		return parseSecret(text)
	case "RS256":
		return parsePublic(text, func(pem []byte) (jwt.VerificationKey, error) { return jwt.ParseRSAPublicKeyFromPEM(pem) })
	case "EdDSA":
		return parsePublic(text, func(pem []byte) (jwt.VerificationKey, error) { return jwt.ParseEdPublicKeyFromPEM(pem) })
	}
	return nil, hongbao.Invalid("player.jwt.alg", alg, "one of HS256 RS256 EdDSA")
}

// parseSecret refuses a public key, with which everybody could sign who has ever seen it.
func parseSecret(text []byte) ([]jwt.VerificationKey, error) {
	if len(text) == 0 {
		return nil, hongbao.Invalid("player.jwt.key", "", "a secret of at least a byte, better 32")
	}
	block, _ := pem.Decode(text)
	if block != nil && (strings.HasSuffix(block.Type, "PUBLIC KEY") || block.Type == "CERTIFICATE") {
		return nil, hongbao.Invalid("player.jwt.alg", "HS256", "RS256 or EdDSA, for the key is a public one")
	}
	return []jwt.VerificationKey{text}, nil
}

// parsePublic reads PEM blocks one after another, between which people write names and dates. What looks like part of a
// block must be one: a file that was cut off is not taken for a shorter one.
func parsePublic(text []byte, parse func(pem []byte) (jwt.VerificationKey, error)) (keys []jwt.VerificationKey, err error) {
	begun := bytes.Count(text, []byte("-----BEGIN"))
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		key, err := parse(pem.EncodeToMemory(block))
		if err != nil {
			return nil, err
		}
		keys, text = append(keys, key), rest
	}
	switch {
	case len(keys) == 0:
		return nil, jwt.ErrKeyMustBePEMEncoded
	case len(keys) < begun || bytes.Contains(text, []byte("--")):
		return nil, fmt.Errorf("%d of %d PEM blocks can be read", len(keys), max(begun, len(keys)+1))
	}
	return keys, nil
}
