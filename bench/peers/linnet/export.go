package main

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"strings"

	"github.com/linnet-ml/linnet/bench"
	"github.com/linnet-ml/linnet/tensor"
)

// exportAll writes plain little-endian arrays, without a header: x and y, the padded test reviews and their labels
// (int32); a file for each parameter of the network (float32); and ids, lengths and labels, the whole reviews that the
// large table is trained on (int32).
func (s *settings) exportAll(ctx context.Context) error {
	t, err := s.trained(ctx)
	if err != nil {
		return err
	}
	if err := s.write("x", t.Test.X.(*tensor.Int32).Data()); err != nil {
		return err
	}
	if err := s.write("y", t.Test.Y.(*tensor.Int32).Data()); err != nil {
		return err
	}
	for _, p := range t.Model.Parameters() {
		if err := s.write(strings.ReplaceAll(p.Name(), "/", "_"), p.Values()); err != nil {
			return err
		}
	}
	reviews, err := bench.LoadReviews(ctx, s.data)
	if err != nil {
		return err
	}
	var ids, lengths []int32
	for _, r := range reviews.Reviews {
		ids = append(ids, r...)
		lengths = append(lengths, int32(len(r)))
	}
	return errors.Join(s.write("ids", ids), s.write("lengths", lengths), s.write("labels", reviews.Labels))
}

func (s *settings) write(name string, values any) (err error) {
	f, err := os.Create(filepath.Join(s.export, name))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	w := bufio.NewWriter(f)
	if err := binary.Write(w, binary.LittleEndian, values); err != nil {
		return err
	}
	return w.Flush()
}
