package serve

import (
	"fmt"
	"strconv"
	"strings"
)

// serveServerMetadata answers GET /v2.
func (c *call) serveServerMetadata() *problem {
	c.out = append(c.out[:0], `{"name":"linnet","version":`...)
	c.out = appendString(c.out, c.h.o.Version)
	c.out = append(c.out, `,"extensions":["binary_tensor_data"]}`+"\n"...)
	return c.finish()
}

// serveModelMetadata answers GET /v2/models/NAME.
func (c *call) serveModelMetadata(m *served) *problem {
	var b strings.Builder
	fmt.Fprintf(&b, `{"name":"%s","versions":["%s"],"platform":"linnet_classifier","inputs":[{"name":"%s","datatype":"BYTES","shape":[-1]}],"outputs":[`, m.Name, m.Version, textTensor)
	for i, o := range m.outputs {
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

// serveModels answers GET /v1/models: the classifiers, and what a request may have at most.
func (c *call) serveModels() *problem {
	b := append(c.out[:0], `{"models":[`...)
	for i, name := range c.h.order {
		m := c.h.models[name].current.Load()
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, `{"name":"`+m.Name+`","version":"`+m.Version+`","several_labels":`...)
		b = strconv.AppendBool(b, m.multiLabel)
		b = append(b, `,"classes":[`...)
		for k, quoted := range m.quoted {
			if k > 0 {
				b = append(b, ',')
			}
			b = append(b, quoted...)
		}
		b = append(b, "]}"...)
	}
	o := &c.h.o
	b = fmt.Appendf(b, `],"limits":{"max_body":%d,"max_texts":%d,"max_text":%d,"max_explained":%d}}`+"\n", o.MaxBody, o.MaxTexts, o.MaxText, o.MaxExplained)
	c.out = b
	return c.finish()
}
