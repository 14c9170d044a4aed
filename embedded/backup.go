package embedded

import (
	"context"
	"encoding/hex"
	"fmt"

	"hongbao"
)

// Backup copies the data folder into a new or empty folder while the engine runs: first the views, then the journal up
// to a block at or after theirs, and the secret. The copy opens as a data folder of its own.
func (e *Engine) Backup(_ context.Context, to string) error {
	if names, err := e.files.List(to); err == nil && len(names) > 0 {
		return hongbao.Invalid("to", to, "a folder that does not exist or is empty")
	}
	if err := e.files.MkdirAll(to, 0o700); err != nil {
		return hongbao.Invalid("to", to, "a folder that can be made: "+err.Error())
	}
	if err := e.views.copyTo(e.files.PathJoin(to, "views")); err != nil {
		return fmt.Errorf("back up views: %w", err)
	}
	if err := e.journal.CopyTo(e.files, e.files.PathJoin(to, "journal"), e.journal.Head().Block); err != nil {
		return fmt.Errorf("back up journal: %w", err)
	}
	return writePrivate(e.files, to, secretName, []byte(hex.EncodeToString(e.secret[:])+"\n"))
}
