package imdb

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"hash"
	"io"
)

// officialDigest is the sha256 of the imdb.npz that Keras downloads, as its source states it.
const officialDigest = "69664113be75683a8fe16e3ed0ab59fda8886cb3cd7ada244f7d9544e4676b9f"

// The digests of the reviews and labels themselves, see rawSplit.digest. Copies of imdb.npz differ in how the zip
// archive wraps the same arrays (time stamps, order of members, compression), which changes the file's sha256 and not
// these. They were computed from an archive rebuilt out of the original texts, whose sequences, written as the pickle
// that Keras published before imdb.npz, have exactly the md5 that Keras stated for it
// (d091312047c43cf9e4e38fef92437263).
const (
	trainDigest = "1a08b5a61351898700ce7de781cccb4001588b7bb4d56a7fac16a271b2b89a9d"
	testDigest  = "3bbe2d6b5810791b4daf6230b89aa408b61d885ac89b0899d2c4f01d092a597f"
)

// wordIndexDigest is the sha256 of the words by rank, each followed by a line feed but the last.
const wordIndexDigest = "c5875fe5aa047b30f148423ade177d8afca9f2599691a2a2eded0b6dab0e3996"

// digest is the sha256 of a split's content as little-endian 32-bit integers: the number of reviews, then the length
// of each, then all ids, then all labels.
func (r rawSplit) digest() string {
	w := intWriter{h: sha256.New(), buf: make([]byte, 0, 32<<10)}
	w.write(int32(r.lists.Len()))
	for i := range r.lists.Len() {
		w.write(int32(r.lists.Offsets[i+1] - r.lists.Offsets[i]))
	}
	w.write(r.lists.Values...)
	w.write(r.labels...)
	w.h.Write(w.buf)
	return hex.EncodeToString(w.h.Sum(nil))
}

type intWriter struct {
	h   hash.Hash
	buf []byte
}

func (w *intWriter) write(values ...int32) {
	for _, v := range values {
		if len(w.buf) == cap(w.buf) {
			w.h.Write(w.buf)
			w.buf = w.buf[:0]
		}
		w.buf = binary.LittleEndian.AppendUint32(w.buf, uint32(v))
	}
}

// fileDigest is the sha256 of a whole file.
func fileDigest(r io.ReaderAt, size int64) (string, error) {
	h := sha256.New()
	if _, err := io.Copy(h, io.NewSectionReader(r, 0, size)); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}
