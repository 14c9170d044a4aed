package ledger

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"net"

	"github.com/go-sql-driver/mysql"

	"hongbao"
)

// Numbers of the server's errors.
const (
	errDuplicate      = 1062
	errLockWait       = 1205
	errDeadlock       = 1213
	errBadNull        = 1048
	errUnknownColumn  = 1054
	errSyntax         = 1064
	errNoTable        = 1146
	errOutOfRange     = 1264
	errTruncated      = 1265
	errBadValue       = 1366
	errTooLong        = 1406
	errOutOfRangeExpr = 1690
)

// trouble maps an error of a read, or of a statement in a transaction that will be rolled back: nothing happened, and
// whoever comes again may have more luck, unless the server says that the books can't take it.
func trouble(err error) error {
	if err == nil || known(err) {
		return err
	}
	switch number(err) {
	case errDuplicate, errBadNull, errUnknownColumn, errSyntax, errNoTable, errOutOfRange, errTruncated, errBadValue, errTooLong, errOutOfRangeExpr:
		return fmt.Errorf("%w: MySQL: %w", hongbao.ErrBroken, err)
	}
	return fmt.Errorf("%w: MySQL: %w", hongbao.ErrBusy, err)
}

// unsure maps an error of a statement that is a transaction of its own: it may have happened, unless the server answered
// or was never asked.
func unsure(err error) error {
	var network *net.OpError
	dialing := errors.As(err, &network) && network.Op == "dial"
	if err == nil || known(err) || number(err) != 0 || dialing || errors.Is(err, driver.ErrBadConn) {
		return trouble(err)
	}
	return fmt.Errorf("%w: MySQL: %w", hongbao.ErrUnknown, err)
}

// uncommitted maps an error of COMMIT. database/sql reports an ended context before it sends anything.
func uncommitted(err error) error {
	switch n := number(err); {
	case err == nil:
		return nil
	case n == errDeadlock, n == errLockWait, errors.Is(err, sql.ErrTxDone), errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return trouble(err)
	}
	return fmt.Errorf("%w: MySQL: commit: %w", hongbao.ErrUnknown, err)
}

// known reports whether an error is one of ours already.
func known(err error) bool {
	return errors.Is(err, hongbao.ErrBusy) || errors.Is(err, hongbao.ErrBroken) || errors.Is(err, hongbao.ErrUnknown)
}

// number is that of an error that the server answered with, or 0.
func number(err error) uint16 {
	var answer *mysql.MySQLError
	if errors.As(err, &answer) {
		return answer.Number
	}
	return 0
}
