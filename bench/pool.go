package bench

import (
	"math/rand/v2"
	"sync"
)

// poolMax bounds what a crowd remembers to do later.
const poolMax = 1 << 16

// pool holds things to be taken in random order. When it is full, what is put takes the place of another.
type pool[T any] struct {
	mu    sync.Mutex
	items []T
}

func (p *pool[T]) put(random *rand.Rand, item T) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.items) < poolMax {
		p.items = append(p.items, item)
		return
	}
	p.items[random.IntN(len(p.items))] = item
}

func (p *pool[T]) take(random *rand.Rand) (item T, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	last := len(p.items) - 1
	if last < 0 {
		return item, false
	}
	i := random.IntN(last + 1)
	item = p.items[i]
	p.items[i] = p.items[last]
	p.items = p.items[:last]
	return item, true
}
