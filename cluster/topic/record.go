package topic

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"

	"hongbao"
)

// EventMax is the largest event in bytes, such that a record with one fits a batch and the broker's default limit.
const EventMax = batchBytes - 1024

// Record is one event of a shard. (Shard, Epoch, Seq) is its identity.
type Record struct {
	Shard int    // the partition, from 0
	Epoch uint64 // under which the shard decided it
	Seq   uint64 // in the shard, from 1, going on over epochs
	Event []byte // as [hongbao.AppendEvent] made it; opaque here
}

// What is wrong with a record's value, for the reader to log; all of them mean that the relay did not write it there.
var (
	errNotOurs = errors.New("not a record of the journal")
	errVersion = errors.New("record of a newer version")
	errDamaged = errors.New("record is damaged, or another shard's")
)

// The value on the wire: magic and version (1 byte each), epoch and sequence (uvarints), the event, and the CRC-32C (4
// bytes, big-endian) of all that and of the shard (4 bytes, big-endian). The shard is not written: it is the partition.
// Two shards always give two different sums, so that a record in another shard's partition is always recognised.
const (
	magic   = 0xB0
	version = 1
	sumSize = 4

	// overheadMax is more than a record has beside its event: ours, and Kafka's.
	overheadMax = 2 + 2*binary.MaxVarintLen64 + sumSize + 40
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func (r Record) appendTo(b []byte) []byte {
	start := len(b)
	b = append(b, magic, version)
	b = binary.AppendUvarint(b, r.Epoch)
	b = binary.AppendUvarint(b, r.Seq)
	b = append(b, r.Event...)
	return binary.BigEndian.AppendUint32(b, sum(b[start:], r.Shard))
}

// decode reads a value found in the shard's partition. The event aliases b.
func decode(shard int, b []byte) (Record, error) {
	if len(b) < 2+sumSize || b[0] != magic {
		return Record{}, errNotOurs
	}
	if b[1] != version {
		return Record{}, fmt.Errorf("%w: %d", errVersion, b[1])
	}
	body := b[:len(b)-sumSize]
	if binary.BigEndian.Uint32(b[len(body):]) != sum(body, shard) {
		return Record{}, errDamaged
	}
	r := Record{Shard: shard, Event: body[2:]}
	for _, field := range []*uint64{&r.Epoch, &r.Seq} {
		value, n := binary.Uvarint(r.Event)
		if n <= 0 {
			return Record{}, errNotOurs
		}
		*field, r.Event = value, r.Event[n:]
	}
	if r.Seq == 0 {
		return Record{}, errNotOurs
	}
	return r, nil
}

func sum(body []byte, shard int) uint32 {
	var suffix [4]byte
	binary.BigEndian.PutUint32(suffix[:], uint32(shard))
	return crc32.Update(crc32.Checksum(body, castagnoli), castagnoli, suffix[:])
}

// valid says why a record can't be produced.
func (r Record) valid(shards int) error {
	switch {
	case r.Shard < 0 || r.Shard >= shards:
		return hongbao.Invalid("record.shard", r.Shard, fmt.Sprintf("from 0 to %d", shards-1))
	case r.Seq == 0:
		return hongbao.Invalid("record.seq", r.Seq, "1 or more")
	case len(r.Event) > EventMax:
		return hongbao.Invalid("record.event", fmt.Sprint(len(r.Event), " bytes"), fmt.Sprintf("at most %d bytes", EventMax))
	}
	return nil
}
