package main

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"strings"

	"hongbao"
	"hongbao/live/webhook"
)

// WebhookConfig is what holds for all webhooks.
type WebhookConfig struct {
	PrivateNetworks []string `name:"private_networks" placeholder:"CIDR" help:"Networks that are not public and where webhooks may be all the same (none)."`
}

// Webhooks are the webhooks of the configuration.
type Webhooks []Webhook

// Webhook is where events are sent.
type Webhook struct {
	Name       string          `json:"name"`
	URL        string          `json:"url"`
	Secret     webhook.Secrets `json:"secret"`      // one, or two while they are changed
	SecretFile string          `json:"secret_file"` // in place of secret: one a line
	Events     []string        `json:"events"`
	Campaigns  []string        `json:"campaigns"`
}

// UnmarshalText reads a list in YAML, of which JSON is a part.
func (w *Webhooks) UnmarshalText(text []byte) (err error) {
	*w, err = decodeList[Webhook]("webhooks", text)
	return err
}

// endpoints are the webhooks as their sender takes them.
func (w Webhooks) endpoints() ([]webhook.Endpoint, error) {
	endpoints := make([]webhook.Endpoint, len(w))
	for i, hook := range w {
		path := fmt.Sprintf("webhooks[%d].", i)
		secrets, err := hook.secrets(path)
		if err != nil {
			return nil, err
		}
		keys, err := secrets.Keys(path)
		if err != nil {
			return nil, err
		}
		endpoints[i] = webhook.Endpoint{Name: hook.Name, URL: hook.URL, Keys: keys, Events: hook.Events, Campaigns: hook.Campaigns}
	}
	return endpoints, webhook.Check(endpoints)
}

func (w *Webhook) secrets(path string) (webhook.Secrets, error) {
	switch given := len(w.Secret) > 0; {
	case given && w.SecretFile != "":
		return nil, hongbao.Invalid(path+"secret_file", w.SecretFile, "left out where there is a secret")
	case given || w.SecretFile == "":
		return w.Secret, nil
	}
	text, err := os.ReadFile(w.SecretFile)
	if err != nil {
		return nil, hongbao.Invalid(path+"secret_file", w.SecretFile, "readable: "+err.Error())
	}
	return strings.Fields(string(text)), nil
}

// privateNetworks are those where webhooks may be.
func (c *WebhookConfig) privateNetworks() ([]netip.Prefix, error) {
	var networks []netip.Prefix
	for _, text := range c.PrivateNetworks {
		prefix, err := netip.ParsePrefix(text)
		if err != nil || prefix.Addr().Is4In6() {
			return nil, hongbao.Invalid("webhook.private_networks", text, "a network such as 10.0.0.0/8")
		}
		networks = append(networks, prefix.Masked())
	}
	return networks, nil
}

func (c *Config) validateWebhooks() error {
	if _, err := c.Webhook.privateNetworks(); err != nil {
		return err
	}
	_, err := c.Webhooks.endpoints()
	return err
}

func (s *server) openWebhooks(context.Context) error {
	endpoints, err := s.config.Webhooks.endpoints()
	if err != nil {
		return err
	}
	networks, err := s.config.Webhook.privateNetworks()
	if err != nil {
		return err
	}
	s.webhooks, err = webhook.New(webhook.Options{
		Service: s.service, Secret: s.engine.Secret(), Logger: s.logger, Endpoints: endpoints, PrivateNetworks: networks,
	})
	return err
}
