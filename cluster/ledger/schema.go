package ledger

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"io/fs"
	"strings"

	"hongbao"
)

//go:embed schema/*.sql
var schema embed.FS

const createVersions = "CREATE TABLE IF NOT EXISTS schema_version (version INT UNSIGNED NOT NULL PRIMARY KEY, " +
	"name VARBINARY(64) NOT NULL, applied_at BIGINT NOT NULL) ENGINE=InnoDB"

const insertVersion = "INSERT INTO schema_version (version, name, applied_at) VALUES (?, ?, UNIX_TIMESTAMP() * 1000)"

// migration is one file of schema/: its number, its name, its statements.
type migration struct {
	version    int
	name       string
	statements []string
}

// Migrate brings the schema to the version that this binary knows; one that is there already is left alone. It waits for
// another process that migrates. A schema of a newer version is ErrBroken: an old binary must not write to it.
func (l *Ledger) Migrate(ctx context.Context) error {
	known, err := migrations(schema)
	if err != nil {
		return err
	}
	lock, err := l.LockWait(ctx, "schema")
	if err != nil {
		return err
	}
	defer lock.Release()
	return migrate(ctx, lock.conn, known)
}

func migrate(ctx context.Context, conn *sql.Conn, known []migration) error {
	if _, err := conn.ExecContext(ctx, createVersions); err != nil {
		return unsure(err)
	}
	var version int
	if _, err := one(ctx, conn, []any{&version}, "SELECT COALESCE(MAX(version), 0) FROM schema_version"); err != nil {
		return err
	}
	if newest := known[len(known)-1].version; version > newest {
		return fmt.Errorf("%w: the ledger's schema is version %d, and this binary knows %d: a newer one is needed", hongbao.ErrBroken, version, newest)
	}
	for _, m := range known[version:] {
		if err := m.apply(ctx, conn); err != nil {
			return fmt.Errorf("migrate to %s: %w", m.name, err)
		}
	}
	return nil
}

func (m *migration) apply(ctx context.Context, conn *sql.Conn) error {
	for _, statement := range m.statements {
		if _, err := conn.ExecContext(ctx, statement); err != nil {
			return unsure(err)
		}
	}
	_, err := conn.ExecContext(ctx, insertVersion, m.version, m.name)
	return unsure(err)
}

// migrations reads the files schema/0001_… in order; they are numbered without a hole. A statement ends with a semicolon
// at the end of its line.
func migrations(files fs.FS) ([]migration, error) {
	names, err := fs.Glob(files, "schema/*.sql")
	if err != nil {
		return nil, err
	}
	var all []migration
	for i, name := range names {
		text, err := fs.ReadFile(files, name)
		if err != nil {
			return nil, err
		}
		m := migration{version: i + 1, name: strings.TrimSuffix(strings.TrimPrefix(name, "schema/"), ".sql")}
		if !strings.HasPrefix(m.name, fmt.Sprintf("%04d_", m.version)) {
			return nil, fmt.Errorf("%w: %s should be number %04d", hongbao.ErrBroken, name, m.version)
		}
		for statement := range strings.SplitSeq(string(text), ";\n") {
			if statement = strings.TrimSpace(statement); statement != "" {
				m.statements = append(m.statements, statement)
			}
		}
		all = append(all, m)
	}
	return all, nil
}
