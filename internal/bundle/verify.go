package bundle

import (
	"context"
	"fmt"
)

// Verify reads all that the bundle holds and verifies the checksums. Tensors of a type that this package does not know
// are passed over, as their sums do not run over the bytes as they are stored.
func (b *Bundle) Verify(ctx context.Context) error {
	// An index may list the same bytes again and again, which would take for ever; no bundle that TensorFlow writes does.
	var left int64
	for shard := range b.shards {
		size, err := b.shardSize(shard)
		if err != nil {
			return fmt.Errorf("bundle: %w", err)
		}
		left += size
	}
	for _, tensors := range [][]Tensor{b.tensors, b.parts} {
		for i := range tensors {
			t := &tensors[i]
			if len(t.slices) > 0 { // its parts are listed as well
				continue
			}
			if left -= t.size; left < 0 {
				return fmt.Errorf("bundle: %s.index: tensor %.80q: with it the tensors have more bytes than the data files", b.prefix, t.Key)
			}
			var err error
			switch {
			case t.DType == String:
				_, err = b.ReadStrings(ctx, t)
			case t.DType.Size() > 0:
				err = b.read(ctx, t, func([]byte) error { return nil })
			}
			if err != nil {
				return err
			}
		}
	}
	return nil
}
