package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
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
