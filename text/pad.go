package text

import (
	"errors"
	"fmt"

	"github.com/linnet-ml/linnet/internal/budget"
	"github.com/linnet-ml/linnet/tensor"
)

// Side is an end of a sequence.
type Side uint8

// The sides.
const (
	Pre  Side = iota // the front
	Post             // the back
)

// String names the side as Keras does: "pre" or "post".
func (s Side) String() string {
	switch s {
	case Pre:
		return "pre"
	case Post:
		return "post"
	}
	return fmt.Sprintf("Side(%d)", uint8(s))
}

// PadOptions says how PadSequences makes rows of one length.
type PadOptions struct {
	// Length is the length of the rows; 0 stands for the longest sequence's.
	Length int
	// Padding is the side at which a short sequence is filled up. The default is Pre.
	Padding Side
	// Truncating is the side at which a long sequence loses ids. The default is Pre, whatever Padding is: a long review
	// keeps its end.
	Truncating Side
	// Value fills the rows up; 0 by default.
	Value int32
}

// PadSequences makes rows of one length out of sequences of any: it fills short ones up and cuts long ones off (Keras's
// pad_sequences). The result has the shape (len(sequences), Length). Without a Length it is as long as the longest sequence:
// unless padding is masked (layers.Embedding's MaskZero), what a model makes of a row then depends on the longest one.
//
// No sequences without a Length is an error; one that wraps [tensor.ErrTooLarge] reports a result that the memory cannot
// hold.
func PadSequences(sequences [][]int32, o PadOptions) (*tensor.Int32, error) {
	if o.Padding > Post {
		return nil, fmt.Errorf("text: padding %v is neither text.Pre nor text.Post", o.Padding)
	}
	if o.Truncating > Post {
		return nil, fmt.Errorf("text: truncating %v is neither text.Pre nor text.Post", o.Truncating)
	}
	length := o.Length
	if length < 0 {
		return nil, fmt.Errorf("text: cannot pad to a length of %d", length)
	}
	if length == 0 {
		if len(sequences) == 0 {
			return nil, errors.New("text: without sequences PadSequences needs a Length")
		}
		for _, s := range sequences {
			length = max(length, len(s))
		}
	}
	if err := budget.Check("text: padded sequences", 4, len(sequences), length); err != nil {
		return nil, err
	}
	x, err := tensor.New[int32](len(sequences), length)
	if err != nil {
		return nil, err
	}
	for i, s := range sequences {
		row := x.Row(i)
		if len(s) > length {
			if o.Truncating == Pre {
				s = s[len(s)-length:]
			} else {
				s = s[:length]
			}
		}
		fill := row[len(s):]
		if o.Padding == Pre {
			fill, row = row[:length-len(s)], row[length-len(s):]
		}
		copy(row, s)
		if o.Value != 0 {
			for k := range fill {
				fill[k] = o.Value
			}
		}
	}
	return x, nil
}
