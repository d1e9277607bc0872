package history

import (
	"encoding/csv"
	"fmt"
	"io"
	"strconv"
)

// WriteCSV writes a line of names, epoch first, and a line an epoch.
func (h *History) WriteCSV(w io.Writer) error {
	c := csv.NewWriter(w)
	record := append([]string{"epoch"}, h.names...)
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
