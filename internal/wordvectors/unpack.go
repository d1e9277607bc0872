package wordvectors

import (
	"bufio"
	"bytes"
	"fmt"
	"io"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// maxWindow bounds the memory of zstd, whose files ask for it in their first bytes. It is what level 20 asks for.
const maxWindow = 32 << 20

// Unpack reads a file that may be packed by gzip or zstd, which it recognises by the first bytes, and says whether it
// is. Close frees memory and does not close r.
func Unpack(r io.Reader) (unpacked io.ReadCloser, packed bool, err error) {
	b := bufio.NewReaderSize(r, 64<<10)
	head, err := b.Peek(4)
	if err != nil && err != io.EOF {
		return nil, false, fmt.Errorf("wordvectors: %w", err)
	}
	switch {
	case bytes.HasPrefix(head, []byte{0x1f, 0x8b}):
		z, err := gzip.NewReader(b)
		if err != nil {
			return nil, true, fmt.Errorf("wordvectors: gzip: %w", err)
		}
		return z, true, nil
	case bytes.HasPrefix(head, []byte{0x28, 0xb5, 0x2f, 0xfd}):
		// One goroutine, the caller's: nothing is left behind when the file is not read to its end.
		z, err := zstd.NewReader(b, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(maxWindow))
		if err != nil {
			return nil, true, fmt.Errorf("wordvectors: zstd: %w", err)
		}
		return z.IOReadCloser(), true, nil
	}
	return io.NopCloser(b), false, nil
}
