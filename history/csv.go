package history

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"

	"github.com/linnet-ml/linnet/internal/shown"
	"github.com/linnet-ml/linnet/internal/textline"
)

// WriteCSV writes a line of names, epoch first, and a line an epoch. What is not printable in a name, such as a line end, is
// escaped.
func (h *History) WriteCSV(w io.Writer) error {
	if h == nil {
		return errNilHistory
	}
	c := csv.NewWriter(w)
	record := []string{"epoch"}
	for _, name := range h.names {
		record = append(record, shown.Text(name))
	}
	if err := c.Write(record); err != nil {
		return fmt.Errorf("history: %w", err)
	}
	for i, e := range h.Epochs {
		record[0] = strconv.Itoa(e)
		for k, name := range h.names {
			record[k+1] = strconv.FormatFloat(h.values[name][i], 'g', -1, 64)
		}
		if err := c.Write(record); err != nil {
			return fmt.Errorf("history: %w", err)
		}
	}
	c.Flush()
	if err := c.Error(); err != nil {
		return fmt.Errorf("history: %w", err)
	}
	return nil
}

// ReadCSV reads what WriteCSV, callbacks.CSVLogger or Keras's CSVLogger wrote with commas: a line of names, "epoch" first,
// and a line an epoch. A value of NA, or none, is NaN. Directions are not in such a file. What is wrong with it is an error
// that names line and column. It takes memory in proportion to what it reads.
func ReadCSV(r io.Reader) (*History, error) {
	c := csv.NewReader(r)
	fail := func(column int, err error) (*History, error) {
		line, at := c.FieldPos(column)
		return nil, fmt.Errorf("history: line %d, column %d: %w", line, at, err)
	}
	header, err := c.Read()
	if err == io.EOF {
		return nil, errors.New("history: the file is empty")
	} else if err != nil {
		return nil, fmt.Errorf("history: %w", err)
	}
	header[0] = strings.TrimPrefix(header[0], textline.Mark)
	if header[0] != "epoch" {
		return fail(0, fmt.Errorf("the first column is %.40q, not \"epoch\"", header[0]))
	}
	h := &History{values: map[string][]float64{}}
	for k, name := range header[1:] {
		if _, twice := h.values[name]; twice || name == "epoch" {
			return fail(k+1, fmt.Errorf("the column %.40q occurs twice", name))
		}
		h.names = append(h.names, name)
		h.values[name] = nil
	}
	for {
		record, err := c.Read()
		if err == io.EOF {
			return h, nil
		} else if err != nil {
			return nil, fmt.Errorf("history: %w", err)
		}
		epoch, err := strconv.Atoi(record[0])
		if err != nil || epoch < 0 {
			return fail(0, fmt.Errorf("%.40q is no number of an epoch", record[0]))
		}
		h.Epochs = append(h.Epochs, epoch)
		for k, text := range record[1:] {
			v := math.NaN()
			if text != "" && text != "NA" {
				if v, err = strconv.ParseFloat(text, 64); err != nil {
					return fail(k+1, fmt.Errorf("%.40q is no number", text))
				}
			}
			name := h.names[k]
			h.values[name] = append(h.values[name], v)
		}
	}
}
