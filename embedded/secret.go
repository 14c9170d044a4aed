package embedded

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/cockroachdb/pebble/v2/vfs"

	"hongbao"
)

const secretName = "secret"

// loadSecret reads the folder's secret, and makes one for an empty journal. Without the secret nothing of a campaign
// that is not sealed can be cut, so that it is never made anew for a journal that has blocks.
func loadSecret(files vfs.FS, dir string, fresh bool) (secret hongbao.Secret, err error) {
	path := files.PathJoin(dir, secretName)
	text, err := readFile(files, path)
	switch {
	case errors.Is(err, fs.ErrNotExist) && fresh:
		rand.Read(secret[:]) // never fails
		return secret, writePrivate(files, dir, secretName, []byte(hex.EncodeToString(secret[:])+"\n"))
	case errors.Is(err, fs.ErrNotExist):
		return secret, fmt.Errorf("%w: %s is missing, which the journal's campaigns were made with: restore it from the backup", hongbao.ErrBroken, path)
	case err != nil:
		return secret, fmt.Errorf("read %s: %w", path, err)
	}
	if len(text) != 2*len(secret)+1 {
		return secret, fmt.Errorf("%w: %s does not hold 64 hex digits", hongbao.ErrBroken, path)
	}
	if _, err := hex.Decode(secret[:], text[:2*len(secret)]); err != nil {
		return secret, fmt.Errorf("%w: %s does not hold 64 hex digits", hongbao.ErrBroken, path)
	}
	return secret, nil
}

// ReadSecret reads the secret of a data folder, which a server may hold at the same time.
func ReadSecret(dir string) (hongbao.Secret, error) { return loadSecret(vfs.Default, dir, false) }

func readFile(files vfs.FS, path string) (data []byte, err error) {
	file, err := files.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	return io.ReadAll(file)
}

// writePrivate writes a file that only its owner may read, so that after a crash it is there whole or not at all.
func writePrivate(files vfs.FS, dir, name string, data []byte) (err error) {
	path := files.PathJoin(dir, name)
	file, err := files.Create(path+".tmp", vfs.WriteCategoryUnspecified)
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	if files == vfs.Default {
		err = os.Chmod(path+".tmp", 0o600)
	}
	_, writeErr := file.Write(data)
	if err := errors.Join(err, writeErr, file.Sync(), file.Close()); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	if err := files.Rename(path+".tmp", path); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	folder, err := files.OpenDir(dir)
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return errors.Join(folder.Sync(), folder.Close())
}
