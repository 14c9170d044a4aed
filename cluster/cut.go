package cluster

import (
	"strconv"
	"sync"

	"hongbao"
)

// cuts are the tranches of a campaign that were cut last: numbers are leased in order, so that few are needed at a time.
type cuts struct {
	campaign uint32
	seed     hongbao.Seed
	mu       sync.Mutex
	last     [2]cut
}

type cut struct {
	revision uint32
	j        int
	amounts  []int64
}

// of is a tranche of a segment.
func (c *cuts) of(segment hongbao.Segment, j int) []int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, known := range c.last {
		if known.amounts != nil && known.revision == segment.Revision && known.j == j {
			return known.amounts
		}
	}
	c.last[1] = c.last[0]
	c.last[0] = cut{segment.Revision, j, segment.Cut(c.seed, c.campaign, j)}
	return c.last[0].amounts
}

// amounts are those of count numbers of one segment from first on.
func (c *campaign) amounts(first, count uint64) []int64 {
	segment := c.SegmentOf(first)
	amounts := make([]int64, 0, count)
	for number := first; number < first+count; {
		place := number - segment.First
		tranche := c.life.cuts.of(segment, int(place/hongbao.TrancheSize))
		from := int(place % hongbao.TrancheSize)
		until := min(from+int(first+count-number), len(tranche))
		amounts = append(amounts, tranche[from:until]...)
		number += uint64(until - from)
	}
	return amounts
}

// entries are numbers with their amounts as a supply holds them.
func (c *campaign) entries(first, count uint64) []string {
	list := make([]string, 0, count)
	for i, amount := range c.amounts(first, count) {
		id := hongbao.NewEnvelopeID(c.ID, first+uint64(i))
		list = append(list, strconv.FormatUint(uint64(id), 10)+" "+strconv.FormatInt(amount, 10))
	}
	return list
}

func sum(amounts []int64) (total int64) {
	for _, amount := range amounts {
		total += amount
	}
	return total
}
