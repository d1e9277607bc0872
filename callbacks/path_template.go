package callbacks

import (
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/linnet-ml/linnet/internal/atomicfile"
)

// pathTemplate is a path with fields in braces, a part of Python's str.format: "{epoch:02d}-{val_loss:.2f}".
type pathTemplate struct {
	text   string
	fields []pathField
	tail   string // after the last field
}

// pathField is a field, and the text before it.
type pathField struct {
	before    string
	name      string
	zeros     bool // fill with zeros, not spaces
	width     int
	precision int  // -1 when there is none
	verb      byte // d, e, f, g, or 0 when there is none
}

// widest bounds widths and precisions: no path has longer ones.
const widest = 100

// parsePath reads a template.
func parsePath(text string) (pathTemplate, error) {
	p := pathTemplate{text: text}
	var before strings.Builder
	fail := func(why string) (pathTemplate, error) {
		return p, fmt.Errorf("the Path %q: %s", text, why)
	}
	for rest := text; rest != ""; {
		at := strings.IndexAny(rest, "{}")
		if at < 0 {
			before.WriteString(rest)
			break
		}
		before.WriteString(rest[:at])
		brace := rest[at]
		rest = rest[at+1:]
		if rest != "" && rest[0] == brace { // doubled
			before.WriteByte(brace)
			rest = rest[1:]
			continue
		}
		if brace == '}' {
			return fail("a closing brace has no opening one; write }} for a brace")
		}
		end := strings.IndexAny(rest, "{}")
		if end < 0 || rest[end] == '{' {
			return fail("a field has no closing brace; write {{ for a brace")
		}
		f, err := parseField(rest[:end])
		if err != nil {
			return fail(err.Error())
		}
		f.before = before.String()
		p.fields = append(p.fields, f)
		before.Reset()
		rest = rest[end+1:]
	}
	p.tail = before.String()
	return p, nil
}

// parseField reads what stands between braces: name, or name:[0][width][.precision][letter].
func parseField(text string) (pathField, error) {
	name, format, _ := strings.Cut(text, ":")
	f := pathField{name: name, precision: -1}
	if name == "" {
		return f, errors.New("a field has no name")
	}
	bad := fmt.Errorf("the field %q has the format %q; known are a width, a precision and one of d, e, f, g, as in 02d and .2f", name, format)
	rest, zeros := strings.CutPrefix(format, "0")
	f.zeros = zeros
	size := func(digits string) (int, bool) {
		n, err := strconv.Atoi(digits)
		return n, err == nil && n <= widest
	}
	digits := rest[:len(rest)-len(strings.TrimLeft(rest, "0123456789"))]
	rest = rest[len(digits):]
	ok := true
	if digits != "" {
		if f.width, ok = size(digits); !ok {
			return f, bad
		}
	}
	if after, has := strings.CutPrefix(rest, "."); has {
		digits := after[:len(after)-len(strings.TrimLeft(after, "0123456789"))]
		if f.precision, ok = size(digits); !ok {
			return f, bad
		}
		rest = after[len(digits):]
	}
	switch {
	case rest == "" && f.precision < 0:
	case len(rest) == 1 && strings.Contains("efg", rest), rest == "d" && f.precision < 0:
		f.verb = rest[0]
	default:
		return f, bad
	}
	return f, nil
}

// folder is what precedes the first field, up to a separator; files is whether files go right there. The path has fields.
func (p *pathTemplate) folder() (folder string, files bool) {
	after := p.tail
	for _, f := range p.fields[1:] {
		after += f.before
	}
	for i := range len(after) {
		if os.IsPathSeparator(after[i]) {
			return filepath.Dir(p.fields[0].before + "x"), false
		}
	}
	return filepath.Dir(p.fields[0].before + "x"), true
}

// check makes the folder where there is none, and returns an error if files cannot be written there. Of a path with fields it
// checks what precedes them.
func (p *pathTemplate) check() error {
	if len(p.fields) == 0 {
		return checkPath(p.tail)
	}
	folder, files := p.folder()
	if err := os.MkdirAll(folder, 0o777); err != nil || !files {
		return err
	}
	return atomicfile.CheckFolder(folder)
}

// checkPath makes the folder of a file where there is none, and returns an error if the file cannot be written.
func checkPath(path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return err
	}
	return atomicfile.Check(path)
}

// of fills the fields in.
func (p *pathTemplate) of(c *checkpoint) (string, error) {
	var b []byte
	for _, f := range p.fields {
		b = append(b, f.before...)
		var text string
		v, logged := c.Logs[f.name]
		whole := true
		switch {
		case f.name == "epoch":
			v = number(c.Epoch)
		case f.name == "batch" && c.Batch > 0:
			v = number(c.Batch)
		case logged:
			whole = false
		default:
			return "", fmt.Errorf("the Path %q has a field %q, which is not logged", p.text, f.name)
		}
		switch {
		case f.verb == 'd' && !whole:
			return "", fmt.Errorf("the Path %q has a field %q with the format of a whole number, d", p.text, f.name)
		case whole && (f.verb == 0 || f.verb == 'd'):
			text = strconv.Itoa(int(v))
		case f.verb == 0:
			text = repr(float64(v))
		default:
			text = formatted(float64(v), f.verb, f.precision)
		}
		b = append(b, f.filled(text)...)
	}
	return string(append(b, p.tail...)), nil
}

// formatted writes a number as Python does for a letter and a precision.
func formatted(v float64, verb byte, precision int) string {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return repr(v)
	}
	if precision < 0 {
		precision = 6
	}
	return strconv.FormatFloat(v, verb, precision, 64)
}

// filled brings a number to the width of the field.
func (f *pathField) filled(text string) string {
	missing := f.width - len(text)
	switch {
	case missing <= 0:
		return text
	case !f.zeros:
		return strings.Repeat(" ", missing) + text
	case text[0] == '-':
		return "-" + strings.Repeat("0", missing) + text[1:]
	}
	return strings.Repeat("0", missing) + text
}
