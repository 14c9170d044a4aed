package main

import (
	"context"
	"errors"
	"io/fs"
	"iter"
	"time"

	"hongbao"
	"hongbao/audit"
	"hongbao/cluster"
	"hongbao/embedded"
)

// books are what a command reads where it asks no server: a data folder at rest, or the stores of a cluster.
type books interface {
	audit.Source
	Secret() hongbao.Secret
	// audit checks the guarantees; before, what is final may take so long to reach the books.
	audit(ctx context.Context, head string, wait time.Duration) (audit.Report, error)
	Close() error
}

type folderBooks struct{ *embedded.Reader }

func (b folderBooks) audit(ctx context.Context, head string, _ time.Duration) (audit.Report, error) {
	return auditFolder(ctx, b, head)
}

type clusterBooks struct{ *cluster.Books }

func (b clusterBooks) audit(ctx context.Context, head string, wait time.Duration) (audit.Report, error) {
	return auditCluster(ctx, b.Books, head, wait)
}

// find opens the books where this process can, and otherwise, or when --admin is given, makes a client of the server. One
// of the two is not nil; the books must be closed. A cluster's can always be opened, a data folder when no server holds it.
func (f *serverFlags) find(ctx context.Context, c *commandLine) (books, *adminClient, error) {
	var missing error
	if f.Admin == "" {
		opened, err := openBooks(ctx, &c.Config)
		if err == nil {
			return opened, nil, nil
		}
		if c.Engine == engineCluster || !isHeld(err) && !errors.Is(err, fs.ErrNotExist) {
			return nil, nil, explainFolder(c.Data, err)
		}
		missing = err
	}
	client, err := f.client(c)
	if err != nil && !isHeld(missing) {
		err = errors.Join(missing, err)
	}
	return nil, client, err
}

func openBooks(ctx context.Context, config *Config) (books, error) {
	if config.Engine == engineCluster {
		options, err := config.clusterOptions()
		if err != nil {
			return nil, err
		}
		opened, err := cluster.OpenBooks(ctx, options)
		if err != nil {
			return nil, err
		}
		return clusterBooks{opened}, nil
	}
	reader, err := embedded.OpenReader(nil, config.Data)
	if err != nil {
		return nil, err
	}
	return folderBooks{reader}, nil
}

// readSecret reads what receipts derive from, whoever holds the books.
func readSecret(ctx context.Context, config *Config) (hongbao.Secret, error) {
	if config.Engine == engineCluster {
		opened, err := openBooks(ctx, config)
		if err != nil {
			return hongbao.Secret{}, err
		}
		return opened.Secret(), opened.Close()
	}
	secret, err := embedded.ReadSecret(config.Data)
	return secret, explainFolder(config.Data, err)
}

// entries walks the journal of the books or of the server, whichever was found.
func entries(ctx context.Context, found books, client *adminClient, campaign uint32, after hongbao.Position) iter.Seq2[hongbao.Entry, error] {
	if client != nil {
		return client.journal(ctx, campaign, after)
	}
	return func(yield func(hongbao.Entry, error) bool) {
		for entry, err := range found.Journal(ctx, after) {
			if err == nil && campaign != 0 && entry.Event.Campaign != campaign {
				continue
			}
			if !yield(entry, err) || err != nil {
				return
			}
		}
	}
}
