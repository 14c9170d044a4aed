package main

import (
	"encoding/json"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"text/template"
)

// greeting is what a person needs next: links to open, and commands that work as pasted into another terminal.
type greeting struct {
	Version string `json:"version"`
	Player  string `json:"player,omitempty"` // URL of the port; a worker has none
	Admin   string `json:"admin"`
	Console string `json:"console,omitempty"` // link that signs in once; a worker has none
	Data    string `json:"data,omitempty"`

	NeedsToken bool   `json:"-"` // players need one
	Mint       string `json:"-"` // command that makes a player's token; empty: none is needed, or it can't
	Campaign   uint32 `json:"-"` // one to play; 0: there is none yet
	AsPlayer   string `json:"-"` // header that says who plays, as the shell takes it
	AsAdmin    string `json:"-"` // header with the token
	Hongbao    string `json:"-"` // this program
}

var greetingText = template.Must(template.New("greeting").Parse(`hongbao {{.Version}} is ready. Open these in a browser; the second link works once, within a day.

  players         {{.Player}}/{{if .NeedsToken}}#token=TOKEN{{if .Mint}}   (TOKEN from {{.Mint}}){{end}}{{end}}
  administrators  {{.Console}}

Its data is in {{.Data}}

{{if .Campaign}}Snatch, look into the wallet, and open with the envelope_id that was won:
  curl -X POST {{.Player}}/v1/campaigns/{{.Campaign}}/snatch -H {{.AsPlayer}}
  curl {{.Player}}/v1/wallet -H {{.AsPlayer}}
  curl -X POST {{.Player}}/v1/envelopes/ENVELOPE_ID/open -H {{.AsPlayer}}

Snatch from whatever rain falls at the moment:
  curl {{.Player}}/snatch -H {{.AsPlayer}} -d '{"uid":7}'
{{else}}Make a rain, in the console or so, and snatch from it five seconds later:
  curl {{.Admin}}/admin/v1/campaigns -H {{.AsAdmin}} -H 'Content-Type: application/json' -d '{"name":"first-rain","kind":"rain","opens_at":"+5s","lasts":"1h","budget":{"total_fen":100000,"count":1000}}'
  curl -X POST {{.Player}}/v1/campaigns/1/snatch -H {{.AsPlayer}}
{{end}}
See how it goes, put it under load, prove the books:
  curl {{.Admin}}/admin/v1/stats -H {{.AsAdmin}}
  {{.Hongbao}} bench --url {{.Player}} --admin {{.Admin}} --data {{.Data}}
  {{.Hongbao}} audit --admin {{.Admin}} --data {{.Data}}

`))

// greet tells how to go on: people by links and commands, programs by a line of JSON.
func (s *server) greet(c *commandLine) error {
	g := greeting{
		Version: readBuild().Version,
		Player:  localURL(s.playerListener), Admin: localURL(s.adminListener),
		Data: absolute(c.Data),
	}
	g.Console = g.Admin + "/#code=" + s.admin.ConsoleCode()
	if c.JSON {
		return json.NewEncoder(c.stdout).Encode(g)
	}
	if campaigns := s.service.Campaigns(); len(campaigns) > 0 {
		g.Campaign = campaigns[len(campaigns)-1].ID
	}
	g.Data, g.Hongbao = shellQuote(g.Data), shellQuote(program())
	g.NeedsToken = c.Player.Auth != "trusted"
	g.Mint = mint(c, g.Hongbao)
	g.AsPlayer, g.AsAdmin = asPlayer(c, g.Mint), asAdmin(c)
	return greetingText.Execute(c.stdout, g)
}

const greetedUID = "7"

// mint is the command that makes a player's token, or empty where there is none.
func mint(c *commandLine, program string) string {
	jwt := &c.Player.JWT
	if c.Player.Auth == "trusted" || jwt.Alg != "HS256" {
		return ""
	}
	command := program + " token --uid " + greetedUID
	if c.ConfigFile != "" {
		command += " --config " + shellQuote(absolute(c.ConfigFile))
	}
	if len(jwt.KeyFile) > 0 {
		command += " --player.jwt.key_file " + shellQuote(absolute(jwt.KeyFile[0]))
	}
	return command
}

func asPlayer(c *commandLine, mint string) string {
	switch {
	case c.Player.Auth == "trusted":
		return "'X-Player-Id: " + greetedUID + "'"
	case mint == "":
		return `"Authorization: Bearer $PLAYER_TOKEN"`
	}
	return `"Authorization: Bearer $(` + mint + `)"`
}

func asAdmin(c *commandLine) string {
	file := filepath.Join(absolute(c.Data), adminTokenFile)
	if len(c.Admin.Tokens) > 0 {
		file = c.Admin.Tokens[0].TokenFile
	}
	if file == "" {
		return `"Authorization: Bearer $HONGBAO_ADMIN_TOKEN"`
	}
	return `"Authorization: Bearer $(cat ` + shellQuote(absolute(file)) + `)"`
}

// localURL is where a port is reached from this machine.
func localURL(listener net.Listener) string {
	address := listener.Addr().(*net.TCPAddr)
	host := address.IP.String()
	if address.IP.IsUnspecified() {
		host = "127.0.0.1"
	}
	return "http://" + net.JoinHostPort(host, fmt.Sprint(address.Port))
}

func program() string {
	path, err := os.Executable()
	if err != nil {
		return os.Args[0]
	}
	return path
}

func absolute(path string) string {
	if full, err := filepath.Abs(path); err == nil {
		return full
	}
	return path
}

// shellQuote quotes a path for the shell where it needs to be.
func shellQuote(path string) string {
	if strings.Trim(path, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-+,:@") == "" {
		return path
	}
	return "'" + strings.ReplaceAll(path, "'", `'\''`) + "'"
}
