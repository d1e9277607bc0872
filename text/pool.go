package text

import "sync"

// pool is memory that calls in several goroutines take and give back.
type pool[T any] struct {
	mu   sync.Mutex
	free []*T
}

const (
	freeMost  = 64      // more goroutines at once than this allocate
	freeBytes = 1 << 20 // memory for longer texts is not kept
)

func (p *pool[T]) take() *T {
	p.mu.Lock()
	defer p.mu.Unlock()
	if n := len(p.free); n > 0 {
		v := p.free[n-1]
		p.free = p.free[:n-1]
		return v
	}
	return new(T)
}

// give takes v back, which has so many bytes.
func (p *pool[T]) give(v *T, bytes int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.free) < freeMost && bytes <= freeBytes {
		p.free = append(p.free, v)
	}
}
