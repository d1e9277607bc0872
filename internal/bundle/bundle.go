package bundle

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/linnet-ml/linnet/internal/budget"
	"github.com/linnet-ml/linnet/internal/plainfile"
	"github.com/linnet-ml/linnet/internal/wire"
)

// Bundle is the table of contents of a bundle. It holds no open file, and any number of goroutines may read from it.
type Bundle struct {
	prefix string
	shards int

	tensors []Tensor       // by key
	parts   []Tensor       // of partitioned tensors, by key
	at      map[string]int // place in tensors; a key of parts has len(tensors) added
}

// maxIndex is the largest index that is read. Those of modules have a few kilobytes, that of a checkpoint with 100,000
// variables has some ten megabytes.
const maxIndex = 1 << 28

// Open reads PREFIX.index and checks that the data files hold all that it lists; it does not read them. A context that is
// done ends the reading.
func Open(ctx context.Context, prefix string) (*Bundle, error) {
	b, err := readIndex(ctx, prefix)
	if err != nil {
		return nil, fmt.Errorf("bundle: %s.index: %w", prefix, plainfile.Reason(err))
	}
	return b, b.checkData()
}

func readIndex(ctx context.Context, prefix string) (*Bundle, error) {
	f, err := plainfile.Open(ctx, prefix+".index", maxIndex)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := parseIndex(f, f.Size())
	if err != nil {
		return nil, err
	}
	b.prefix = prefix
	return b, nil
}

// parseIndex reads an index of size bytes.
func parseIndex(r io.ReaderAt, size int64) (*Bundle, error) {
	b := &Bundle{at: map[string]int{}}
	t := table{r: r, size: size}
	header := false
	err := t.walk(func(key, value []byte) error {
		if len(key) == 0 {
			header = true
			return b.parseHeader(value)
		}
		if !header {
			return fmt.Errorf("key %.80q: no header comes before it", key)
		}
		e, err := parseTensor(string(key), value)
		if err != nil {
			return fmt.Errorf("key %.80q: %w", key, err)
		}
		if e.shard >= b.shards {
			return fmt.Errorf("key %.80q: data file %d of %d", key, e.shard, b.shards)
		}
		if key[0] == 0 {
			b.parts = append(b.parts, *e)
		} else {
			b.tensors = append(b.tensors, *e)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if !header {
		return nil, fmt.Errorf("no header")
	}
	for i, t := range b.tensors {
		b.at[t.Key] = i
	}
	for i, t := range b.parts {
		b.at[t.Key] = len(b.tensors) + i
	}
	return b, nil
}

// parseHeader reads a BundleHeaderProto.
func (b *Bundle) parseHeader(message []byte) error {
	const readable = 1 // the version of the format that this package reads: kTensorBundleVersion
	err := wire.Walk(message, func(f wire.Field) (err error) {
		switch f.Number {
		case 1:
			b.shards, err = f.Int()
		case 2:
			var endian int
			if endian, err = f.Int(); err == nil && endian != 0 {
				err = fmt.Errorf("byte order %d: only little-endian bundles are supported", endian)
			}
		case 3:
			err = f.Walk(func(f wire.Field) error {
				if f.Number != 2 {
					return nil
				}
				v, err := f.Int()
				if err == nil && v > readable {
					err = fmt.Errorf("readers of version %d or later are needed; this one has %d", v, readable)
				}
				return err
			})
		}
		return err
	})
	if err == nil && b.shards == 0 {
		err = fmt.Errorf("no data files")
	}
	if err != nil {
		return fmt.Errorf("header: %w", err)
	}
	return nil
}

// checkData holds the places of the tensors against the sizes of the data files.
func (b *Bundle) checkData() error {
	sizes := map[int]int64{}
	for _, list := range [][]Tensor{b.tensors, b.parts} {
		for i := range list {
			t := &list[i]
			if len(t.slices) > 0 {
				continue
			}
			size, ok := sizes[t.shard]
			if !ok {
				var err error
				if size, err = b.shardSize(t.shard); err != nil {
					return fmt.Errorf("bundle: tensor %.80q: %w", t.Key, err)
				}
				sizes[t.shard] = size
			}
			if !budget.Within(t.offset, t.size, size) {
				return fmt.Errorf("bundle: %s.index: tensor %.80q lies at bytes %d to %d of %s, which has %d",
					b.prefix, t.Key, t.offset, t.offset+t.size, b.shardPath(t.shard), size)
			}
		}
	}
	return nil
}

// shardSize is the number of bytes of a data file, which is looked at only.
func (b *Bundle) shardSize(shard int) (int64, error) {
	f, info, err := plainfile.OS(b.shardPath(shard))
	if err != nil {
		return 0, err
	}
	return info.Size(), f.Close()
}

func (b *Bundle) shardPath(shard int) string {
	return fmt.Sprintf("%s.data-%05d-of-%05d", b.prefix, shard, b.shards)
}

// Tensors lists the tensors by key. A tensor that is stored in parts is listed once. The caller must not change the
// slice.
func (b *Bundle) Tensors() []Tensor { return b.tensors }

// Tensor finds a tensor by its key.
func (b *Bundle) Tensor(key string) (*Tensor, error) {
	if i, ok := b.at[key]; ok && i < len(b.tensors) {
		return &b.tensors[i], nil
	}
	return nil, fmt.Errorf("bundle: %s.index: no tensor %.80q%s", b.prefix, key, b.nearest(key))
}

// nearest is a word of help for a key that is not there: a few keys that are.
func (b *Bundle) nearest(key string) string {
	var like []string
	for i := range b.tensors {
		if k := b.tensors[i].Key; strings.HasPrefix(k, key) || strings.HasSuffix(k, key) {
			like = append(like, k)
		}
	}
	if len(like) == 0 {
		for i := range b.tensors {
			like = append(like, b.tensors[i].Key)
		}
	}
	if len(like) == 0 {
		return ": it lists none"
	}
	const shown = 8
	more := ""
	if len(like) > shown {
		more = fmt.Sprintf(" and %d more", len(like)-shown)
		like = like[:shown]
	}
	return fmt.Sprintf(": there are %.80q%s", slices.Clip(like), more)
}
