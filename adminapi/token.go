package adminapi

import (
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"strings"

	"hongbao"
)

// Role is what a token may do.
type Role string

// The roles; each may do what those before it may.
const (
	public   Role = ""         // no token needed
	Viewer   Role = "viewer"   // reads
	Operator Role = "operator" // reads and changes
)

// may reports whether the role suffices where needed is asked for.
func (r Role) may(needed Role) bool { return r == Operator || r == needed || needed == public }

// Token lets its bearer in under a name, which is the actor in the journal.
type Token struct {
	Name  string // 1 to 64 of the characters a-z A-Z 0-9 - _ .
	Role  Role
	Token string // 16 to 256 printable ASCII characters without spaces
}

// reservedActors are those that the server itself acts under.
var reservedActors = []string{"clock", "config", "server", consoleActor}

// keyring recognises tokens. It keeps their SHA-256 only.
type keyring []key

type key struct {
	hash [sha256.Size]byte
	name string
	role Role
}

// newKeyring checks the tokens; errors name them by their place in the configuration.
func newKeyring(tokens []Token) (keyring, error) {
	names := map[string]bool{}
	ring := make(keyring, 0, len(tokens))
	for i, t := range tokens {
		if err := t.check(fmt.Sprintf("admin.tokens[%d].", i)); err != nil {
			return nil, err
		}
		if names[t.Name] {
			return nil, hongbao.Invalid(fmt.Sprintf("admin.tokens[%d].name", i), t.Name, "a name that no other token has")
		}
		names[t.Name] = true
		ring = append(ring, key{sha256.Sum256([]byte(t.Token)), t.Name, t.Role})
	}
	return ring, nil
}

func (t Token) check(path string) error {
	if t.Name == "" || len(t.Name) > 64 || strings.Trim(t.Name, nameCharacters) != "" {
		return hongbao.Invalid(path+"name", t.Name, "1 to 64 of the characters a-z A-Z 0-9 - _ .")
	}
	for _, reserved := range reservedActors {
		if t.Name == reserved {
			return hongbao.Invalid(path+"name", t.Name, "another name: the server acts under this one itself")
		}
	}
	if t.Role != Viewer && t.Role != Operator {
		return hongbao.Invalid(path+"role", t.Role, "one of viewer operator")
	}
	secret := strings.ContainsFunc(t.Token, func(c rune) bool { return c <= ' ' || c > '~' })
	if secret || len(t.Token) < 16 || len(t.Token) > 256 {
		return hongbao.Invalid(path+"token", "(hidden)", "16 to 256 printable ASCII characters without spaces")
	}
	return nil
}

const nameCharacters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_."

// find looks a presented token up in a time that depends neither on where it differs nor on which token it is.
func (ring keyring) find(presented string) (found key, ok bool) {
	hash := sha256.Sum256([]byte(presented))
	for _, k := range ring {
		if subtle.ConstantTimeCompare(hash[:], k.hash[:]) == 1 {
			found, ok = k, true
		}
	}
	return found, ok
}

// bearer is the token of an Authorization header, or empty.
func bearer(header string) string {
	scheme, token, _ := strings.Cut(header, " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return strings.TrimSpace(token)
}
