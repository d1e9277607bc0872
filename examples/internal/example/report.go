package example

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"

	"github.com/linnet-ml/linnet/history"
	"github.com/linnet-ml/linnet/internal/shown"
	"github.com/linnet-ml/linnet/nn"
)

// History returns the numbers of a history as JSON: the values of each name, one an epoch, names in order.
func History(h *history.History) (json.RawMessage, error) {
	text, err := h.MarshalJSON()
	if err != nil {
		return nil, err
	}
	var outer struct{ History json.RawMessage }
	err = json.Unmarshal(text, &outer)
	return outer.History, err
}

// Number is v as JSON can say it: JSON has no NaN and no infinities.
func Number(v float64) *float64 {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return nil
	}
	return &v
}

// WeightsSHA256 is the digest of all parameters, in order, as little-endian float32.
func WeightsSHA256(m *nn.Model) string {
	h := sha256.New()
	buf := make([]byte, 0, 1<<16)
	for _, p := range m.Parameters() {
		for _, v := range p.Values() {
			if buf = binary.LittleEndian.AppendUint32(buf, math.Float32bits(v)); len(buf) == cap(buf) {
				h.Write(buf)
				buf = buf[:0]
			}
		}
	}
	h.Write(buf)
	return hex.EncodeToString(h.Sum(nil))
}

// WriteReport writes a report as JSON to the file of the flag -report, unless that is empty.
func WriteReport(path string, report any) error {
	if path == "" {
		return nil
	}
	text, err := json.MarshalIndent(report, "", "  ")
	if err == nil {
		err = WriteFile(path, append(shown.JSON(text), '\n'))
	}
	if err != nil {
		return fmt.Errorf("-report: %w", err)
	}
	return nil
}

// WriteHistory writes a history as CSV to the file of the flag -history, unless that is empty.
func WriteHistory(path string, h *history.History) error {
	if path == "" {
		return nil
	}
	var table bytes.Buffer
	err := h.WriteCSV(&table)
	if err == nil {
		err = WriteFile(path, table.Bytes())
	}
	if err != nil {
		return fmt.Errorf("-history: %w", err)
	}
	return nil
}
