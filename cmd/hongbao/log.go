package main

import (
	"io"
	"log/slog"
	"os"
)

// newLogger logs for people where it can be read by them, and otherwise, or when asked to, in JSON.
func newLogger(w io.Writer, asJSON bool) *slog.Logger {
	if asJSON || !isTerminal(w) {
		return slog.New(slog.NewJSONHandler(w, nil))
	}
	return slog.New(slog.NewTextHandler(w, nil))
}

func isTerminal(w io.Writer) bool {
	file, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := file.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
