package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"iter"
	"os"

	"github.com/linnet-ml/linnet/classifier"
	"github.com/linnet-ml/linnet/internal/spill"
)

// spoolMemory is how many bytes a spool keeps in memory.
const spoolMemory = 8 << 20

// A spool keeps the examples of a stream, which cannot be read twice: few in memory, more in a temporary file.
type spool struct {
	memory []byte
	file   *os.File
	remove func() error
	size   int64 // of the file
}

// add appends an example: the texts with their lengths before them.
func (s *spool) add(e classifier.Example) error {
	s.string(e.Text)
	s.memory = binary.AppendUvarint(s.memory, uint64(len(e.Labels)))
	for _, l := range e.Labels {
		s.string(l)
	}
	if len(s.memory) > spoolMemory {
		return s.flush()
	}
	return nil
}

func (s *spool) string(text string) {
	s.memory = binary.AppendUvarint(s.memory, uint64(len(text)))
	s.memory = append(s.memory, text...)
}

// flush writes what is in memory to the file.
func (s *spool) flush() error {
	if s.file == nil {
		var err error
		if s.file, s.remove, err = spill.TempFile(); err != nil {
			return err
		}
	}
	n, err := s.file.Write(s.memory)
	s.size += int64(n)
	s.memory = s.memory[:0]
	if err != nil {
		return spill.Failed(err)
	}
	return nil
}

// examples yields them.
func (s *spool) examples(ctx context.Context) iter.Seq2[classifier.Example, error] {
	return func(yield func(classifier.Example, error) bool) {
		var r io.Reader = bytes.NewReader(s.memory)
		if s.file != nil {
			r = io.MultiReader(io.NewSectionReader(s.file, 0, s.size), r)
		}
		b := bufio.NewReaderSize(r, 1<<16)
		for {
			e, err := readExample(b)
			if err == io.EOF {
				return
			}
			if err == nil {
				err = ctx.Err()
			}
			if !yield(e, err) || err != nil {
				return
			}
		}
	}
}

// readExample reads what add has written.
func readExample(r *bufio.Reader) (e classifier.Example, err error) {
	if e.Text, err = readString(r); err != nil {
		return e, err
	}
	n, err := binary.ReadUvarint(r)
	for ; n > 0 && err == nil; n-- {
		var l string
		l, err = readString(r)
		e.Labels = append(e.Labels, l)
	}
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return e, err
}

func readString(r *bufio.Reader) (string, error) {
	n, err := binary.ReadUvarint(r)
	if err != nil {
		return "", err
	}
	b := make([]byte, n)
	if _, err = io.ReadFull(r, b); err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return string(b), err
}

// close removes the file.
func (s *spool) close() error {
	if s.file == nil {
		return nil
	}
	return errors.Join(s.file.Close(), s.remove())
}
