package parquetguard

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/snappy"
	"github.com/klauspost/compress/zstd"
	"github.com/parquet-go/parquet-go/format"
	"github.com/pierrec/lz4/v4"
)

// maxWindow is the largest window of zstd that is read, what its command reads without --long too.
const maxWindow = 128 << 20

// unpack returns what the bytes of a page unpack to, up to the next call. It may have no more bytes than the page's header says,
// which is what the limit has been asked about: the module unpacks whatever comes.
func (p *Pages) unpack(b []byte) ([]byte, error) {
	codec := p.column.Compression().CompressionCodec()
	if codec == format.Uncompressed {
		return b, nil
	}
	p.unpacked = resized(p.unpacked, p.size+1)
	n, err := p.unpackInto(p.unpacked, codec, b)
	if err != nil {
		return nil, fmt.Errorf("unpacking %v: %w", codec, err)
	}
	if int64(n) > p.size {
		return nil, fmt.Errorf("it unpacks to more than the %d bytes of its header", p.size)
	}
	return p.unpacked[:n], nil
}

// unpackInto unpacks b into dst, as much as it holds.
func (p *Pages) unpackInto(dst []byte, codec format.CompressionCodec, b []byte) (n int, err error) {
	switch codec {
	case format.Snappy:
		if n, err = snappy.DecodedLen(b); err != nil || n >= len(dst) {
			return n, err
		}
		_, err = snappy.Decode(dst[:n], b)
		return n, err
	case format.Lz4Raw:
		// The module tries larger and larger places until a block fits, which a broken one never does.
		return lz4.UncompressBlock(b, dst)
	case format.Gzip:
		z, err := gzip.NewReader(bytes.NewReader(b))
		if err != nil {
			return 0, err
		}
		return fill(dst, z)
	case format.Brotli:
		return fill(dst, brotli.NewReader(bytes.NewReader(b)))
	case format.Zstd:
		if p.zstd == nil {
			p.zstd, err = zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true),
				zstd.WithDecoderMaxWindow(maxWindow), zstd.WithDecoderMaxMemory(1<<63))
			if err != nil {
				return 0, err
			}
		}
		// Where a frame says how long it is, this reader fails if it is not: the module makes room for what it says.
		if err := p.zstd.Reset(bytes.NewReader(b)); err != nil {
			return 0, err
		}
		return fill(dst, p.zstd)
	}
	return 0, fmt.Errorf("the compression is not supported")
}

// fill reads to the end, or until dst is full.
func fill(dst []byte, r io.Reader) (n int, err error) {
	for n < len(dst) && err == nil {
		var k int
		k, err = r.Read(dst[n:])
		n += k
	}
	if err == io.EOF {
		err = nil
	}
	return n, err
}
