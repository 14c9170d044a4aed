package journal

import "errors"

// What a caller of the journal can be told. The engine turns them into the errors of the domain.
var (
	// ErrDamaged: a block, or a segment file, is not what was written. The text names block and file.
	ErrDamaged = errors.New("journal damaged")
	// ErrNewerFormat: a later version of the program wrote this journal. The text names both versions.
	ErrNewerFormat = errors.New("journal has a newer format")
	// ErrBehind: the journal ends before the block that Options.VerifyHash vouches for.
	ErrBehind = errors.New("journal ends too early")

	// ErrClosed: the journal was closed; nothing happened.
	ErrClosed = errors.New("journal closed")
	// ErrFull: no room to go on, because the next segment cannot be made; nothing happened. It is tried again every second.
	ErrFull = errors.New("journal has no room")
	// ErrStalled: the disk has not finished a write for Options.StallTimeout; nothing happened.
	ErrStalled = errors.New("journal stalled")

	// ErrUnknown: the write was not confirmed; it may or may not be found after a restart.
	ErrUnknown = errors.New("outcome unknown")
	// ErrBroken: a write or sync failed; nothing is accepted until the folder has been opened anew.
	ErrBroken = errors.New("journal broken")
)

// A flaw is what is wrong with a block or a segment file: the reason inside an ErrDamaged.
type flaw string

// Error is the reason, in words that follow "block 7 in …: ".
func (f flaw) Error() string { return string(f) }
