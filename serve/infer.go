package serve

import (
	"slices"
	"strconv"

	"github.com/linnet-ml/linnet/internal/strictjson"
)

const (
	inferHint = `send {"inputs": [{"name": "text", "datatype": "BYTES", "shape": [1], "data": ["…"]}]}`
	// headerLength is the header with the length of the JSON in a body with binary tensors.
	headerLength = "Inference-Header-Content-Length"
	// maxOutputs is the largest number of outputs that may be asked for.
	maxOutputs = 16
	// maxScores is the largest number of scores of an answer: 4 MiB.
	maxScores = 1 << 20
)

// serveInfer answers POST /v2/models/NAME/infer.
func (c *call) serveInfer(m *served) *problem {
	if p := c.readBody(); p != nil {
		return p
	}
	if p := c.begin(len(c.body) > heavyBody); p != nil {
		return p
	}
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
	if p := c.reserveScores(m, scores, given); p != nil {
		return p
	}
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
	m.classified(q.texts)
	return c.writeInferred(m)
}

// resolve fills in the outputs that the classifier gives.
func (q *inferRequest) resolve(m *served) *problem {
	if len(q.asked) == 0 {
		q.outputs = append(q.outputs[:0], m.outputs...)
		for i := range q.outputs {
			q.outputs[i].binary = q.allBinary
		}
	}
	for _, asked := range q.asked {
		k := slices.IndexFunc(m.outputs, func(o output) bool { return o.name == asked.name })
		if k < 0 {
			return badRequest("no_such_output", "GET /v2/models/"+m.Name+" has the outputs", "the model %s has no output %s", m.Name, strictjson.Quote(asked.name))
		}
		o := m.outputs[k]
		o.binary = q.allBinary
		if asked.binary != nil {
			o.binary = *asked.binary
		}
		q.outputs = append(q.outputs, o)
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
	return slices.ContainsFunc(q.outputs, func(o output) bool { return o.name == name })
}

// reserveScores makes the memory for what an answer has of each text and class, and counts it.
func (c *call) reserveScores(m *served, scores, given bool) *problem {
	q := &c.infer
	n := len(q.texts) * len(m.classes)
	if !scores && !given {
		return nil
	}
	if n > heavyScores {
		if p := c.becomeHeavy(); p != nil {
			return p
		}
	}
	size := 0
	if scores {
		size += 4 * n
	}
	if given {
		size += n
	}
	if p := c.reserve(&c.reserved.scores, int64(size), freeBody); p != nil {
		return p
	}
	if scores {
		q.scores = slices.Grow(q.scores[:0], n)
	}
	if given {
		q.given = slices.Grow(q.given[:0], n)
	}
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
