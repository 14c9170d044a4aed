package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"time"
)

// identity is the header that says who plays.
func (g *ground) identity(uid uint64) string {
	if g.setting.jwt {
		return "Authorization: Bearer " + token(g.key, uid, time.Now())
	}
	return playerHeader(uid)
}

// token is a JWT as the company's login makes it: HS256, an hour long.
func token(key []byte, uid uint64, now time.Time) string {
	encode := base64.RawURLEncoding.EncodeToString
	signed := encode([]byte(`{"alg":"HS256","typ":"JWT"}`)) + "." +
		encode(fmt.Appendf(nil, `{"sub":"%d","iat":%d,"exp":%d}`, uid, now.Unix(), now.Add(time.Hour).Unix()))
	m := hmac.New(sha256.New, key)
	m.Write([]byte(signed))
	return signed + "." + encode(m.Sum(nil))
}
