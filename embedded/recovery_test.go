package embedded

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"hongbao"
)

// reopen closes an engine and opens its folder again.
func reopen(t testing.TB, e *Engine, now hongbao.Time) *Engine {
	t.Helper()
	if err := e.Close(); err != nil {
		t.Fatal("close:", err)
	}
	return openData(t, e.files, now)
}

// unique numbers keys.
var unique atomic.Int64

// winMany has players 0 to 99 win as many envelopes, and waits for the disk once.
func winMany(t testing.TB, e *Engine, campaign uint32, count int) {
	t.Helper()
	for n := range count {
		key := strconv.FormatInt(unique.Add(1), 36)
		r, _, err := e.snatch(hongbao.SnatchRequest{Campaign: campaign, UID: uint64(n % 100), Key: key, KeyIsNew: true, Now: start + 1000})
		if err != nil || r.Status != hongbao.Won {
			t.Fatalf("win %d: %s, %v", n, r.Status, err)
		}
	}
	if err := e.Sync(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// revise changes the budget, which must be accepted.
func revise(t testing.TB, e *Engine, campaign uint32, count uint64, totalFen int64) {
	t.Helper()
	maxFen := totalFen
	budget := hongbao.BudgetPatch{Count: &count, TotalFen: &totalFen, MaxFen: &maxFen}
	if _, err := e.Put(t.Context(), hongbao.Change{At: start + 1000, Actor: "test", Campaign: campaign, Revise: &hongbao.Patch{Budget: &budget}}); err != nil {
		t.Fatal("revise:", err)
	}
}

// TestAmountsOutliveRestarts keeps G8: numbers keep the amounts that they were told with, wherever in tranches and
// segments a restart falls.
func TestAmountsOutliveRestarts(t *testing.T) {
	e := openData(t, vfs.NewMem(), start)
	c := rain(t, e, "large", 200_000, 0)
	issued := 0
	for i, step := range []func(){
		func() {}, // before the first
		func() { winMany(t, e, c.ID, 1000); issued += 1000 },
		func() { winMany(t, e, c.ID, 64_536); issued += 64_536 },                                    // at the boundary of a tranche
		func() { revise(t, e, c.ID, 190_000, 30_000_000); revise(t, e, c.ID, 180_000, 25_000_000) }, // nothing issued between them
		func() {
			winMany(t, e, c.ID, 10)
			revise(t, e, c.ID, 170_000, 20_000_000)
			winMany(t, e, c.ID, 100)
			issued += 110
		},
		func() { revise(t, e, c.ID, uint64(issued)+5, 20_000_000); winMany(t, e, c.ID, 5); issued += 5 }, // sold out
	} {
		step()
		e = reopen(t, e, start+2000)
		wins := 0
		for entry, err := range e.Journal(t.Context(), "") {
			if err != nil {
				t.Fatal(err)
			}
			if won := entry.Event; won.Kind == hongbao.EnvelopeWon {
				checkHolder(t, e, won.UID, hongbao.Envelope{ID: won.Envelope, AmountFen: won.AmountFen})
				wins++
			}
		}
		if wins != issued {
			t.Errorf("step %d: %d wins are there of %d", i, wins, issued)
		}
	}
	checkTruth(t, e)
	if r := snatch(t, e, c.ID, 1, "one more"); r.Status != hongbao.SoldOut {
		t.Errorf("one more is told %s", r.Status)
	}
	if p := e.Progress(c.ID); p.Taken.TotalFen != 20_000_000 {
		t.Errorf("sold out at %d fen of 20000000", p.Taken.TotalFen)
	}
}

// TestAChanceIsDrawnForHoweverLateItIsRevised keeps G8: who looked while every snatch won, and had to wait for the
// revision's commit, is drawn for.
func TestAChanceIsDrawnForHoweverLateItIsRevised(t *testing.T) {
	d := newDisk()
	e := openData(t, d.files(), start)
	c := rain(t, e, "fading", 1000, 0)
	release := d.stall()
	defer release()
	var crowd sync.WaitGroup
	chance := hongbao.ChanceCertain / 4
	crowd.Go(func() {
		if _, err := e.Put(t.Context(), hongbao.Change{At: start + 1000, Actor: "test", Campaign: c.ID, Revise: &hongbao.Patch{Chance: &chance}}); err != nil {
			t.Error(err)
		}
	})
	for !locked(&e.registry.find(c.ID).mu) {
		runtime.Gosched()
	}
	for i := range 200 {
		crowd.Go(func() { snatch(t, e, c.ID, uint64(i), "k") })
	}
	for waiting := 0; waiting < 100; runtime.Gosched() { // they have looked at the old rules
		waiting = 0
		for i := range e.players {
			if locked(&e.players[i].mu) {
				waiting++
			}
		}
	}
	release()
	crowd.Wait()
	if wins := checkTruth(t, e).progress[c.ID].Taken.Count; wins == 0 || wins > 100 {
		t.Errorf("%d of 200 won at a chance of a quarter", wins)
	}
}

func locked(mu *sync.Mutex) bool {
	if mu.TryLock() {
		mu.Unlock()
		return false
	}
	return true
}

func TestAStartIsRefused(t *testing.T) {
	for name, row := range map[string]struct {
		spoil func(t *testing.T, files *vfs.MemFS, o *Options)
		want  string
	}{
		"in another timezone": {func(_ *testing.T, _ *vfs.MemFS, o *Options) { o.Calendar = hongbao.NewCalendar(time.UTC) }, "Asia/Shanghai"},
		"with a clock 61 s behind the journal": {func(_ *testing.T, _ *vfs.MemFS, o *Options) {
			o.Now = func() hongbao.Time { return start + 1000 - 61_000 }
		}, "1m1s behind"},
		"without its secret": {func(t *testing.T, files *vfs.MemFS, _ *Options) {
			if err := files.Remove("data/secret"); err != nil {
				t.Fatal(err)
			}
		}, "data/secret is missing"},
		"with another secret": {func(t *testing.T, files *vfs.MemFS, _ *Options) {
			write(t, files, "data/secret", hex.EncodeToString(make([]byte, 32))+"\n")
		}, "is not the secret"},
		"with half a secret": {func(t *testing.T, files *vfs.MemFS, _ *Options) { write(t, files, "data/secret", "00ff\n") }, "64 hex digits"},
		"with a secret of other letters": {func(t *testing.T, files *vfs.MemFS, _ *Options) {
			write(t, files, "data/secret", strings.Repeat("x", 64)+"\n")
		}, "64 hex digits"},
		"with a newer format": {func(t *testing.T, files *vfs.MemFS, _ *Options) {
			segment(t, files, 1)[16]++
		}, "version 2"},
		"with a byte of the last block changed": {func(t *testing.T, files *vfs.MemFS, _ *Options) {
			raw, at := blockAt(t, files, -1)
			raw[at+70] ^= 1
		}, "hash does not match"},
	} {
		t.Run(name, func(t *testing.T) {
			files := vfs.NewMem()
			e := openData(t, files, start)
			c := rain(t, e, "first", 10, 0)
			snatch(t, e, c.ID, 1, "k")
			if err := e.Close(); err != nil {
				t.Fatal(err)
			}
			o := options(t, files, "data", start)
			row.spoil(t, files, &o)
			e, err := Open(o)
			if err == nil {
				e.Close()
				t.Fatal("it started")
			}
			if !strings.Contains(err.Error(), row.want) {
				t.Errorf("the error is %q; must speak of %q", err, row.want)
			}
			t.Log(err)
		})
	}
}

func TestAClockSlightlyBehindIsWaitedFor(t *testing.T) {
	e := openData(t, vfs.NewMem(), start)
	c := rain(t, e, "first", 10, 0)
	snatch(t, e, c.ID, 1, "k")
	e = reopen(t, e, start+1000-59_000)
	r, err := e.Snatch(t.Context(), hongbao.SnatchRequest{Campaign: c.ID, UID: 1, Key: "l", Now: start + 1000 - 58_000})
	if err != nil || r.Status != hongbao.Won || r.WonAt < start+1000 {
		t.Errorf("a snatch is told %s at %s, %v", r.Status, r.WonAt, err)
	}
}

func TestASecondServerOnTheFolderIsRefused(t *testing.T) {
	dir := t.TempDir()
	e := openEngine(t, nil, dir, start)
	if second, err := Open(options(t, nil, dir, start)); err == nil {
		second.Close()
		t.Error("a second one started")
	} else if !strings.Contains(err.Error(), "in use by another process") || !strings.Contains(err.Error(), dir) {
		t.Error("the error is", err)
	}
	if reader, err := OpenReader(nil, dir); err == nil {
		reader.Close()
		t.Error("a reader came in beside the server")
	}
	c := rain(t, e, "first", 10, 0)
	snatch(t, e, c.ID, 1, "k")
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	checkTruth(t, openEngine(t, nil, dir, start+2000))
}

// TestDamageBeforeTheCheckpointIsFoundLater: the start does not read that far back, the scan behind it does.
func TestDamageBeforeTheCheckpointIsFoundLater(t *testing.T) {
	files := vfs.NewMem()
	e := openData(t, files, start)
	c := rain(t, e, "first", 1000, 0)
	for i := range 100 {
		snatch(t, e, c.ID, uint64(i), "k")
	}
	e = reopen(t, e, start+2000) // closing writes a checkpoint
	snatch(t, e, c.ID, 1, "l")
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	raw, at := blockAt(t, files, 5)
	raw[at+70] ^= 1

	o := options(t, files, "data", start+3000)
	broken := make(chan error, 1)
	o.Broken = func(err error) { broken <- err }
	e, err := Open(o)
	if err != nil {
		t.Fatal("open:", err)
	}
	defer e.Close()
	select {
	case err := <-broken:
		if !errors.Is(err, hongbao.ErrBroken) || !strings.Contains(err.Error(), "block 5 ") {
			t.Error("the scan told", err)
		}
	case <-time.After(20 * time.Second):
		t.Error("the scan found nothing")
	}
	var last hongbao.Position
	for entry, err := range e.Journal(t.Context(), "") {
		if err == nil {
			last = entry.Position
		} else if !strings.Contains(err.Error(), "block 5 ") || last != "4.0" {
			t.Errorf("reading the journal stops behind %s: %v", last, err)
		}
	}
}

// TestDamagedViewsAreNeverBelieved: whatever row is lost or changed, the start says so and what to do, and doing it
// helps; or it does it itself.
func TestDamagedViewsAreNeverBelieved(t *testing.T) {
	const uid, other = 7, 8
	for name, spoil := range map[string]func(b *pebble.Batch, won hongbao.EnvelopeID){
		"an envelope is lost":       func(b *pebble.Batch, id hongbao.EnvelopeID) { drop(b, playerKey(nil, uid, id)) },
		"an opening is lost":        func(b *pebble.Batch, id hongbao.EnvelopeID) { drop(b, append(playerKey(nil, uid, id), closedSuffix)) },
		"a balance is lost":         func(b *pebble.Batch, _ hongbao.EnvelopeID) { drop(b, playerKey(nil, uid, 0)) },
		"a balance is another":      func(b *pebble.Batch, _ hongbao.EnvelopeID) { set(b, playerKey(nil, uid, 0), []byte{1}) },
		"a balance comes from air":  func(b *pebble.Batch, _ hongbao.EnvelopeID) { set(b, playerKey(nil, 5, 0), []byte{1}) },
		"a sign-up is lost":         func(b *pebble.Batch, id hongbao.EnvelopeID) { drop(b, signUpKey(nil, id.Campaign(), uid)) },
		"a sign-up comes from air":  func(b *pebble.Batch, id hongbao.EnvelopeID) { set(b, signUpKey(nil, id.Campaign(), 5), []byte{1}) },
		"a campaign is lost":        func(b *pebble.Batch, _ hongbao.EnvelopeID) { drop(b, campaignKey(nil, 1)) },
		"a campaign is no campaign": func(b *pebble.Batch, _ hongbao.EnvelopeID) { set(b, campaignKey(nil, 1), []byte("{}")) },
		"an envelope ends in another way": func(b *pebble.Batch, id hongbao.EnvelopeID) {
			set(b, append(playerKey(nil, uid, id), closedSuffix), []byte{7, 1})
		},
		"a row is cut": func(b *pebble.Batch, id hongbao.EnvelopeID) { set(b, playerKey(nil, uid, id), []byte{0x80}) },
		"an envelope is of no campaign": func(b *pebble.Batch, _ hongbao.EnvelopeID) {
			set(b, playerKey(nil, uid, 1), []byte{1, 1, 1})
		},
		"an amount is another": func(b *pebble.Batch, id hongbao.EnvelopeID) {
			set(b, playerKey(nil, uid, id+1), appendWonRow(nil, &hongbao.Event{At: start, AmountFen: 1 << 40, ExpiresAt: start, Key: "k"}))
		},
		"an envelope changes hands twice": func(b *pebble.Batch, id hongbao.EnvelopeID) {
			drop(b, playerKey(nil, uid, id+1))
			set(b, playerKey(nil, other, id), appendWonRow(nil, &hongbao.Event{At: start, AmountFen: 100, ExpiresAt: start, Key: "k"}))
		},
	} {
		t.Run(name, func(t *testing.T) {
			files := vfs.NewMem()
			e := openData(t, files, start)
			rules := rulesOf("first", 10)
			rules.Signup, rules.Budget.Split, rules.Budget.MaxFen = hongbao.SignupOpen, hongbao.Equal, 1<<41
			rules.Budget.TotalFen = 1000
			c, err := e.Put(t.Context(), hongbao.Change{At: start, Actor: "test", Create: rules})
			if err != nil {
				t.Fatal(err)
			}
			rain(t, e, "second", 10, 0)
			if _, err := e.SignUp(t.Context(), hongbao.SignUpRequest{Campaign: c.ID, UIDs: []uint64{uid, other}, Now: start}); err != nil {
				t.Fatal(err)
			}
			won := snatch(t, e, c.ID, uid, "k")
			snatch(t, e, c.ID, uid, "l")
			if _, err := e.Open(t.Context(), hongbao.OpenRequest{UID: uid, Envelope: won.Envelope, Now: start + 1000}); err != nil {
				t.Fatal(err)
			}
			if err := e.Close(); err != nil {
				t.Fatal(err)
			}
			editViews(t, e, func(b *pebble.Batch) { spoil(b, won.Envelope) })

			o := options(t, files, "data", start+2000)
			if e, err := Open(o); err == nil { // it has made them anew
				checkTruth(t, e)
				e.Close()
			} else if !errors.Is(err, hongbao.ErrBroken) || !strings.Contains(err.Error(), "remove their folder") {
				t.Error("the error is", err)
			} else {
				t.Log(err)
			}
			if err := files.RemoveAll("data/views"); err != nil {
				t.Fatal(err)
			}
			checkTruth(t, openData(t, files, start+2000))
		})
	}
}

func drop(b *pebble.Batch, key []byte) { _ = b.Delete(key, nil) }

// editViews changes rows behind the back of a closed engine.
func editViews(t *testing.T, e *Engine, edit func(*pebble.Batch)) {
	t.Helper()
	v, err := openViews(e.files, e.viewsDir(), e.logger, func(err error) { t.Error(err) }, false)
	if err != nil {
		t.Fatal(err)
	}
	batch := v.db.NewBatch()
	edit(batch)
	if err := batch.Commit(pebble.NoSync); err != nil {
		t.Fatal(err)
	}
	if err := v.close(true); err != nil {
		t.Fatal(err)
	}
}

// TestViewsAheadOfTheJournalAreMadeAnew: where the journal has lost its end, the views are not believed.
func TestViewsAheadOfTheJournalAreMadeAnew(t *testing.T) {
	for _, lost := range []int{1, 2, 10, 40} {
		t.Run(fmt.Sprint(lost, " blocks lost"), func(t *testing.T) {
			files := vfs.NewMem()
			e := openData(t, files, start)
			c := rain(t, e, "first", 1000, 0)
			for i := range 20 {
				snatch(t, e, c.ID, uint64(i), "k")
			}
			e = reopen(t, e, start+2000)
			for i := range 20 {
				snatch(t, e, c.ID, uint64(i), "l")
			}
			if err := e.Close(); err != nil {
				t.Fatal(err)
			}
			raw, at := blockAt(t, files, -lost)
			clear(raw[at:])
			reader, err := OpenReader(files, "data")
			if err != nil {
				t.Fatal(err)
			}
			if _, err := reader.Books(t.Context()); !errors.Is(err, hongbao.ErrBroken) {
				t.Error("the books of a reader:", err)
			}
			if err := reader.Close(); err != nil {
				t.Error(err)
			}
			e = openData(t, files, start+3000)
			checkTruth(t, e)
			snatch(t, e, c.ID, 5, "m")
			checkTruth(t, reopen(t, e, start+4000))
		})
	}
}

// TestAnOlderCopyOfTheFolderIsToldByItsHead: nothing else can tell it.
func TestAnOlderCopyOfTheFolderIsToldByItsHead(t *testing.T) {
	files := vfs.NewMem()
	e := openData(t, files, start)
	c := rain(t, e, "first", 1000, 0)
	var heads []string
	for i := range 30 {
		snatch(t, e, c.ID, uint64(i), "k")
		heads = append(heads, e.Head())
		if i == 10 {
			if err := e.Backup(t.Context(), "older"); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, head := range heads {
		if err := e.CheckHead(t.Context(), head); err != nil {
			t.Errorf("head %s: %v", head, err)
		}
	}
	older, err := Open(options(t, files, "older", start+2000))
	if err != nil {
		t.Fatal(err)
	}
	defer older.Close()
	checkTruth(t, older)
	for i, head := range heads {
		if err := older.CheckHead(t.Context(), head); (err == nil) != (i <= 10) || err != nil && !errors.Is(err, hongbao.ErrBroken) {
			t.Errorf("head %d of an older copy: %v", i, err)
		}
	}
	for i := range 30 { // another history, as long
		snatch(t, older, c.ID, uint64(1000+i), "k")
	}
	if err := older.CheckHead(t.Context(), heads[20]); !errors.Is(err, hongbao.ErrBroken) {
		t.Errorf("a head of another history: %v", err)
	}
	for _, text := range []string{"", "x", "17", "0-" + strings.Repeat("0", 64), "1-00"} {
		if err := older.CheckHead(t.Context(), text); !errors.Is(err, hongbao.ErrInvalid) {
			t.Errorf("head %q: %v", text, err)
		}
	}
}

// TestABackupInARushIsWhole keeps G4 in the copy: it has all that was told before it was begun.
func TestABackupInARushIsWhole(t *testing.T) {
	rng := random(t)
	dir := t.TempDir()
	e := openEngine(t, nil, dir+"/data", start)
	c := rain(t, e, "rush", 1_000_000, 0)
	told, over := newTold(), make(chan struct{})
	told.crashAfter(1 << 30)
	var crowd sync.WaitGroup
	for i := range 16 {
		crowd.Go(func() {
			for n := 0; ; n++ {
				select {
				case <-over:
					return
				default:
				}
				uid, key := uint64(i), fmt.Sprint(n)
				r := snatch(t, e, c.ID, uid, key)
				told.note(func() { told.win(c.ID, uid, &r, key) })
				if n%3 == 0 {
					if _, err := e.Open(t.Context(), hongbao.OpenRequest{UID: uid, Envelope: r.Envelope, Now: start + 1000}); err != nil {
						t.Error(err)
					}
					told.note(func() { told.opened[r.Envelope] = true })
				}
			}
		})
	}
	for i := range 3 {
		time.Sleep(time.Duration(rng.IntN(30)) * time.Millisecond)
		before := told.copy()
		to := fmt.Sprintf("%s/backup-%d", dir, i)
		if err := e.Backup(t.Context(), to); err != nil {
			t.Fatal("backup:", err)
		}
		if err := e.Backup(t.Context(), to); !errors.Is(err, hongbao.ErrInvalid) {
			t.Error("a backup over another:", err)
		}
		after, err := Open(options(t, nil, to, start+2000))
		if err != nil {
			t.Fatal("open the backup:", err)
		}
		before.check(t, checkTruth(t, after))
		snatch(t, after, c.ID, 1000, "after")
		if err := after.Close(); err != nil {
			t.Error(err)
		}
	}
	close(over)
	crowd.Wait()
}

// TestAReaderChangesNothing: neither a folder that was closed nor one that was killed.
func TestAReaderChangesNothing(t *testing.T) {
	d := newDisk()
	e := openData(t, d.files(), start)
	c := rain(t, e, "first", 1000, 0)
	for i := range 100 {
		snatch(t, e, c.ID, uint64(i), "k")
	}
	if err := errors.Join(e.Sync(t.Context()), e.views.flush()); err != nil {
		t.Fatal(err)
	}
	snatch(t, e, c.ID, 7, "l")
	killed := d.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: 100, RNG: rand.New(rand.NewPCG(1, 2))})
	l := readLedger(t, e)
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	for name, files := range map[string]*vfs.MemFS{"closed": d.MemFS, "killed": killed} {
		before := contents(t, files, "data")
		r, err := OpenReader(files, "data")
		if err != nil {
			t.Fatal(name, err)
		}
		books, err := r.Books(t.Context())
		if err != nil {
			t.Fatal(name, err)
		}
		players, wins := 0, 0
		if err := books.Wallets(t.Context(), func(uint64, *hongbao.Wallet) error { players++; return nil }); err != nil || players != 100 {
			t.Errorf("%s: the books have %d players, %v", name, players, err)
		}
		for entry, err := range r.Journal(t.Context(), "") {
			if err != nil {
				t.Fatal(name, err)
			}
			if entry.Event.Kind == hongbao.EnvelopeWon {
				wins++
			}
		}
		if wins != len(l.holders) || r.Secret() != e.Secret() || r.CheckHead(t.Context(), r.Head()) != nil {
			t.Errorf("%s: %d wins of %d, head %s", name, wins, len(l.holders), r.Head())
		}
		if err := errors.Join(books.Close(), r.Close()); err != nil {
			t.Error(name, err)
		}
		after := contents(t, files, "data")
		for path := range after {
			if !bytes.Equal(before[path], after[path]) || len(before) != len(after) {
				t.Errorf("%s: the reader changed %s", name, path)
			}
		}
		checkTruth(t, openData(t, files, start+2000))
	}
}

// contents are all files below a folder.
func contents(t *testing.T, files *vfs.MemFS, dir string) map[string][]byte {
	t.Helper()
	found := map[string][]byte{}
	names, err := files.List(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		path := files.PathJoin(dir, name)
		info, err := files.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if !info.IsDir() {
			data, err := readFile(files, path)
			if err != nil {
				t.Fatal(err)
			}
			found[path] = data
			continue
		}
		for inner, data := range contents(t, files, path) {
			found[inner] = data
		}
	}
	return found
}

func write(t *testing.T, files vfs.FS, path, text string) {
	t.Helper()
	file, err := files.Create(path, vfs.WriteCategoryUnspecified)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := file.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
}

// segment is the memory of the journal file that begins with a block.
func segment(t *testing.T, files *vfs.MemFS, first int) []byte {
	t.Helper()
	raw, err := files.UnsafeGetFileDataBuffer(fmt.Sprintf("data/journal/%012d.journal", first))
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// blockAt finds the n-th block of the first segment, from 1, or from its end with -1 as the last; each block starts a
// sector with its mark.
func blockAt(t *testing.T, files *vfs.MemFS, n int) (raw []byte, at int) {
	t.Helper()
	raw = segment(t, files, 1)
	var starts []int
	for at := 4096; at < len(raw); at += 512 {
		if bytes.HasPrefix(raw[at:], []byte("HBj{")) {
			starts = append(starts, at)
		}
	}
	if n < 0 {
		return raw, starts[len(starts)+n]
	}
	return raw, starts[n-1]
}
