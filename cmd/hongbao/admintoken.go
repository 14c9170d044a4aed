package main

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"hongbao"
	"hongbao/adminapi"
)

// adminTokenFile is where the first token is kept, in the data folder.
const adminTokenFile = "admin.token"

// adminTokens are the configured tokens, or else the first token, which is made if it is not there.
func (c *Config) adminTokens() ([]adminapi.Token, error) {
	if len(c.Admin.Tokens) == 0 {
		first, err := firstAdminToken(c.Data)
		return []adminapi.Token{{Name: "admin", Role: adminapi.Operator, Token: first}}, err
	}
	tokens := make([]adminapi.Token, len(c.Admin.Tokens))
	for i, t := range c.Admin.Tokens {
		secret, err := t.secret(fmt.Sprintf("admin.tokens[%d]", i))
		if err != nil {
			return nil, err
		}
		tokens[i] = adminapi.Token{Name: t.Name, Role: adminapi.Role(t.Role), Token: secret}
	}
	return tokens, nil
}

func (t Token) secret(path string) (string, error) {
	if (t.Token == "") == (t.TokenFile == "") {
		return "", hongbao.Invalid(path+".token", "(token and token_file)", "given in one of them")
	}
	if t.TokenFile == "" {
		return t.Token, nil
	}
	text, err := os.ReadFile(t.TokenFile)
	if err != nil {
		return "", hongbao.Invalid(path+".token_file", t.TokenFile, "a file that can be read: "+err.Error())
	}
	return strings.TrimSpace(string(text)), nil
}

// firstAdminToken reads the token of a data folder and makes one at the first start. Of several nodes that start on one
// folder at once all get the same.
func firstAdminToken(dir string) (string, error) {
	path := filepath.Join(dir, adminTokenFile)
	token, err := readAdminToken(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return token, err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", explainFolder(dir, err)
	}
	file, err := os.CreateTemp(dir, adminTokenFile+".*") // 0600
	if err != nil {
		return "", explainFolder(dir, err)
	}
	defer os.Remove(file.Name())
	_, err = file.WriteString(rand.Text() + "\n")
	if err := errors.Join(err, file.Close()); err != nil {
		return "", err
	}
	if err := os.Link(file.Name(), path); err != nil && !errors.Is(err, fs.ErrExist) {
		return "", err
	}
	return readAdminToken(path)
}

func readAdminToken(path string) (string, error) {
	text, err := os.ReadFile(path)
	return strings.TrimSpace(string(text)), err
}
