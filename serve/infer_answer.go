package serve

import (
	"encoding/binary"
	"math"
	"strconv"
)

// The tensors of the Open Inference Protocol. A request has the texts; an answer has what is asked for.
const (
	textTensor = "text" // BYTES (n) or (n, 1)

	labelTensor       = "label"       // BYTES (n): "" where there is none
	probabilityTensor = "probability" // FP32 (n)
	scoresTensor      = "scores"      // FP32 (n, classes)
	classesTensor     = "classes"     // BYTES (classes)
	givenTensor       = "given"       // BOOL (n, classes): whether a text gets a label, where it may have several
)

// An output is a tensor of the answer.
type output struct {
	name, datatype string
	each           bool // n comes first in its shape
	perClass       bool // the number of classes is in its shape
	binary         bool // as bytes after the JSON
	values         func(q *inferRequest, m *served) values
}

// values are the elements of a tensor: those of one of the slices.
type values struct {
	labels  []string
	numbers []float32
	truths  []bool
}

// outputsOf are the tensors that a classifier can give.
func outputsOf(m *served) []output {
	list := []output{
		{name: labelTensor, datatype: "BYTES", each: true, values: func(q *inferRequest, _ *served) values { return values{labels: q.label} }},
		{name: probabilityTensor, datatype: "FP32", each: true, values: func(q *inferRequest, _ *served) values { return values{numbers: q.probability} }},
		{name: scoresTensor, datatype: "FP32", each: true, perClass: true, values: func(q *inferRequest, _ *served) values { return values{numbers: q.scores} }},
		{name: classesTensor, datatype: "BYTES", perClass: true, values: func(_ *inferRequest, m *served) values { return values{labels: m.classes} }},
	}
	if m.multiLabel {
		list = append(list, output{name: givenTensor, datatype: "BOOL", each: true, perClass: true, values: func(q *inferRequest, _ *served) values { return values{truths: q.given} }})
	}
	return list
}

func (v values) len() int { return len(v.labels) + len(v.numbers) + len(v.truths) }

// appendJSON appends element i.
func (v values) appendJSON(b []byte, m *served, i int) []byte {
	switch {
	case v.labels != nil:
		return append(b, m.byLabel[v.labels[i]].quoted...)
	case v.numbers != nil:
		return appendFloat(b, v.numbers[i])
	}
	return strconv.AppendBool(b, v.truths[i])
}

// appendBinary appends all elements as bytes, the lowest of a number first.
func (v values) appendBinary(b []byte) []byte {
	for _, l := range v.labels {
		b = binary.LittleEndian.AppendUint32(b, uint32(len(l)))
		b = append(b, l...)
	}
	for _, x := range v.numbers {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(x))
	}
	for _, x := range v.truths {
		b = append(b, 0)
		if x {
			b[len(b)-1] = 1
		}
	}
	return b
}

// writeInferred writes the answer: JSON, and after it the outputs that are wanted as bytes.
func (c *call) writeInferred(m *served) *problem {
	q := &c.infer
	b := append(c.out[:0], `{"model_name":"`...)
	b = append(b, m.Name...)
	b = append(b, `","model_version":"`...)
	b = append(b, m.Version...)
	b = append(b, '"')
	if q.id != "" {
		b = append(b, `,"id":`...)
		b = appendString(b, q.id)
	}
	b = append(b, `,"outputs":[`...)
	anyBinary := false
	for _, o := range q.outputs {
		anyBinary = anyBinary || o.binary
	}
	for i, o := range q.outputs {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, `{"name":"`...)
		b = append(b, o.name...)
		b = append(b, `","datatype":"`...)
		b = append(b, o.datatype...)
		b = append(b, `","shape":[`...)
		if o.each {
			b = strconv.AppendInt(b, int64(len(q.texts)), 10)
		}
		if o.perClass {
			if o.each {
				b = append(b, ',')
			}
			b = strconv.AppendInt(b, int64(len(m.classes)), 10)
		}
		b = append(b, ']')
		v := o.values(q, m)
		if o.binary {
			size := len(q.tail)
			q.tail = v.appendBinary(q.tail)
			b = append(b, `,"parameters":{"binary_data_size":`...)
			b = strconv.AppendInt(b, int64(len(q.tail)-size), 10)
			b = append(b, "}}"...)
			continue
		}
		b = append(b, `,"data":[`...)
		for k := range v.len() {
			if len(b) >= flushBytes && !anyBinary { // else the length of the JSON must be known first
				c.end() // what follows needs no memory
				c.out = b
				if p := c.write(false); p != nil {
					return p
				}
				b = c.out
			}
			if k > 0 {
				b = append(b, ',')
			}
			b = v.appendJSON(b, m, k)
		}
		b = append(b, "]}"...)
	}
	b = append(b, "]}"...)
	c.out = b
	if anyBinary {
		c.jsonLength = len(b)
		c.out = append(b, q.tail...)
		if cap(q.tail) > freeBody {
			q.tail = nil
		}
	}
	return c.finish()
}
