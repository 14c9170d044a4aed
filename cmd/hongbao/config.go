package main

import (
	"bytes"
	"net/netip"
	"os"
	"strings"
	"time"

	"hongbao"
)

// Config is everything that can be set, with its defaults: by a flag of that name, by an environment variable, in the
// config file, in this order of precedence. See [loadSettings].
type Config struct {
	Engine    string        `default:"embedded" placeholder:"NAME" help:"What decides and remembers: embedded or cluster (${default})."`
	Data      string        `default:"./data" placeholder:"DIR" help:"Folder of journal, views and keys; of a cluster's node only of the first admin token (${default})."`
	Timezone  string        `default:"Asia/Shanghai" placeholder:"ZONE" help:"IANA zone of the calendar day (${default}); recorded at first start."`
	Player    PlayerConfig  `embed:"" prefix:"player."`
	Admin     AdminConfig   `embed:"" prefix:"admin."`
	Gate      GateConfig    `embed:"" prefix:"gate."`
	Live      LiveConfig    `embed:"" prefix:"live."`
	Cluster   ClusterConfig `embed:"" prefix:"cluster."`
	Webhook   WebhookConfig `embed:"" prefix:"webhook."`
	Webhooks  Webhooks      `placeholder:"LIST" help:"[{name, url, secret or secret_file, events, campaigns}]: where events are sent (nowhere)."`
	Campaigns Campaigns     `placeholder:"LIST" help:"Campaigns created at start-up if none of that name exists: YAML or JSON, as in the config file."`
}

// PlayerConfig is the public port.
type PlayerConfig struct {
	Listen       string    `default:"127.0.0.1:8080" placeholder:"ADDRESS" help:"Where players connect (${default})."`
	Auth         string    `default:"trusted" placeholder:"MODE" help:"How a player is known: trusted (X-Player-Id of a gateway in front) or jwt (${default})."`
	TrustedPeers []string  `name:"trusted_peers" placeholder:"CIDR" help:"Proxies in front: their X-Forwarded-For tells where a player is, and with trusted (required beyond loopback) their X-Player-Id who."`
	CORSOrigins  []string  `name:"cors_origins" placeholder:"ORIGIN" help:"Pages elsewhere that may call."`
	JWT          JWTConfig `embed:"" prefix:"jwt."`
	CampCampaign string    `name:"camp_campaign" placeholder:"NAME" help:"Campaign that the camp API plays (the current rain)."`
}

// JWTConfig says how tokens are verified.
type JWTConfig struct {
	Alg     string   `default:"HS256" placeholder:"NAME" help:"HS256, RS256 or EdDSA (${default})."`
	Key     string   `placeholder:"KEY" help:"The secret (HS256) or public keys (PEM)."`
	KeyFile []string `name:"key_file" placeholder:"FILE" help:"Files of the same, read again as they change: one secret or any number of PEM public keys in each; several while rotating."`
}

// LiveConfig is how players are told of events.
type LiveConfig struct {
	Connections int `placeholder:"N" help:"Connections that are told of events, at most (half of those that the process may have, 65,536 at most)."`
}

// AdminConfig is the administrators' port.
type AdminConfig struct {
	Listen string `default:"127.0.0.1:8081" placeholder:"ADDRESS" help:"Where administrators connect (${default})."`
	Tokens Tokens `placeholder:"LIST" help:"[{name, role, token or token_file}] (one made at first start)."`
}

// What engine can be.
const (
	engineEmbedded = "embedded"
	engineCluster  = "cluster"
)

// validate checks what needs nothing but the configuration; every error names the setting.
func (c *Config) validate() error {
	_, badZone := c.calendar()
	_, badPeers := c.Player.trustedPeers()
	checks := []error{
		checkOneOf("engine", c.Engine, engineEmbedded, engineCluster),
		checkGiven("data", c.Data),
		badZone,
		badPeers,
		checkOneOf("player.auth", c.Player.Auth, "trusted", "jwt"),
		checkOneOf("player.jwt.alg", c.Player.JWT.Alg, "HS256", "RS256", "EdDSA"),
		c.Gate.validate(),
		c.Live.validate(),
		c.Cluster.validate(),
		c.Campaigns.validate(),
		c.validateWebhooks(),
	}
	if c.Engine == engineCluster {
		checks = append(checks, c.Cluster.validateGiven())
	}
	for _, err := range checks {
		if err != nil {
			return err
		}
	}
	return nil
}

func (c *LiveConfig) validate() error {
	if c.Connections < 0 {
		return hongbao.Invalid("live.connections", c.Connections, "a positive number; left out, it is by how many files the process may open")
	}
	return nil
}

// calendar is the zone that wins are counted by day in.
func (c *Config) calendar() (*hongbao.Calendar, error) {
	zone, err := time.LoadLocation(c.Timezone)
	if err != nil || c.Timezone == "" || c.Timezone == "Local" {
		return nil, hongbao.Invalid("timezone", c.Timezone, "an IANA zone such as Asia/Shanghai or UTC")
	}
	return hongbao.NewCalendar(zone), nil
}

// trustedPeers are the networks of the gateways; a bare address is a network of one.
func (c *PlayerConfig) trustedPeers() ([]netip.Prefix, error) {
	var peers []netip.Prefix
	for _, text := range c.TrustedPeers {
		prefix, err := netip.ParsePrefix(text)
		if address, bare := netip.ParseAddr(text); bare == nil {
			prefix, err = netip.PrefixFrom(address, address.BitLen()), nil
		}
		if err != nil {
			return nil, hongbao.Invalid("player.trusted_peers", text, "a network such as 10.0.0.0/8, or an address")
		}
		peers = append(peers, prefix.Masked())
	}
	return peers, nil
}

func checkGiven(key, value string) error {
	if value == "" {
		return hongbao.Invalid(key, value, "given")
	}
	return nil
}

func checkOneOf(key, value string, allowed ...string) error {
	for _, a := range allowed {
		if value == a {
			return nil
		}
	}
	return hongbao.Invalid(key, value, "one of "+strings.Join(allowed, ", "))
}

// keys are the keys that tokens are verified with, as they are given: the one in the configuration, then the files.
func (c *JWTConfig) keys() ([][]byte, error) {
	var keys [][]byte
	if c.Key != "" {
		keys = append(keys, []byte(c.Key))
	}
	for _, file := range c.KeyFile {
		key, err := os.ReadFile(file)
		if err != nil {
			return nil, hongbao.Invalid("player.jwt.key_file", file, "readable: "+err.Error())
		}
		keys = append(keys, bytes.TrimSpace(key))
	}
	if len(keys) == 0 {
		return nil, hongbao.Invalid("player.jwt.key", "", "given, or player.jwt.key_file")
	}
	return keys, nil
}
