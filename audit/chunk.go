package audit

const chunkSize = 1 << 16

// chunks is a list in pieces: it grows to hundreds of megabytes without ever being copied as a whole, and pointers into
// full pieces stay good.
type chunks[T any] struct {
	parts [][]T
	count uint64 // one more than the highest index
}

// at is the element at the index, or nil beyond the end of its piece. It is valid until the next extend.
func (c *chunks[T]) at(index uint64) *T {
	part, within := index/chunkSize, index%chunkSize
	if part >= uint64(len(c.parts)) || within >= uint64(len(c.parts[part])) {
		return nil
	}
	return &c.parts[part][within]
}

// extend makes the list reach the index; what is new is zero.
func (c *chunks[T]) extend(index uint64) *T {
	part, within := index/chunkSize, index%chunkSize
	for part >= uint64(len(c.parts)) {
		c.parts = append(c.parts, nil)
	}
	p := &c.parts[part]
	var zero T
	for uint64(len(*p)) <= within {
		*p = append(*p, zero)
	}
	c.count = max(c.count, index+1)
	return &(*p)[within]
}
