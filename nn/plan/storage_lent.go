package plan

import (
	"math"
	"runtime/debug"
)

// Lender owns memory that storages lie in and that can be taken away: an open file.
type Lender interface {
	// Acquire keeps the memory readable until Release. After the memory was given up it returns an error. Any number of
	// goroutines may hold it at once.
	Acquire() error
	Release()
	// Fault returns an error if a recovered panic was a fault in the lender's memory, as when a file is cut short; else nil.
	// Whoever reads the memory turns faults into panics (debug.SetPanicOnFault).
	Fault(recovered any) error
}

// LentStorage is a storage in a Lender's memory: a table in a file that is open. A model acquires the lender for each call
// that reads the parameter, and returns its error once the memory is gone.
type LentStorage struct {
	Storage Storage
	Lender  Lender
}

// Len is the number of elements.
func (s LentStorage) Len() int { return s.Storage.Len() }

// Read converts or copies elements. Once the lender's memory is gone they are NaN.
func (s LentStorage) Read(dst []float32, at int) {
	if whileLent(s.Lender, func() { s.Storage.Read(dst, at) }) != nil {
		for i := range dst {
			dst[i] = float32(math.NaN())
		}
	}
}

// whileLent runs read, which reads a lender's memory.
func whileLent(l Lender, read func()) (err error) {
	if err := l.Acquire(); err != nil {
		return err
	}
	defer l.Release()
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if v := recover(); v != nil {
			if err = l.Fault(v); err == nil {
				panic(v)
			}
		}
	}()
	read()
	return nil
}

// Check refuses a storage without its parts, or whose parts do not go together.
func (s LentStorage) Check() error { return checkStorage(s.Storage) }

// lent takes a storage apart: where the elements are read, and the lender of that memory or nil.
func lent(s Storage) (Storage, Lender) {
	if l, ok := s.(LentStorage); ok {
		return l.Storage, l.Lender
	}
	return s, nil
}
