package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"

	"github.com/linnet-ml/linnet/cmd/linnet/internal/parquetguard"
	"github.com/linnet-ml/linnet/datasets/texts"
	"github.com/linnet-ml/linnet/internal/ratio"
	"github.com/parquet-go/parquet-go"
)

// parquetFormat reads Parquet files, of which a column may unpack to so many times its size. The module that does it is linked
// by this program alone.
func parquetFormat(maxRatio int) texts.Format {
	return texts.Format{
		Name:  "parquet",
		Match: func(head []byte) bool { return bytes.HasPrefix(head, []byte("PAR1")) },
		Open: func(_ context.Context, r io.ReaderAt, size int64) (texts.Table, error) {
			return openParquet(r, size, ratio.Limit{Ratio: maxRatio, Option: "--max-ratio"})
		},
	}
}

func openParquet(r io.ReaderAt, size int64, limit ratio.Limit) (_ texts.Table, err error) {
	defer func() { err = ofParquet(err) }()
	defer recovered(&err)
	f, err := parquetguard.Open(r, size, limit)
	if err != nil {
		return nil, err
	}
	t := &parquetTable{file: f, limit: limit}
	for _, field := range f.Root().Columns() {
		t.names = append(t.names, field.Name())
		t.leaves = append(t.leaves, leaves(field))
	}
	return t, nil
}

// recovered turns a panic of the module into an error: a broken file may cause one.
func recovered(err *error) {
	if r := recover(); r != nil {
		*err = fmt.Errorf("the file is broken: %.200v", r)
	}
}

// ofParquet says which format an error is about.
func ofParquet(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("parquet: %w", err)
}

// leaves returns the columns with values in a field.
func leaves(c *parquet.Column) (list []*parquet.Column) {
	if c.Leaf() {
		return []*parquet.Column{c}
	}
	for _, field := range c.Columns() {
		list = append(list, leaves(field)...)
	}
	return list
}

// parquetTable is an open file.
type parquetTable struct {
	file   *parquet.File
	limit  ratio.Limit
	names  []string
	leaves [][]*parquet.Column // of each field; a list of values has one, and one with repetition levels
}

func (t *parquetTable) Columns() []string { return t.names }

func (t *parquetTable) Close() error { return nil }

// Rows reads the columns side by side, a row group after the other.
func (t *parquetTable) Rows(ctx context.Context, columns []int) iter.Seq2[[]any, error] {
	return func(yield func([]any, error) bool) {
		err := t.rows(ctx, columns, func(row []any) bool { return yield(row, nil) })
		if err != nil && !errors.Is(err, errStopped) {
			yield(nil, ofParquet(err))
		}
	}
}

// errStopped says that no more rows are wanted.
var errStopped = errors.New("stopped")

func (t *parquetTable) rows(ctx context.Context, columns []int, yield func([]any) bool) error {
	for _, c := range columns {
		if n := len(t.leaves[c]); n != 1 {
			return fmt.Errorf("the column %.40q is a group of %d columns, not texts", t.names[c], n)
		}
	}
	row := make([]any, len(columns))
	// The pages of few bytes may point to one long text of a dictionary again and again, and row groups to the same pages.
	left := t.limit.Bytes(t.file.Size())
	for group := range t.file.Metadata().RowGroups {
		readers, err := t.readers(group, columns)
		if err == nil {
			err = t.group(ctx, group, readers, row, &left, yield)
		}
		for _, r := range readers {
			err = errors.Join(err, r.close())
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// readers opens the columns of a row group. After an error some may be open. Like each function that calls the module it returns
// a panic as an error; none of them calls yield, whose panics are the caller's.
func (t *parquetTable) readers(group int, columns []int) (readers []*parquetColumn, err error) {
	defer recovered(&err)
	for _, c := range columns {
		leaf := t.leaves[c][0]
		pages, err := parquetguard.NewPages(t.file, leaf, group, t.limit)
		if err != nil {
			return readers, fmt.Errorf("the column %.40q: %w", t.names[c], err)
		}
		readers = append(readers, &parquetColumn{name: t.names[c], pages: pages, list: leaf.MaxRepetitionLevel() > 0})
	}
	return readers, nil
}

func (c *parquetColumn) close() (err error) {
	defer recovered(&err)
	return c.pages.Close()
}

// group reads the rows of a row group. Left is how many bytes of values may still come.
func (t *parquetTable) group(ctx context.Context, group int, readers []*parquetColumn, row []any, left *int64, yield func([]any) bool) error {
	for range t.file.Metadata().RowGroups[group].NumRows {
		if err := ctx.Err(); err != nil {
			return err
		}
		for i, r := range readers {
			var err error
			if row[i], err = r.next(left); err == nil && *left < 0 {
				err = t.limit.Exceeded(t.file.Size())
			}
			if err != nil {
				return fmt.Errorf("the column %.40q: %w", r.name, err)
			}
		}
		if !yield(row) {
			return errStopped
		}
	}
	return nil
}

// parquetColumn reads the values of a column of a row group.
type parquetColumn struct {
	name   string
	pages  *parquetguard.Pages
	list   bool
	page   parquet.ValueReader
	buffer [64]parquet.Value
	values []parquet.Value // those of the buffer that are not used yet
}

// listBytes is what a value of a list has in memory beside its text.
const listBytes = 32

// peek returns the next value, or false at the end.
func (c *parquetColumn) peek() (v parquet.Value, ok bool, err error) {
	for len(c.values) == 0 {
		if c.page == nil {
			page, err := c.pages.Next()
			if err == io.EOF {
				return v, false, nil
			} else if err != nil {
				return v, false, err
			}
			c.page = page.Values()
		}
		n, err := c.page.ReadValues(c.buffer[:])
		c.values = c.buffer[:n]
		if n == 0 && err == nil {
			err = io.ErrNoProgress
		}
		if err != nil {
			c.page = nil
			if err != io.EOF {
				return v, false, err
			}
		}
	}
	return c.values[0], true, nil
}

// take returns the value that peek has returned, and counts its bytes.
func (c *parquetColumn) take(left *int64) (value any, err error) {
	v := c.values[0]
	c.values = c.values[1:]
	*left--
	if v.IsNull() {
		return nil, nil
	}
	switch v.Kind() {
	case parquet.ByteArray, parquet.FixedLenByteArray:
		if *left -= int64(len(v.ByteArray())); *left < 0 {
			return nil, nil
		}
		return string(v.ByteArray()), nil
	case parquet.Boolean:
		return v.Boolean(), nil
	case parquet.Int32:
		return int64(v.Int32()), nil
	case parquet.Int64:
		return v.Int64(), nil
	case parquet.Float:
		return float64(v.Float()), nil
	case parquet.Double:
		return v.Double(), nil
	}
	return nil, fmt.Errorf("values of type %v are neither texts nor labels", v.Kind())
}

// next returns the value of the next row: for a list all of its values. It stops when no more bytes are left.
func (c *parquetColumn) next(left *int64) (value any, err error) {
	defer recovered(&err)
	v, ok, err := c.peek()
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, errors.New("it ends before the others")
	}
	if !c.list {
		return c.take(left)
	}
	if v.IsNull() && v.DefinitionLevel() == 0 {
		return c.take(left)
	}
	list := []any{}
	for first := true; ; first = false {
		v, ok, err := c.peek()
		if err != nil {
			return nil, err
		}
		if !ok || !first && v.RepetitionLevel() == 0 || *left < 0 {
			return list, nil
		}
		x, err := c.take(left)
		if err != nil {
			return nil, err
		}
		if x != nil {
			*left -= listBytes
			list = append(list, x)
		}
	}
}
