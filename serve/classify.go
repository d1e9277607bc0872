package serve

import (
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/linnet-ml/linnet/classifier"
	"github.com/linnet-ml/linnet/internal/strictjson"
)

// A classifyRequest is the body of POST /v1/classify. Its strings may share the memory of the body.
type classifyRequest struct {
	model   string
	texts   []string
	batch   bool // "texts" in place of "text"
	scores  bool
	explain bool
	class   string // what is explained; "" for the label
}

func (q *classifyRequest) reset() { *q = classifyRequest{texts: forget(q.texts)} }

const classifyHint = `send {"text": "…"} or {"texts": ["…", "…"]}, and if you like "model", "scores": true, "explain": true, "class"`

// parse reads a request. check is asked about each text.
func (q *classifyRequest) parse(body []byte, check textCheck) *problem {
	s := scan(body)
	single := false
	text := func() (err error) {
		q.texts, err = readText(s, q.texts, check)
		return err
	}
	err := s.Members(func(name string) (err error) {
		switch name {
		case "text":
			single = true
			if q.batch {
				return s.Errorf("there are both text and texts")
			}
			return text()
		case "texts":
			q.batch = true
			if single {
				return s.Errorf("there are both text and texts")
			}
			return s.Array(text)
		case "model":
			q.model, err = s.Text(name)
			if err == nil && q.model == "" {
				err = s.Errorf("model is empty")
			}
		case "scores":
			q.scores, err = boolean(s, name)
		case "explain":
			q.explain, err = boolean(s, name)
		case "class":
			q.class, err = s.Text(name)
		default:
			err = s.Errorf("there is no member %s", strictjson.Quote(name))
		}
		return err
	})
	if err == nil {
		err = s.End()
	}
	switch {
	case err != nil:
		return malformed(err, classifyHint)
	case !single && !q.batch:
		return badRequest("malformed", classifyHint, "there is neither text nor texts")
	case q.class != "" && !q.explain:
		return badRequest("malformed", `send "explain": true as well`, "there is a class but nothing to explain")
	}
	return nil
}

// isJSON returns whether the type of a body is JSON, or is not given.
func isJSON(h http.Header) bool {
	list := h["Content-Type"]
	if len(list) == 0 || len(list) == 1 && list[0] == "application/json" {
		return true
	}
	kind, parameters, err := mime.ParseMediaType(list[0])
	charset, other := parameters["charset"]
	return len(list) == 1 && err == nil && kind == "application/json" && (!other || strings.EqualFold(charset, "utf-8"))
}

func (c *call) serveClassify() *problem {
	if !isJSON(c.r.Header) {
		return &problem{status: http.StatusUnsupportedMediaType, code: "content_type", message: "the Content-Type is not JSON in UTF-8", hint: "send Content-Type: application/json"}
	}
	if p := c.readBody(); p != nil {
		return p
	}
	if p := c.begin(len(c.body) > heavyBody); p != nil {
		return p
	}
	q := &c.classify
	if p := q.parse(c.body, c.checkText); p != nil {
		return p
	}
	m, p := c.h.model(q.model)
	if p != nil {
		return p
	}
	if q.explain {
		if p := c.checkExplain(m, q); p != nil {
			return p
		}
	}
	if q.explain || q.scores && len(q.texts)*len(m.classes) > heavyScores {
		if p := c.becomeHeavy(); p != nil {
			return p
		}
	}
	c.out = append(c.out[:0], m.prefix...)
	if q.batch {
		c.out = append(c.out, `,"results":[`...)
	}
	for i, text := range q.texts {
		if q.batch {
			if p := c.canceled(); p != nil {
				return p
			}
			if i > 0 {
				c.out = append(c.out, ',')
			}
			c.out = append(c.out, '{')
		} else {
			c.out = append(c.out, ',')
		}
		m.classify(&c.result, text)
		c.appendResult(m, &c.result, q.scores)
		if q.explain {
			if p := c.appendExplanation(m, text, q.class); p != nil {
				return p
			}
		}
		if q.batch {
			c.out = append(c.out, '}')
		}
		if len(c.out) >= flushBytes && i+1 < len(q.texts) {
			if p := c.flush(); p != nil {
				return p
			}
		}
	}
	if q.batch {
		c.out = append(c.out, ']')
	}
	c.out = append(c.out, '}', '\n')
	m.classified(q.texts)
	return c.finish()
}

// checkExplain checks what is the same for all texts, before anything is answered.
func (c *call) checkExplain(m *served, q *classifyRequest) *problem {
	if q.class != "" && !slices.Contains(m.classes, q.class) {
		return badRequest("no_such_class", "GET /v1/models has the classes", "the model %s has no such class", m.Name)
	}
	n := 0
	for _, t := range q.texts {
		n += len(t)
	}
	if n > c.h.o.MaxExplained {
		return tooLarge("explained_too_long", "let fewer or shorter texts be explained in a request", "the texts to explain have %d bytes; %d are allowed", n, c.h.o.MaxExplained)
	}
	return nil
}

// appendResult appends the members of a result.
func (c *call) appendResult(m *served, r *classifier.Result, scores bool) {
	b := append(c.out, `"label":`...)
	b = append(b, m.byLabel[r.Label].quoted...)
	b = append(b, `,"probability":`...)
	b = appendFloat(b, r.Probability)
	if m.multiLabel {
		b = append(b, `,"labels":[`...)
		for i, l := range r.Labels {
			if i > 0 {
				b = append(b, ',')
			}
			b = append(b, m.byLabel[l].quoted...)
		}
		b = append(b, ']')
	}
	if scores {
		b = append(b, `,"scores":{`...)
		for k, p := range r.Scores {
			if k > 0 {
				b = append(b, ',')
			}
			b = append(b, m.quoted[k]...)
			b = append(b, ':')
			b = appendFloat(b, p)
		}
		b = append(b, '}')
	}
	c.out = b
}

// appendExplanation appends the member with the explanation of a class.
func (c *call) appendExplanation(m *served, text, class string) *problem {
	e, err := m.Classifier.Explain(text, class)
	if err != nil {
		c.h.o.Log.Error("a text cannot be explained", "model", m.Name, "error", err)
		return internal()
	}
	b := append(c.out, `,"explanation":{"class":`...)
	b = append(b, m.byLabel[e.Class].quoted...)
	b = append(b, `,"score":`...)
	b = appendFloat(b, e.Logit)
	b = append(b, `,"base":`...)
	b = appendFloat(b, e.Base)
	b = append(b, `,"approximate":`...)
	b = strconv.AppendBool(b, e.Approximate)
	b = append(b, `,"tokens":[`...)
	for i, t := range e.Tokens {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, `{"text":`...)
		b = appendString(b, text[t.Start:t.End])
		b = append(b, `,"start":`...)
		b = strconv.AppendInt(b, int64(t.Start), 10)
		b = append(b, `,"end":`...)
		b = strconv.AppendInt(b, int64(t.End), 10)
		b = append(b, `,"contribution":`...)
		b = appendFloat(b, t.Contribution)
		b = append(b, '}')
	}
	c.out = append(b, "]}"...)
	return nil
}
