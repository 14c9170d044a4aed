package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"syscall"

	"hongbao"
	"hongbao/audit"
	"hongbao/embedded"
)

// folder is a data folder, held by this process's engine or at rest.
type folder interface {
	audit.Source
	Books(context.Context) (*embedded.Books, error)
	Secret() hongbao.Secret
}

// auditFolder checks the guarantees against the whole journal and what reads are answered from.
func auditFolder(ctx context.Context, f folder, head string) (report audit.Report, err error) {
	books, err := f.Books(ctx)
	if err != nil {
		return audit.Report{}, err
	}
	defer func() { err = errors.Join(err, books.Close()) }()
	secret := f.Secret()
	return audit.Run(ctx, f, audit.Options{Books: books, Head: head, Secret: &secret})
}

// find opens the data folder itself where no server holds it, and otherwise, or when --admin is given, makes a client
// of the server. One of the two is not nil; the folder must be closed.
func (f *serverFlags) find(c *commandLine) (*embedded.Reader, *adminClient, error) {
	var missing error
	if f.Admin == "" {
		reader, err := embedded.OpenReader(nil, c.Data)
		if err == nil {
			return reader, nil, nil
		}
		if !isHeld(err) && !errors.Is(err, fs.ErrNotExist) {
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

// isHeld reports whether another process has the lock of a data folder.
func isHeld(err error) bool { return errors.Is(err, syscall.EAGAIN) }

// explainFolder adds what to do about a data folder that can't be opened.
func explainFolder(dir string, err error) error {
	switch {
	case isHeld(err):
		return fmt.Errorf("data: %s is held by another hongbao: stop that one, or give this one another folder with --data", dir)
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS), errors.Is(err, syscall.ENOTDIR):
		return fmt.Errorf("data: %w: make it writable for user %d, or choose another folder with --data", err, os.Getuid())
	}
	return err
}

// entries walks the journal of the folder or of the server, wherever it was found.
func entries(ctx context.Context, reader *embedded.Reader, client *adminClient, campaign uint32, after hongbao.Position) iter.Seq2[hongbao.Entry, error] {
	if client != nil {
		return client.journal(ctx, campaign, after)
	}
	return func(yield func(hongbao.Entry, error) bool) {
		for entry, err := range reader.Journal(ctx, after) {
			if err == nil && campaign != 0 && entry.Event.Campaign != campaign {
				continue
			}
			if !yield(entry, err) || err != nil {
				return
			}
		}
	}
}
