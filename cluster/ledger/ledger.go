package ledger

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/go-sql-driver/mysql"

	"hongbao"
)

// Ledger is the books in one database. Its methods may be called at once from anywhere; each survives the loss of its
// connection with an error, and the next call makes a new one.
type Ledger struct {
	db       *sql.DB
	locks    *sql.DB // keeps no idle connection: one that is given back is closed, and its lock with it
	database string
}

// Bounds of the connections.
const (
	connectionsMax  = 16
	connectionsIdle = 4
	dialTimeout     = 5 * time.Second
	ioTimeout       = 30 * time.Second
	lockWaitSeconds = "10" // for a row, below ioTimeout
)

// Open connects to the database that the DSN of go-sql-driver names, and pings it. Errors: ErrInvalid for the DSN,
// ErrBusy when the server can't be reached or refuses.
func Open(ctx context.Context, dsn string) (*Ledger, error) {
	config, err := parseDSN(dsn)
	if err != nil {
		return nil, err
	}
	connector, err := mysql.NewConnector(config)
	if err != nil {
		return nil, invalidDSN(err)
	}
	l := &Ledger{db: sql.OpenDB(connector), locks: sql.OpenDB(connector), database: config.DBName}
	l.db.SetMaxOpenConns(connectionsMax)
	l.db.SetMaxIdleConns(connectionsIdle)
	l.db.SetConnMaxIdleTime(time.Minute)
	l.locks.SetMaxIdleConns(-1)
	if err := l.db.PingContext(ctx); err != nil {
		_ = l.Close()
		return nil, fmt.Errorf("connect to %s at %s: %w", config.DBName, config.Addr, trouble(err))
	}
	return l, nil
}

// parseDSN reads a DSN and fixes what the ledger relies on.
func parseDSN(dsn string) (*mysql.Config, error) {
	config, err := mysql.ParseDSN(dsn)
	if err != nil {
		return nil, invalidDSN(err)
	}
	if config.DBName == "" {
		return nil, invalidDSN(fmt.Errorf("it names no database"))
	}
	config.InterpolateParams = true // one round trip a statement
	config.ClientFoundRows = true   // an UPDATE reports the rows it matched, changed or not
	config.RejectReadOnly = true    // a former primary is left for the new one
	config.MultiStatements = false
	config.Logger = &mysql.NopLogger{}
	setDefault(&config.Timeout, dialTimeout)
	setDefault(&config.ReadTimeout, ioTimeout)
	setDefault(&config.WriteTimeout, ioTimeout)
	if config.Params == nil {
		config.Params = map[string]string{}
	}
	config.Params["sql_mode"] = "'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION'"
	config.Params["innodb_lock_wait_timeout"] = lockWaitSeconds
	return config, nil
}

func setDefault(timeout *time.Duration, value time.Duration) {
	if *timeout == 0 {
		*timeout = value
	}
}

// invalidDSN does not repeat the DSN, which has a password in it.
func invalidDSN(err error) error {
	return hongbao.Invalid("cluster.mysql.dsn", err, "user:password@tcp(host:3306)/database")
}

// Close gives up all connections, and with them all locks.
func (l *Ledger) Close() error {
	err := l.locks.Close()
	if e := l.db.Close(); e != nil {
		err = e
	}
	return err
}

// querier is what reads use: the pool, a transaction or one connection.
type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// each calls read for every row of a query, and maps errors.
func each(ctx context.Context, q querier, read func(*sql.Rows) error, query string, args ...any) error {
	rows, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return trouble(err)
	}
	defer rows.Close()
	for rows.Next() {
		if err := read(rows); err != nil {
			return trouble(err)
		}
	}
	return trouble(rows.Err())
}

// one reads at most one row into dest.
func one(ctx context.Context, q querier, dest []any, query string, args ...any) (found bool, err error) {
	err = each(ctx, q, func(rows *sql.Rows) error {
		found = true
		return rows.Scan(dest...)
	}, query, args...)
	return found, err
}

// run executes one statement that is a transaction of its own and returns what it reports.
func (l *Ledger) run(ctx context.Context, statement string, args ...any) (sql.Result, error) {
	result, err := l.db.ExecContext(ctx, statement, args...)
	return result, unsure(err)
}

// transact runs do in one transaction and commits it unless do fails. A lost reply to COMMIT is ErrUnknown.
func (l *Ledger) transact(ctx context.Context, readOnly bool, do func(*sql.Tx) error) error {
	tx, err := l.db.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: readOnly})
	if err != nil {
		return trouble(err)
	}
	defer func() { _ = tx.Rollback() }() // after a commit it does nothing
	if err := do(tx); err != nil || readOnly {
		return err
	}
	if ctx.Err() != nil {
		return trouble(ctx.Err())
	}
	return uncommitted(tx.Commit())
}
