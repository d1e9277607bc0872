package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"

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
	defer recovered(&err)
	f, err := parquet.OpenFile(r, size, parquet.SkipPageIndex(true), parquet.SkipBloomFilters(true))
	if err != nil {
		return nil, fmt.Errorf("parquet: %w", err)
	}
	t := &parquetTable{file: f, limit: limit}
	leaf := 0
	for _, field := range f.Schema().Fields() {
		n := leaves(field)
		t.names = append(t.names, field.Name())
		t.leaf = append(t.leaf, leaf)
		t.leaves = append(t.leaves, n)
		t.list = append(t.list, n == 1 && repeated(field))
		leaf += n
	}
	return t, nil
}

// recovered turns a panic of the module into an error: a broken file may cause one.
func recovered(err *error) {
	if r := recover(); r != nil {
		*err = fmt.Errorf("parquet: the file is broken: %.200v", r)
	}
}

// leaves is the number of columns with values in a field.
func leaves(n parquet.Node) int {
	if n.Leaf() {
		return 1
	}
	sum := 0
	for _, f := range n.Fields() {
		sum += leaves(f)
	}
	return sum
}

// repeated reports whether a field with one leaf is a list.
func repeated(n parquet.Node) bool {
	for !n.Repeated() {
		if n.Leaf() {
			return false
		}
		n = n.Fields()[0]
	}
	return true
}

// parquetTable is an open file.
type parquetTable struct {
	file         *parquet.File
	limit        ratio.Limit
	names        []string
	leaf, leaves []int // the first leaf of each field, and how many it has
	list         []bool
}

func (t *parquetTable) Columns() []string { return t.names }

func (t *parquetTable) Close() error { return nil }

// Rows reads the columns side by side, a row group after the other.
func (t *parquetTable) Rows(ctx context.Context, columns []int) iter.Seq2[[]any, error] {
	return func(yield func([]any, error) bool) {
		err := t.rows(ctx, columns, func(row []any) bool { return yield(row, nil) })
		if err != nil && !errors.Is(err, errStopped) {
			yield(nil, err)
		}
	}
}

// errStopped says that no more rows are wanted.
var errStopped = errors.New("stopped")

func (t *parquetTable) rows(ctx context.Context, columns []int, yield func([]any) bool) error {
	for _, c := range columns {
		if t.leaves[c] != 1 {
			return fmt.Errorf("parquet: the column %.40q is a group of %d columns, not texts", t.names[c], t.leaves[c])
		}
	}
	row := make([]any, len(columns))
	groups, err := t.groups()
	if err != nil {
		return err
	}
	for i, group := range groups {
		if err := t.checkSizes(i, columns); err != nil {
			return err
		}
		n, readers, err := t.readers(group, columns)
		if err == nil {
			err = t.group(ctx, n, readers, row, yield)
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

// groups returns the row groups. Like each function that calls the module it returns a panic as an error; none of them calls yield,
// whose panics are the caller's.
func (t *parquetTable) groups() (groups []parquet.RowGroup, err error) {
	defer recovered(&err)
	return t.file.RowGroups(), nil
}

// checkSizes refuses columns of a row group that unpack to more than the limit: the module reads a page whole.
func (t *parquetTable) checkSizes(group int, columns []int) (err error) {
	defer recovered(&err)
	for _, c := range columns {
		chunk := &t.file.Metadata().RowGroups[group].Columns[t.leaf[c]].MetaData
		if chunk.TotalUncompressedSize > t.limit.Bytes(chunk.TotalCompressedSize) {
			return fmt.Errorf("parquet: the column %.40q: %w", t.names[c], t.limit.Exceeded(chunk.TotalCompressedSize))
		}
	}
	return nil
}

// readers opens the columns of a row group, and says how many rows it has. After an error some may be open.
func (t *parquetTable) readers(group parquet.RowGroup, columns []int) (rows int64, readers []*parquetColumn, err error) {
	defer recovered(&err)
	chunks := group.ColumnChunks()
	for _, c := range columns {
		readers = append(readers, &parquetColumn{pages: chunks[t.leaf[c]].Pages(), list: t.list[c]})
	}
	return group.NumRows(), readers, nil
}

func (c *parquetColumn) close() (err error) {
	defer recovered(&err)
	return c.pages.Close()
}

// group reads the rows of a row group.
func (t *parquetTable) group(ctx context.Context, n int64, readers []*parquetColumn, row []any, yield func([]any) bool) error {
	for range n {
		if err := ctx.Err(); err != nil {
			return err
		}
		for i, r := range readers {
			var err error
			if row[i], err = r.next(); err != nil {
				return err
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
	pages  parquet.Pages
	list   bool
	page   parquet.ValueReader
	buffer [64]parquet.Value
	values []parquet.Value // those of the buffer that are not used yet
}

// peek returns the next value, or false at the end.
func (c *parquetColumn) peek() (v parquet.Value, ok bool, err error) {
	for len(c.values) == 0 {
		if c.page == nil {
			page, err := c.pages.ReadPage()
			if err == io.EOF {
				return v, false, nil
			} else if err != nil {
				return v, false, fmt.Errorf("parquet: %w", err)
			}
			c.page = page.Values()
		}
		n, err := c.page.ReadValues(c.buffer[:])
		c.values = c.buffer[:n]
		if err != nil {
			c.page = nil
			if err != io.EOF {
				return v, false, fmt.Errorf("parquet: %w", err)
			}
		}
	}
	return c.values[0], true, nil
}

// next returns the value of the next row: for a list all of its values.
func (c *parquetColumn) next() (value any, err error) {
	defer recovered(&err)
	v, ok, err := c.peek()
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, errors.New("parquet: a column ends before the others")
	}
	if !c.list {
		value, err = parquetValue(v)
		c.values = c.values[1:]
		return value, err
	}
	list := []any{}
	if v.IsNull() && v.DefinitionLevel() == 0 {
		c.values = c.values[1:]
		return nil, nil
	}
	for first := true; ; first = false {
		v, ok, err := c.peek()
		if err != nil {
			return nil, err
		}
		if !ok || !first && v.RepetitionLevel() == 0 {
			return list, nil
		}
		if !v.IsNull() {
			x, err := parquetValue(v)
			if err != nil {
				return nil, err
			}
			list = append(list, x)
		}
		c.values = c.values[1:]
	}
}

func parquetValue(v parquet.Value) (any, error) {
	if v.IsNull() {
		return nil, nil
	}
	switch v.Kind() {
	case parquet.ByteArray, parquet.FixedLenByteArray:
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
	return nil, fmt.Errorf("parquet: values of type %v are neither texts nor labels", v.Kind())
}
