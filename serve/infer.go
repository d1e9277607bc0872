package serve

import (
	"encoding/binary"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/linnet-ml/linnet/internal/strictjson"
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
}

// outputsOf are the tensors that a classifier can give.
func outputsOf(m *served) []output {
	list := []output{
		{name: labelTensor, datatype: "BYTES", each: true},
		{name: probabilityTensor, datatype: "FP32", each: true},
		{name: scoresTensor, datatype: "FP32", each: true, perClass: true},
		{name: classesTensor, datatype: "BYTES", perClass: true},
	}
	if m.several {
		list = append(list, output{name: givenTensor, datatype: "BOOL", each: true, perClass: true})
	}
	return list
}

// An inferRequest is the body of POST /v2/models/NAME/infer, and what becomes of it.
type inferRequest struct {
	id          string
	texts       []string
	inputs      int
	outputs     []output // as asked for: names, and whether as bytes
	asked       bool     // there are outputs
	allBinary   bool     // outputs are bytes unless they say otherwise
	label       []string
	probability []float32
	scores      []float32
	given       []bool
}

func (q *inferRequest) reset() {
	if cap(q.scores) > keptBody/4 {
		q.scores, q.given = nil, nil
	}
	*q = inferRequest{
		texts: forget(q.texts), outputs: q.outputs[:0], label: forget(q.label),
		probability: q.probability[:0], scores: q.scores[:0], given: q.given[:0],
	}
}

const (
	inferHint = `send {"inputs": [{"name": "text", "datatype": "BYTES", "shape": [1], "data": ["…"]}]}`
	// headerLength is the header with the length of the JSON in a body with binary tensors.
	headerLength = "Inference-Header-Content-Length"
	// maxOutputs is the largest number of outputs that may be asked for.
	maxOutputs = 16
	// maxScores is the largest number of scores of an answer: 4 MiB.
	maxScores = 1 << 20
)

// parse reads the JSON of a request, and the tensors as bytes after it. Members that the protocol does not have are ignored, as it
// asks of servers: KServe's client sends model_name. null counts as absent.
func (q *inferRequest) parse(body, tail []byte, check func(text string, before int) error) *problem {
	s := strictjson.New(background, body, strictjson.Options{What: "body"})
	err := object(s, func(name string) (err error) {
		if absent, err := null(s); absent || err != nil {
			return err
		}
		switch name {
		case "id":
			q.id, err = s.String(name)
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
			q.asked = true
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
	return object(s, func(name string) error {
		if absent, err := null(s); absent || err != nil {
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
func (q *inferRequest) input(s *strictjson.Scanner, tail []byte, check func(text string, before int) error) ([]byte, error) {
	var shape []int
	var hasName, hasShape, hasType, hasData bool
	size := -1
	err := object(s, func(name string) (err error) {
		if absent, err := null(s); absent || err != nil {
			return err
		}
		switch name {
		case "name":
			hasName = true
			var input string
			if input, err = s.String(name); err == nil && input != textTensor {
				err = s.Errorf("there is no input %s, only text", strictjson.Quote(input))
			}
		case "datatype":
			hasType = true
			var datatype string
			if datatype, err = s.String(name); err == nil && datatype != "BYTES" {
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

func (q *inferRequest) text(s *strictjson.Scanner, check func(text string, before int) error) error {
	t, err := s.String("text")
	if err == nil {
		err = check(t, len(q.texts))
	}
	q.texts = append(q.texts, t)
	return err
}

// binaryTexts reads a tensor of bytes: for each text its length in four bytes, the lowest first, and the text.
func (q *inferRequest) binaryTexts(b []byte, check func(text string, before int) error) error {
	for at := 0; at < len(b); {
		if len(b)-at < 4 {
			return fmt.Errorf("byte %d of the tensor: the length of a text has four bytes", at)
		}
		n := binary.LittleEndian.Uint32(b[at:])
		at += 4
		if uint64(n) > uint64(len(b)-at) {
			return fmt.Errorf("byte %d of the tensor: a text of %d bytes, of which %d are there", at, n, len(b)-at)
		}
		word := b[at : at+int(n)]
		at += int(n)
		if !utf8.Valid(word) {
			return fmt.Errorf("text %d is not UTF-8", len(q.texts))
		}
		t := string(word)
		if err := check(t, len(q.texts)); err != nil {
			return err
		}
		q.texts = append(q.texts, t)
	}
	return nil
}

// output reads an output that is asked for.
func (q *inferRequest) output(s *strictjson.Scanner) error {
	if len(q.outputs) == maxOutputs {
		return s.Errorf("there are more than %d outputs", maxOutputs)
	}
	o := output{}
	hasBinary := false
	err := object(s, func(name string) (err error) {
		if absent, err := null(s); absent || err != nil {
			return err
		}
		switch name {
		case "name":
			o.name, err = s.String(name)
		case "parameters":
			err = parameters(s, func(name string) (known bool, err error) {
				switch name {
				case "binary_data":
					hasBinary = true
					o.binary, err = boolean(s, name)
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
	for _, other := range q.outputs {
		if other.name == o.name {
			return s.Errorf("the output %s is asked for twice", strictjson.Quote(o.name))
		}
	}
	if !hasBinary {
		o.datatype = unsaid // allBinary may come later
	}
	q.outputs = append(q.outputs, o)
	return nil
}

// unsaid marks an output that does not say whether it is to be bytes.
const unsaid = "unsaid"

// resolve fills in the outputs that the classifier gives.
func (q *inferRequest) resolve(m *served) *problem {
	known := outputsOf(m)
	if !q.asked || len(q.outputs) == 0 {
		q.outputs = append(q.outputs[:0], known...)
		for i := range q.outputs {
			q.outputs[i].binary = q.allBinary
		}
	} else {
	next:
		for i, o := range q.outputs {
			for _, k := range known {
				if k.name == o.name {
					k.binary = o.binary || o.datatype == unsaid && q.allBinary
					q.outputs[i] = k
					continue next
				}
			}
			return badRequest("no_such_output", "GET /v2/models/"+m.Name+" has the outputs", "the model %s has no output %s", m.Name, strictjson.Quote(o.name))
		}
	}
	for _, o := range q.outputs {
		if o.each && o.perClass && len(q.texts) > maxScores/len(m.classes) {
			return tooLarge("too_many_scores", "ask for label and probability alone, or send fewer texts", "the answer would have more than %d scores", maxScores)
		}
	}
	return nil
}

// wants returns whether an output is asked for.
func (q *inferRequest) wants(name string) bool {
	for _, o := range q.outputs {
		if o.name == name {
			return true
		}
	}
	return false
}

func (c *call) serveInfer(m *served) *problem {
	if p := c.readBody(); p != nil {
		return p
	}
	if p := c.begin(); p != nil {
		return p
	}
	defer c.end()
	body, tail := c.body, []byte(nil)
	if list := c.r.Header[headerLength]; len(list) > 0 {
		n, err := strconv.ParseUint(list[0], 10, 64)
		if err != nil || len(list) > 1 || n > uint64(len(body)) {
			return badRequest("malformed", "it is the length of the JSON at the beginning of the body", headerLength+" is no number from 0 to the %d bytes of the body", len(body))
		}
		body, tail = body[:n], body[n:]
	}
	q := &c.infer
	if p := q.parse(body, tail, c.checkText); p != nil {
		return p
	}
	if p := q.resolve(m); p != nil {
		return p
	}
	scores, given := q.wants(scoresTensor), q.wants(givenTensor)
	for _, text := range q.texts {
		if p := c.canceled(); p != nil {
			return p
		}
		m.classify(&c.result, text)
		q.label = append(q.label, c.result.Label)
		q.probability = append(q.probability, c.result.Probability)
		if scores {
			q.scores = append(q.scores, c.result.Scores...)
		}
		if given {
			q.given = appendGiven(q.given, m, c.result.Labels)
		}
	}
	m.texts.Add(float64(len(q.texts)))
	c.writeInferred(m)
	return nil
}

// appendGiven appends for each class whether it is among labels, which are in the order of classes.
func appendGiven(given []bool, m *served, labels []string) []bool {
	for _, name := range m.classes {
		is := len(labels) > 0 && labels[0] == name
		if is {
			labels = labels[1:]
		}
		given = append(given, is)
	}
	return given
}

// writeInferred writes the answer: JSON, and after it the outputs that are wanted as bytes.
func (c *call) writeInferred(m *served) {
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
		if o.binary {
			b = append(b, `,"parameters":{"binary_data_size":`...)
			b = strconv.AppendInt(b, int64(q.binarySize(m, o.name)), 10)
			b = append(b, '}')
		} else {
			b = append(b, `,"data":[`...)
			c.out = b
			c.appendData(m, o.name, !anyBinary)
			b = append(c.out, ']')
		}
		b = append(b, '}')
	}
	b = append(b, "]}"...)
	if anyBinary {
		h := c.w.Header()
		setJSON(h)
		h["Content-Type"] = []string{"application/octet-stream"}
		h.Set(headerLength, strconv.Itoa(len(b)))
		c.wrote = true
		for _, o := range q.outputs {
			if o.binary {
				b = q.appendBinary(b, m, o.name)
			}
		}
	}
	c.out = b
	c.flush()
}

// appendData appends the values of an output as JSON. flush allows it to send what there is in between.
func (c *call) appendData(m *served, name string, flush bool) {
	q := &c.infer
	b := c.out
	element := func(i int) {
		if flush && len(b) >= flushBytes {
			c.out = b
			c.flush()
			b = c.out
		}
		if i > 0 {
			b = append(b, ',')
		}
	}
	switch name {
	case labelTensor:
		for i, l := range q.label {
			element(i)
			b = append(b, m.names[l].quoted...)
		}
	case classesTensor:
		for i, quoted := range m.quoted {
			element(i)
			b = append(b, quoted...)
		}
	case probabilityTensor, scoresTensor:
		values := q.probability
		if name == scoresTensor {
			values = q.scores
		}
		for i, v := range values {
			element(i)
			b = appendFloat(b, v)
		}
	case givenTensor:
		for i, v := range q.given {
			element(i)
			b = strconv.AppendBool(b, v)
		}
	}
	c.out = b
}

// binarySize is the size of an output as bytes.
func (q *inferRequest) binarySize(m *served, name string) (n int) {
	switch name {
	case labelTensor:
		for _, l := range q.label {
			n += 4 + len(l)
		}
	case classesTensor:
		for _, l := range m.classes {
			n += 4 + len(l)
		}
	case probabilityTensor:
		n = 4 * len(q.probability)
	case scoresTensor:
		n = 4 * len(q.scores)
	case givenTensor:
		n = len(q.given)
	}
	return n
}

// appendBinary appends an output as bytes, the lowest of a number first.
func (q *inferRequest) appendBinary(b []byte, m *served, name string) []byte {
	list, values := q.label, q.probability
	if name == classesTensor {
		list = m.classes
	}
	if name == scoresTensor {
		values = q.scores
	}
	switch name {
	case labelTensor, classesTensor:
		for _, l := range list {
			b = binary.LittleEndian.AppendUint32(b, uint32(len(l)))
			b = append(b, l...)
		}
	case probabilityTensor, scoresTensor:
		for _, v := range values {
			b = binary.LittleEndian.AppendUint32(b, math.Float32bits(v))
		}
	case givenTensor:
		for _, v := range q.given {
			if v {
				b = append(b, 1)
			} else {
				b = append(b, 0)
			}
		}
	}
	return b
}

// serveServerMetadata answers GET /v2.
func (c *call) serveServerMetadata() *problem {
	c.out = append(c.out[:0], `{"name":"linnet","version":`...)
	c.out = appendString(c.out, c.h.o.Version)
	c.out = append(c.out, `,"extensions":["binary_tensor_data"]}`+"\n"...)
	c.flush()
	return nil
}

// serveModelMetadata answers GET /v2/models/NAME.
func (c *call) serveModelMetadata(m *served) *problem {
	var b strings.Builder
	fmt.Fprintf(&b, `{"name":"%s","versions":["%s"],"platform":"linnet_classifier","inputs":[{"name":"%s","datatype":"BYTES","shape":[-1]}],"outputs":[`, m.Name, m.Version, textTensor)
	for i, o := range outputsOf(m) {
		if i > 0 {
			b.WriteByte(',')
		}
		shape := "-1"
		switch {
		case o.each && o.perClass:
			shape = fmt.Sprintf("-1,%d", len(m.classes))
		case o.perClass:
			shape = strconv.Itoa(len(m.classes))
		}
		fmt.Fprintf(&b, `{"name":"%s","datatype":"%s","shape":[%s]}`, o.name, o.datatype, shape)
	}
	return c.answer(b.String() + "]}")
}

// serveModels answers GET /v1/models.
func (c *call) serveModels() *problem {
	b := append(c.out[:0], `{"models":[`...)
	for i, name := range c.h.order {
		m := c.h.models[name].Load()
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, `{"name":"`+m.Name+`","version":"`+m.Version+`","several_labels":`...)
		b = strconv.AppendBool(b, m.several)
		b = append(b, `,"classes":[`...)
		for k, quoted := range m.quoted {
			if k > 0 {
				b = append(b, ',')
			}
			b = append(b, quoted...)
		}
		b = append(b, "]}"...)
	}
	c.out = append(b, "]}\n"...)
	c.flush()
	return nil
}

var _ http.Handler = (*Handler)(nil)
