package cluster

import "sync"

// flights lets those who want the same thing at the same time share one answer.
type flights struct {
	mu       sync.Mutex
	underWay map[any]*flight
}

type flight struct {
	done  chan struct{}
	value any
	err   error
}

// share does something, unless the same is under way: then it waits for that.
func share[T any](f *flights, key any, do func() (T, error)) (T, error) {
	f.mu.Lock()
	if one := f.underWay[key]; one != nil {
		f.mu.Unlock()
		<-one.done
		return one.value.(T), one.err
	}
	one := &flight{done: make(chan struct{})}
	if f.underWay == nil {
		f.underWay = map[any]*flight{}
	}
	f.underWay[key] = one
	f.mu.Unlock()
	value, err := do()
	one.value, one.err = value, err
	f.mu.Lock()
	delete(f.underWay, key)
	f.mu.Unlock()
	close(one.done)
	return value, err
}
