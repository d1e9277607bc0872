package spill

import (
	"errors"
	"fmt"
	"math"
	"os"
	"sync"
	"unsafe"
)

// A Space owns arrays. Nil, and its zero value, keep all of them on the heap. Any number of goroutines may use it.
type Space struct {
	// Bound is how many bytes an array may have on the heap. 0 or less means any number.
	Bound int

	mu     sync.Mutex
	mapped map[*region]bool
}

// region is a mapping.
type region struct{ bytes []byte }

// Close frees the mapped arrays that are left. Nothing may read them any more.
func (s *Space) Close() error {
	if s == nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var err error
	for r := range s.mapped {
		err = errors.Join(err, unmap(r.bytes))
	}
	s.mapped = nil
	return err
}

func (s *Space) free(r *region) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.mapped[r] {
		delete(s.mapped, r)
		unmap(r.bytes) // an error would leave address space behind, and nothing else
	}
}

// element is what arrays consist of.
type element interface{ ~uint16 | ~uint32 | ~float32 }

// An Array is what a [Writer] has written. It must not be changed if it is mapped.
type Array[T element] struct {
	Data   []T
	space  *Space
	region *region
}

// Mapped returns whether the array is in a file.
func (a *Array[T]) Mapped() bool { return a.region != nil }

// Free gives the memory of the array back. Nothing may read its Data any more.
func (a *Array[T]) Free() {
	if a.region != nil {
		a.space.free(a.region)
	}
	*a = Array[T]{}
}

// A Writer makes an Array, from its beginning to its end.
type Writer[T element] struct {
	space  *Space
	buffer []T
	file   *os.File // what does not fit into the buffer; nil while all does
	count  int      // elements in the file
}

// buffered is how many elements wait for being written to the file.
const buffered = 1 << 18

// NewWriter returns a Writer of an Array in s, with room for n elements if that many are on the heap.
func NewWriter[T element](s *Space, n int) *Writer[T] {
	w := &Writer[T]{space: s}
	if !w.tooMany(n) {
		w.buffer = make([]T, 0, n)
	}
	return w
}

func size[T element]() int { return int(unsafe.Sizeof(*new(T))) }

// tooMany returns whether n elements are too many for the heap.
func (w *Writer[T]) tooMany(n int) bool {
	return canMap && w.space != nil && w.space.Bound > 0 && n > w.space.Bound/size[T]()
}

// Append adds elements.
func (w *Writer[T]) Append(values []T) error {
	if w.file == nil && !w.tooMany(len(w.buffer)+len(values)) {
		w.buffer = append(w.buffer, values...)
		return nil
	}
	if w.file == nil {
		f, _, err := TempFile() // without a name: canMap
		if err != nil {
			return err
		}
		w.file = f
		if err := w.flush(); err != nil {
			return err
		}
		w.buffer = make([]T, 0, buffered)
	}
	for len(values) > 0 {
		n := min(len(values), buffered-len(w.buffer))
		w.buffer = append(w.buffer, values[:n]...)
		values = values[n:]
		if len(w.buffer) == buffered {
			if err := w.flush(); err != nil {
				return err
			}
		}
	}
	return nil
}

// flush writes the buffer to the file.
func (w *Writer[T]) flush() error {
	if len(w.buffer) == 0 {
		return nil
	}
	b := unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(w.buffer))), len(w.buffer)*size[T]())
	if _, err := w.file.Write(b); err != nil {
		return Failed(err)
	}
	w.count += len(w.buffer)
	w.buffer = w.buffer[:0]
	return nil
}

// Array returns what was written, after which the Writer must not be used.
func (w *Writer[T]) Array() (Array[T], error) {
	if w.file == nil {
		return Array[T]{Data: w.buffer}, nil
	}
	defer w.Discard()
	if err := w.flush(); err != nil {
		return Array[T]{}, err
	}
	bytes, err := mapSize(w.count, size[T]())
	if err != nil {
		return Array[T]{}, err
	}
	b, err := mapFile(w.file, bytes)
	if err != nil {
		return Array[T]{}, Failed(err)
	}
	r := &region{b}
	w.space.mu.Lock()
	if w.space.mapped == nil {
		w.space.mapped = map[*region]bool{}
	}
	w.space.mapped[r] = true
	w.space.mu.Unlock()
	return Array[T]{unsafe.Slice((*T)(unsafe.Pointer(unsafe.SliceData(b))), w.count), w.space, r}, nil
}

// mapSize is the size of so many elements, or an error where addresses have 32 bits and it is too large for them.
func mapSize(count, size int) (int, error) {
	if count > math.MaxInt/size {
		return 0, Failed(fmt.Errorf("%d elements of %d bytes are more than this system's addresses reach", count, size))
	}
	return count * size, nil
}

// Discard gives the Writer's file back. It does nothing after Array.
func (w *Writer[T]) Discard() {
	if w.file != nil {
		w.file.Close()
	}
	*w = Writer[T]{}
}

// Failed names the folder for temporary files in an error of one.
func Failed(err error) error {
	if pathError := (*os.PathError)(nil); errors.As(err, &pathError) {
		err = pathError.Err
	}
	return fmt.Errorf("a temporary file in %s: %w", os.TempDir(), err)
}
