package plan

// Storage holds the elements of a parameter. [Float32Storage] is what Build makes and the only storage that training
// writes to; [ReadOnlyStorage] is float32 memory that nobody may write to, a file's for instance. Other types convert
// as they are read. Training a model first turns the storage of its trainable parameters into a Float32Storage, which
// copies.
type Storage interface {
	// Len is the number of elements.
	Len() int
	// Read writes the elements from number at on to dst, as float32. Any number of goroutines may read at once.
	Read(dst []float32, at int)
}

// Float32Storage keeps elements in memory as they are computed with.
type Float32Storage []float32

// Len is the number of elements.
func (s Float32Storage) Len() int { return len(s) }

// Read copies elements.
func (s Float32Storage) Read(dst []float32, at int) { copy(dst, s[at:]) }

// ReadOnlyStorage is float32 memory that is read where it lies and never written.
type ReadOnlyStorage []float32

// Len is the number of elements.
func (s ReadOnlyStorage) Len() int { return len(s) }

// Read copies elements.
func (s ReadOnlyStorage) Read(dst []float32, at int) { copy(dst, s[at:]) }

// memory returns the float32 memory of a storage that has it.
func memory(s Storage) ([]float32, bool) {
	switch s := s.(type) {
	case Float32Storage:
		return s, true
	case ReadOnlyStorage:
		return s, true
	}
	return nil, false
}
