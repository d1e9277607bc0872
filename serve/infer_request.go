package serve

import (
	"encoding/binary"
	"fmt"
	"math"
	"unicode/utf8"

	"github.com/linnet-ml/linnet/internal/strictjson"
)

// An inferRequest is the body of POST /v2/models/NAME/infer, and what becomes of it. Its texts and names may share the memory of
// the body.
type inferRequest struct {
	id          string
	texts       []string
	inputs      int
	asked       []askedOutput
	allBinary   bool // outputs are bytes unless they say otherwise
	outputs     []output
	label       []string
	probability []float32
	scores      []float32
	given       []bool
	tail        []byte // the outputs as bytes
}

// An askedOutput is an output that a request names.
type askedOutput struct {
	name   string
	binary *bool // nil if it does not say
}

func (q *inferRequest) reset() {
	if cap(q.scores) > freeBody/4 || cap(q.given) > freeBody {
		q.scores, q.given = nil, nil
	}
	if cap(q.probability) > freeBody/4 {
		q.probability = nil
	}
	if cap(q.tail) > freeBody {
		q.tail = nil
	}
	clear(q.asked) // the names are parts of the body
	*q = inferRequest{
		texts: forget(q.texts), asked: q.asked[:0], outputs: q.outputs[:0], label: forget(q.label),
		probability: q.probability[:0], scores: q.scores[:0], given: q.given[:0], tail: q.tail[:0],
	}
}

// parse reads the JSON of a request, and the tensors as bytes after it. Members that the protocol does not have are ignored, as it
// asks of servers: KServe's client sends model_name. null counts as absent.
func (q *inferRequest) parse(body, tail []byte, check textCheck) *problem {
	s := scan(body)
	err := s.Members(func(name string) (err error) {
		if absent, err := s.Null(); absent || err != nil {
			return err
		}
		switch name {
		case "id":
			q.id, err = s.Text(name)
		case "parameters":
			err = parameters(s, func(name string) (known bool, err error) {
				if name == "binary_data_output" {
					q.allBinary, err = boolean(s, name)
					return true, err
				}
				return false, nil
			})
		case "inputs":
			err = s.Array(func() error {
				if q.inputs++; q.inputs > 1 {
					return s.Errorf("there is more than one input")
				}
				var err error
				tail, err = q.input(s, tail, check)
				return err
			})
		case "outputs":
			err = s.Array(func() error { return q.output(s) })
		default:
			_, err = s.Value()
		}
		return err
	})
	if err == nil {
		err = s.End()
	}
	if err == nil && q.inputs == 0 {
		err = s.Errorf("there is no input")
	}
	if err == nil && len(tail) > 0 {
		err = fmt.Errorf("%d bytes after the JSON belong to no input", len(tail))
	}
	if err != nil {
		return malformed(err, inferHint)
	}
	return nil
}

// parameters reads an object of parameters: numbers, strings and truth values. member returns whether it knows the parameter and
// has read its value; others are ignored.
func parameters(s *strictjson.Scanner, member func(name string) (known bool, err error)) error {
	return s.Members(func(name string) error {
		if absent, err := s.Null(); absent || err != nil {
			return err
		}
		if c := s.Peek(); c == '{' || c == '[' {
			return s.Errorf("the parameter %s is neither number nor string nor truth value", strictjson.Quote(name))
		}
		known, err := member(name)
		if !known && err == nil {
			_, err = s.Value()
		}
		return err
	})
}

// input reads the input. It returns what stays of tail, from which a tensor of bytes takes its part.
func (q *inferRequest) input(s *strictjson.Scanner, tail []byte, check textCheck) ([]byte, error) {
	var shape []int
	var hasName, hasShape, hasType, hasData bool
	size := -1
	err := s.Members(func(name string) (err error) {
		if absent, err := s.Null(); absent || err != nil {
			return err
		}
		switch name {
		case "name":
			hasName = true
			var input string
			if input, err = s.Text(name); err == nil && input != textTensor {
				err = s.Errorf("there is no input %s, only text", strictjson.Quote(input))
			}
		case "datatype":
			hasType = true
			var datatype string
			if datatype, err = s.Text(name); err == nil && datatype != "BYTES" {
				err = s.Errorf("the datatype is %s, want BYTES", strictjson.Quote(datatype))
			}
		case "shape":
			hasShape = true
			err = s.Array(func() error {
				if len(shape) == 2 {
					return s.Errorf("the shape has more than two dimensions")
				}
				n, err := integer(s, "shape", math.MaxInt32)
				shape = append(shape, n)
				return err
			})
		case "parameters":
			err = parameters(s, func(name string) (known bool, err error) {
				if name == "binary_data_size" {
					size, err = integer(s, name, math.MaxInt32)
					return true, err
				}
				return false, nil
			})
		case "data":
			hasData = true
			err = s.Array(func() error {
				if s.Peek() == '[' {
					return s.Array(func() error { return q.text(s, check) })
				}
				return q.text(s, check)
			})
		default:
			_, err = s.Value()
		}
		return err
	})
	switch {
	case err != nil:
		return nil, err
	case !hasName || !hasShape || !hasType:
		return nil, s.Errorf("an input needs name, shape and datatype")
	case hasData && size >= 0:
		return nil, s.Errorf("the input has both data and binary_data_size")
	case !hasData && size < 0:
		return nil, s.Errorf("the input has no data")
	case size > len(tail):
		return nil, s.Errorf("binary_data_size is %d and %d bytes come after the JSON", size, len(tail))
	}
	if size >= 0 {
		if err := q.binaryTexts(tail[:size], check); err != nil {
			return nil, err
		}
		tail = tail[size:]
	}
	if len(shape) == 0 || len(shape) == 2 && shape[1] != 1 {
		return nil, s.Errorf("the shape is %v, want [n] or [n, 1]", shape)
	}
	if shape[0] != len(q.texts) {
		return nil, s.Errorf("the shape says %d texts and there are %d", shape[0], len(q.texts))
	}
	return tail, nil
}

func (q *inferRequest) text(s *strictjson.Scanner, check textCheck) (err error) {
	q.texts, err = readText(s, q.texts, check)
	return err
}

// binaryTexts reads a tensor of bytes: for each text its length in four bytes, the lowest first, and the text. The texts share the
// memory of b.
func (q *inferRequest) binaryTexts(b []byte, check textCheck) error {
	for at := 0; at < len(b); {
		if len(b)-at < 4 {
			return fmt.Errorf("byte %d of the tensor: the length of a text has four bytes", at)
		}
		n := binary.LittleEndian.Uint32(b[at:])
		at += 4
		if uint64(n) > uint64(len(b)-at) {
			return fmt.Errorf("byte %d of the tensor: a text of %d bytes, and %d are there", at, n, len(b)-at)
		}
		word := b[at : at+int(n)]
		at += int(n)
		if !utf8.Valid(word) {
			return fmt.Errorf("text %d is not UTF-8", len(q.texts))
		}
		t := strictjson.Shared(word)
		if err := check(t, len(q.texts)); err != nil {
			return err
		}
		q.texts = append(q.texts, t)
	}
	return nil
}

// output reads an output that is asked for.
func (q *inferRequest) output(s *strictjson.Scanner) error {
	if len(q.asked) == maxOutputs {
		return s.Errorf("there are more than %d outputs", maxOutputs)
	}
	var o askedOutput
	err := s.Members(func(name string) (err error) {
		if absent, err := s.Null(); absent || err != nil {
			return err
		}
		switch name {
		case "name":
			o.name, err = s.Text(name)
		case "parameters":
			err = parameters(s, func(name string) (known bool, err error) {
				switch name {
				case "binary_data":
					var binary bool
					binary, err = boolean(s, name)
					o.binary = &binary
				case "classification":
					var n int
					if n, err = integer(s, name, math.MaxInt32); err == nil && n > 0 {
						err = s.Errorf("there is no extension classification: the outputs scores and classes have the same")
					}
				default:
					return false, nil
				}
				return true, err
			})
		default:
			_, err = s.Value()
		}
		return err
	})
	if err != nil {
		return err
	}
	for _, other := range q.asked {
		if other.name == o.name {
			return s.Errorf("the output %s is asked for twice", strictjson.Quote(o.name))
		}
	}
	q.asked = append(q.asked, o)
	return nil
}
