package safetensors

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"math/bits"
	"slices"
	"strconv"
	"unicode/utf8"

	"github.com/linnet-ml/linnet/internal/budget"
	"github.com/linnet-ml/linnet/internal/strictjson"
)

const (
	lengthBytes = 8           // the header's length in front of it
	maxHeader   = 100_000_000 // as in the reference implementation
	maxDims     = 64          // as in NumPy: longer shapes serve nobody
	metadataKey = "__metadata__"
)

// headerParser walks over the tokens of a header. It expects a certain token at each place and thus never recurses.
type headerParser struct {
	*strictjson.Scanner
	tensors  []Tensor
	index    map[string]int // of tensors by name, in the order in which they were read
	metadata map[string]string
}

// parseHeader reads the header's JSON; the tensors come back in the order of their data, which fill dataBytes exactly.
func parseHeader(ctx context.Context, header []byte, dataBytes int64) (*File, error) {
	if len(header) == 0 || header[0] != '{' {
		return nil, fmt.Errorf("safetensors: byte %d: header does not begin with {", lengthBytes)
	}
	if i, err := invalidUTF8(ctx, header); err != nil {
		return nil, err
	} else if i >= 0 {
		return nil, fmt.Errorf("safetensors: byte %d: header is not UTF-8", lengthBytes+i)
	}
	p := headerParser{Scanner: strictjson.New(ctx, header, strictjson.Options{Prefix: "safetensors: ", Base: lengthBytes, What: "header"}), index: map[string]int{}}
	if err := p.header(); err != nil {
		return nil, err
	}
	if err := p.sort(ctx); err != nil {
		return nil, err
	}
	if err := checkLayout(p.tensors, dataBytes); err != nil {
		return nil, err
	}
	return &File{tensors: slices.Clip(p.tensors), index: p.index, metadata: p.metadata}, nil
}

// sort puts the tensors into the order of their data; of those without data the first in the header comes first.
func (p *headerParser) sort(ctx context.Context) error {
	byData := func(a, b *Tensor) int {
		return cmp.Or(cmp.Compare(a.offset, b.offset), cmp.Compare(a.size, b.size))
	}
	if slices.IsSortedFunc(p.tensors, func(a, b Tensor) int { return byData(&a, &b) }) {
		return nil
	}
	order := make([]int32, len(p.tensors)) // a header has less than 2^31 of them
	for i := range order {
		order[i] = int32(i)
	}
	var stopped error
	n := 0
	slices.SortFunc(order, func(i, j int32) int {
		if n++; n%(1<<16) == 0 && stopped == nil {
			stopped = ctx.Err()
		}
		if stopped != nil {
			return 0 // what is sorted now does not matter
		}
		return cmp.Or(byData(&p.tensors[i], &p.tensors[j]), cmp.Compare(i, j))
	})
	if stopped != nil {
		return fmt.Errorf("safetensors: sorting the tensors: %w", stopped)
	}
	sorted := make([]Tensor, len(order))
	for at, i := range order {
		sorted[at] = p.tensors[i]
	}
	p.tensors = sorted
	for i := range p.tensors {
		if i%(1<<16) == 0 && ctx.Err() != nil {
			return fmt.Errorf("safetensors: sorting the tensors: %w", ctx.Err())
		}
		p.index[p.tensors[i].Name] = i
	}
	return nil
}

// checkLayout demands that the tensors, sorted by offset, follow each other without gap or overlap up to the end.
func checkLayout(tensors []Tensor, dataBytes int64) error {
	var end int64
	for i := range tensors {
		t := &tensors[i]
		switch {
		case !budget.Within(t.offset, t.size, dataBytes):
			return fmt.Errorf("safetensors: tensor %s: data_offsets [%d,%d], but the file has %d bytes of data; it may be cut short",
				strictjson.Quote(t.Name), t.offset, t.offset+t.size, dataBytes)
		case t.offset < end:
			return fmt.Errorf("safetensors: tensor %s begins at data byte %d, inside tensor %s, which ends at %d",
				strictjson.Quote(t.Name), t.offset, strictjson.Quote(tensors[i-1].Name), end)
		case t.offset > end:
			return fmt.Errorf("safetensors: data bytes %d to %d belong to no tensor", end, t.offset)
		}
		end += t.size
	}
	if end != dataBytes {
		return fmt.Errorf("safetensors: data bytes %d to %d belong to no tensor", end, dataBytes)
	}
	return nil
}

func (p *headerParser) header() error {
	err := p.Object(func() error {
		name, err := p.String("name")
		switch {
		case err != nil:
			return err
		case name == metadataKey && p.metadata != nil:
			return p.twice("name", name)
		case name == metadataKey:
			return p.readMetadata()
		}
		if _, ok := p.index[name]; ok {
			return p.twice("name", name)
		}
		p.index[name] = len(p.tensors)
		return p.readTensor(name)
	})
	if err != nil {
		return err
	}
	return p.End()
}

func (p *headerParser) twice(what, key string) error {
	return p.Errorf("%s %s occurs twice", what, strictjson.Quote(key))
}

func (p *headerParser) readMetadata() error {
	if err := p.Colon(); err != nil {
		return err
	}
	p.metadata = map[string]string{}
	return p.Object(func() error {
		key, err := p.String("metadata key")
		if err != nil {
			return err
		}
		if _, ok := p.metadata[key]; ok {
			return p.twice("metadata key", key)
		}
		if err := p.Colon(); err != nil {
			return err
		}
		p.metadata[key], err = p.String("metadata " + strictjson.Quote(key))
		return err
	})
}

// The fields of a tensor, as bits of what a tensor has.
const (
	hasDType = 1 << iota
	hasShape
	hasOffsets
)

var fields = [...]string{"dtype", "shape", "data_offsets"}

func (p *headerParser) readTensor(name string) error {
	if err := p.Colon(); err != nil {
		return err
	}
	t := Tensor{Name: name}
	var dims, offsets [maxDims]int64
	var rank, n, has int
	err := p.Object(func() error {
		field, err := p.String("field")
		if err != nil {
			return err
		}
		i := slices.Index(fields[:], field)
		switch {
		case i < 0:
			return p.Errorf("tensor %s: unknown field %s", strictjson.Quote(name), strictjson.Quote(field))
		case has&(1<<i) != 0:
			return p.twice("field", field)
		}
		has |= 1 << i
		if err := p.Colon(); err != nil {
			return err
		}
		switch 1 << i {
		case hasDType:
			s, err := p.String("dtype")
			if err != nil {
				return err
			}
			// The type's own constant, so that a list of many tensors does not hold the word many times.
			r := DType(s).rank()
			if r < 0 {
				return p.Errorf("tensor %s: unknown dtype %s", strictjson.Quote(name), strictjson.Quote(s))
			}
			t.DType = order[r]
		case hasShape:
			if rank, err = p.integers("shape", dims[:]); err != nil {
				return err
			}
			t.Shape = make([]int, rank)
			for i, d := range dims[:rank] {
				if d > math.MaxInt {
					return p.Errorf("tensor %s: size %d is too large for this platform", strictjson.Quote(name), d)
				}
				t.Shape[i] = int(d)
			}
		case hasOffsets:
			if n, err = p.integers("data_offsets", offsets[:2]); err == nil && n != 2 {
				err = p.Errorf("tensor %s: data_offsets has %d values, want 2", strictjson.Quote(name), n)
			}
			return err
		}
		return nil
	})
	if err != nil {
		return err
	}
	for i, field := range fields {
		if has&(1<<i) == 0 {
			return p.Errorf("tensor %s has no %s", strictjson.Quote(name), field)
		}
	}
	var need int64
	if t.count, need, err = sizes(t.DType, t.Shape); err != nil {
		return p.Errorf("tensor %s: %w", strictjson.Quote(name), err)
	}
	if offsets[0] > offsets[1] || offsets[1]-offsets[0] != need {
		return p.Errorf("tensor %s: %s of shape %v needs %d bytes, data_offsets are [%d,%d]",
			strictjson.Quote(name), t.DType, t.Shape, need, offsets[0], offsets[1])
	}
	t.offset, t.size = offsets[0], need
	p.tensors = append(p.tensors, t)
	return nil
}

// sizes is the number of elements and bytes of a tensor. It is an error when one of them, or the product of the
// dimensions on the way to it, does not fit into an int, and when elements smaller than a byte do not fill whole bytes.
func sizes(d DType, shape []int) (count int, size int64, err error) {
	n := uint64(1)
	for _, s := range shape {
		if s < 0 {
			return 0, 0, fmt.Errorf("shape %v has a negative size", shape)
		}
		hi, lo := bits.Mul64(n, uint64(s))
		if hi != 0 || lo > math.MaxInt {
			return 0, 0, fmt.Errorf("the size of shape %v overflows", shape)
		}
		n = lo
	}
	hi, lo := bits.Mul64(n, uint64(d.Bits()))
	if hi != 0 || lo/8 > math.MaxInt {
		return 0, 0, fmt.Errorf("the size of shape %v overflows", shape)
	}
	if lo%8 != 0 {
		return 0, 0, fmt.Errorf("%s of shape %v does not fill whole bytes", d, shape)
	}
	return int(n), int64(lo / 8), nil
}

// integers reads an array of integers from 0 up into list and returns how many there are; more do not fit.
func (p *headerParser) integers(what string, list []int64) (int, error) {
	n := 0
	err := p.Array(func() error {
		word, err := p.Number(what)
		if err != nil {
			return err
		}
		v, err := strconv.ParseInt(string(word[:min(len(word), 80)]), 10, 64)
		switch {
		case err != nil || word[0] == '-' || len(word) > 80:
			return p.Errorf("%s holds %.80s, want integers from 0 up", what, word)
		case n == len(list):
			return p.Errorf("%s has more than %d values", what, n)
		}
		list[n] = v
		n++
		return nil
	})
	return n, err
}

// invalidUTF8 is the place of the first byte that is not UTF-8, or -1.
func invalidUTF8(ctx context.Context, b []byte) (int, error) {
	for i := 0; i < len(b); {
		if err := ctx.Err(); err != nil {
			return -1, fmt.Errorf("safetensors: reading the header: %w", err)
		}
		end := min(i+1<<20, len(b))
		for k := 1; k < utf8.UTFMax && end < len(b) && !utf8.RuneStart(b[end]); k++ {
			end++ // no character is cut
		}
		if utf8.Valid(b[i:end]) {
			i = end
			continue
		}
		for {
			r, n := utf8.DecodeRune(b[i:])
			if r == utf8.RuneError && n == 1 {
				return i, nil
			}
			i += n
		}
	}
	return -1, nil
}
