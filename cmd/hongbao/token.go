package main

import (
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"hongbao"
)

// TokenCommand mints a player's token for trying things out; in earnest the company's login does.
type TokenCommand struct {
	UID uint64        `required:"" placeholder:"UID" help:"Player that the token is for."`
	For time.Duration `default:"1h" placeholder:"TIME" help:"How long it is valid (${default})."`
}

// Run prints it.
func (t *TokenCommand) Run(c *commandLine) error {
	token, err := t.mint(&c.Player.JWT, time.Now())
	if err != nil {
		return err
	}
	if c.JSON {
		return json.NewEncoder(c.stdout).Encode(map[string]string{"token": token})
	}
	_, err = fmt.Fprintln(c.stdout, token)
	return err
}

func (t *TokenCommand) mint(config *JWTConfig, now time.Time) (string, error) {
	if t.UID > hongbao.UIDMax {
		return "", hongbao.Invalid("--uid", t.UID, "from 0 to 9007199254740991 (2^53-1)")
	}
	if t.For <= 0 {
		return "", hongbao.Invalid("--for", t.For, "positive")
	}
	if config.Alg != "HS256" {
		return "", hongbao.Invalid("player.jwt.alg", config.Alg, "HS256: for others the server has only the public key")
	}
	keys, err := config.keys()
	if err != nil {
		return "", err
	}
	claims := jwt.RegisteredClaims{
		Subject:   strconv.FormatUint(t.UID, 10),
		IssuedAt:  jwt.NewNumericDate(now),
		ExpiresAt: jwt.NewNumericDate(now.Add(t.For)),
	}
	return jwt.NewWithClaims(jwt.SigningMethodHS256, claims).SignedString(keys[0])
}
