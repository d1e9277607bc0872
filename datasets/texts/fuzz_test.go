package texts

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/csv"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"unicode"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/linnet-ml/linnet/internal/boundary"
)

// checked reads content as a stream and holds what must be true of any rows. It returns them, errors as texts.
func checked(t *testing.T, r io.Reader, o Options) (rows []Row, errs []string, found Found) {
	t.Helper()
	o.Stdin = r
	s, err := Open(context.Background(), "-", o)
	if err != nil {
		return nil, []string{printed(t, err)}, Found{}
	}
	line := 0
	var last error
	for row, err := range s.Rows(context.Background()) {
		if last != nil {
			t.Fatalf("after %v comes more", last)
		}
		bad := (*RowError)(nil)
		switch {
		case errors.As(err, &bad):
			errs = append(errs, printed(t, err))
			if bad.Line < 1 || bad.Column < 0 || bad.File != "stdin" {
				t.Fatalf("the place %s:%d:%d", bad.File, bad.Line, bad.Column)
			}
			continue
		case err != nil:
			errs = append(errs, printed(t, err))
			last = err
			continue
		}
		if row.Line < line || row.Line < 1 {
			t.Fatalf("line %d after %d", row.Line, line)
		}
		line = row.Line
		for _, s := range append([]string{row.Text}, row.Labels...) {
			if !utf8.ValidString(s) || strings.Contains(s, "\x00") || o.MaxText > 0 && len(s) > o.MaxText {
				t.Fatalf("the text or label %q", s)
			}
		}
		if len(row.Labels) > 0 && !row.HasLabels {
			t.Fatalf("labels %q and HasLabels false", row.Labels)
		}
		rows = append(rows, row)
	}
	return rows, errs, s.Found()
}

// printed is the text of an error, which a terminal must be able to take.
func printed(t *testing.T, err error) string {
	t.Helper()
	s := err.Error()
	// U+FFFD itself may stand in a text.
	if !utf8.ValidString(s) || strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }) {
		t.Fatalf("the error %q", s)
	}
	if len(s) > 4000 {
		t.Fatalf("an error of %d bytes: %s", len(s), s[:200])
	}
	return s
}

// same reads content in one piece and byte by byte, and demands the same rows.
func same(t *testing.T, content []byte, o Options) (rows []Row, errs []string) {
	t.Helper()
	rows, errs, found := checked(t, bytes.NewReader(content), o)
	rows2, errs2, found2 := checked(t, iotest.OneByteReader(bytes.NewReader(content)), o)
	if len(errs) > 0 { // rows may have ended before the character that tells the encoding
		found2.Encoding = found.Encoding
	}
	if !reflect.DeepEqual(rows, rows2) || !slices.Equal(errs, errs2) || !reflect.DeepEqual(found, found2) {
		t.Fatalf("%q comes in pieces: %s", content, cmp.Diff(rows, rows2)+cmp.Diff(errs, errs2)+cmp.Diff(found, found2))
	}
	return rows, errs
}

// most is small, so that rows over the limit are common.
const most = 48

func FuzzCSV(f *testing.F) {
	for _, s := range []string{
		"text,label\na,b\n", "a,b\r\n\"x\ny\",\"\"\"\"\r\n", "\"", "\"\"", "\"\"\"", ",", "\n", "\r", "\r\n", "a,\"b", "a\r\rb,c\n", "\"a\"b,c\n", "text\tlabel\n\"a\tb\n",
		strings.Repeat("x", most) + "\n", strings.Repeat("x", most+1) + "\n", "\"" + strings.Repeat("x", most-2) + "\"\n", "\"" + strings.Repeat("\r\n", most) + "\",b\nc,d\n",
		strings.Repeat(",", most+5), "a,b\n" + strings.Repeat("\n", most+2) + "c,d", "\xEF\xBB\xBFa;b\n\xE4;c", "a|b\n\x00|c\n", strings.Repeat("x", most) + "\r\n,a", "\"" + strings.Repeat("x", most) + "\"",
	} {
		f.Add([]byte(s), byte(','))
		f.Add([]byte(s), byte('\t'))
	}
	f.Fuzz(func(t *testing.T, content []byte, delimiter byte) {
		o := Options{Format: CSV, Delimiter: rune(delimiter), MaxText: most, Text: "1", LabelsOptional: true}
		if o.check() != nil {
			return
		}
		same(t, content, o)
		same(t, content, Options{Format: CSV, MaxText: most, LabelSeparator: ";"})
		// What encoding/csv reads without an error is read the same.
		if bytes.Contains(bytes.ReplaceAll(content, []byte("\r\n"), nil), []byte("\r")) {
			return
		}
		std := csv.NewReader(bytes.NewReader(content))
		std.Comma, std.FieldsPerRecord = rune(delimiter), -1
		want, err := std.ReadAll()
		if err != nil {
			return
		}
		for _, r := range []io.Reader{bytes.NewReader(content), iotest.OneByteReader(bytes.NewReader(content))} {
			c := csvReader{w: newWindow(r, 1<<20), delimiter: delimiter, quotes: true}
			c.w.returns = true
			var got [][]string
			for {
				n, bad, err := c.next()
				if err == io.EOF {
					break
				}
				if err != nil || bad != nil {
					t.Fatalf("%q: %v %v", content, bad, err)
				}
				var record []string
				for _, f := range c.fields {
					v, _ := c.value(f, nil)
					record = append(record, string(v))
				}
				got = append(got, record)
				c.w.advance(n)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Fatalf("%q: %s", content, diff)
			}
			if got, want := c.w.line, 1+bytes.Count(content, []byte("\n")); got != want {
				t.Fatalf("%q: at line %d, want %d", content, got, want)
			}
		}
	})
}

var jsonSeeds = []string{
	`{"text": "a", "label": "b"}`, `{"text": "a", "labels": ["b", 1, true, -0.5e+10]}`, `{"text": "\ud83d\ude00\ud83d \u0000\"\\\/\b\f\n\r\t", "label": null}`,
	`{}`, `{`, `}`, `[`, `]`, `{"`, `{"a"`, `{"a":`, `{"a":1`, `{"a":1,`, `{"a":01}`, `{"a":-}`, `{"a":1.}`, `{"a":1e}`, `{"a":[1,]}`, `{"a":[}`, `{"a":{"b":[{}]}} `,
	`{"text": "` + strings.Repeat("x", most-12) + `"}`, `{"text": "` + strings.Repeat("x", most-11) + `"}`, `{"text":` + strings.Repeat("[", most), `{"a":"\`, `{"a":"\u12`, `{"text": 1e400}`, `{"text": "a", "label": "\u0000"}`, `{"text": "a", "labels": ["b\u0000"]}`, `{"a":tru}`, "{\"a\":\"\xFF\"}", "\x00",
}

func FuzzJSONLines(f *testing.F) {
	for _, s := range jsonSeeds {
		f.Add([]byte(s))
		f.Add([]byte(`{"text": "x", "label": "y"}` + "\r\n\n" + s + "\n" + s))
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		same(t, content, Options{Format: JSONLines, MaxText: most})
		same(t, content, Options{Format: JSONLines, Text: "text", LabelsOptional: true, MaxText: most})
		// What encoding/json takes for an object is one, with the same strings.
		var j jsonParser
		var members []jsonMember
		bad := j.object(content, func(m jsonMember) bool {
			members = append(members, m)
			return true
		})
		object := json.Valid(content) && bytes.HasPrefix(bytes.TrimLeft(content, " \t\r\n"), []byte("{"))
		if (bad == nil) != object {
			t.Fatalf("%q: %v, encoding/json says %v", content, bad, object)
		}
		if bad != nil && (bad.at < 0 || bad.at > len(content)) {
			t.Fatalf("%q: a fault at %d", content, bad.at)
		}
		if bad != nil || !utf8.Valid(content) {
			return
		}
		var want map[string]any
		if err := json.Unmarshal(content, &want); err != nil {
			return // a number that float64 cannot hold
		}
		got := map[string]int{}
		for i, m := range members {
			name, _ := j.content(m.key, m.escapedKey, nil)
			got[string(name)] = i // the last one counts in encoding/json
		}
		if len(got) != len(want) {
			t.Fatalf("%q: fields %v", content, got)
		}
		for name, value := range want {
			i, ok := got[name]
			if !ok {
				t.Fatalf("%q: no field %q", content, name)
			}
			m := members[i]
			s, isString := value.(string)
			if isString != (m.kind == jsonString) {
				t.Fatalf("%q: %q is %v", content, name, m.kind)
			}
			if isString {
				if c, _ := j.content(m.value, m.escaped, nil); string(c) != s {
					t.Fatalf("%q: %q is %q, want %q", content, name, c, s)
				}
			}
		}
	})
}

func FuzzJSON(f *testing.F) {
	for _, s := range jsonSeeds {
		f.Add([]byte("[" + s + "]"))
		f.Add([]byte(`[{"text": "x", "label": "y"},` + "\n" + s + "," + s))
	}
	for _, s := range []string{"[,]", "[{},]", "[[],{}]x", "[1 2]", `["a]", {"text":"]"}]`, "[\"\\"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		same(t, content, Options{Format: JSON, MaxText: most})
		// A valid array of objects has as many rows, good or bad.
		var want []map[string]any
		if len(content) > 0 && json.Unmarshal(content, &want) == nil && json.Valid(content) && len(want) > 0 && bytes.HasPrefix(bytes.TrimSpace(content), []byte("[")) {
			a := jsonArray{w: newWindow(iotest.OneByteReader(bytes.NewReader(content)), 1<<20)}
			n := 0
			for ; ; n++ {
				k, bad, err := a.next()
				if err == io.EOF {
					break
				}
				if bad != nil || err != nil {
					t.Fatalf("%q: %v %v", content, bad, err)
				}
				var v any
				if err := json.Unmarshal(a.w.bytes()[:k], &v); err != nil {
					t.Fatalf("%q: the element %q", content, a.w.bytes()[:k])
				}
				a.w.advance(k)
			}
			if n != len(want) {
				t.Fatalf("%q: %d elements", content, n)
			}
		}
	})
}

func FuzzFastText(f *testing.F) {
	for _, s := range []string{
		"__label__a b\n", "__label__", "__label__ ", "x __label__a __label__b\ty", "__label____label__a x", "a__label__b", "\n\n", "__label__a\r\n", "__label__a b__label__c __label__d",
		"__label__" + strings.Repeat("x", most-9) + "\n", "__label__" + strings.Repeat("x", most-8) + "\nx", "__label__a \xE4", "__label__a\x00b",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		same(t, content, Options{Format: FastText, MaxText: most})
		rows, errs := same(t, content, Options{Format: Lines, MaxText: most})
		if len(content) > 0 && len(errs) == 0 && utf8.Valid(content) && content[0] != 0xEF {
			var text []string
			for _, r := range rows {
				text = append(text, r.Text)
			}
			if got, want := strings.Join(text, "\n"), strings.TrimSuffix(strings.ReplaceAll(string(content), "\r\n", "\n"), "\n"); got != strings.TrimSuffix(want, "\r") && got != want {
				t.Fatalf("%q: %q", content, text)
			}
		}
	})
}

// Any bytes as any file: formats, packed data and encodings are found. A file has the rows of a stream, unless the two
// decide differently on its encoding.
func FuzzOpen(f *testing.F) {
	add := func(s string) {
		for option := range byte(8) {
			f.Add([]byte(s), option)
		}
	}
	for _, s := range []string{
		"", " ", "\xEF\xBB\xBF", "\xFF\xFE", "\xFE\xFF\x00", "\xFF\xFEa\x00\x00\xD8", "\xFE\xFF\xD8\x3D\xDE\x00\x00,\x00a", "text,label\ncaf\xE9,b\n", "text;label\nä;b\n\xE4;c\n", "a\x81,b",
		"__label__a b\n", `{"text": "a", "label": 1}`, `[{"text": "a", "label": 1}]`, "pos\tgood film\nneg\tbad film\npos\tfine\nneg\tno", "phrase;mood\na long sentence of words;happy\nanother sentence of words;sad\nmore words than before;happy\nthe last sentence of them;sad\n",
		gzipped("text,label\na,b\n"), gzipped("text,label\na,b\n", "c,d\n"), gzipped("text,label\na,b\n")[:30], zstdOf("text,label\na,b\n"), zstdOf("text,label\na,b\n")[:15], "\x50\x2a\x4d\x18\xff\xff\xff\xff",
		"\x28\xb5\x2f\xfd\x00\xf8\x01\x00\x00", "PAR1", "PK\x03\x04", "BZh", "\x50", "\x50\x2a\x4d",
	} {
		add(s)
	}
	for changed := range boundary.Zstd([]byte("text,label\na,b\n")) {
		f.Add(changed, byte(0))
	}
	packed := []byte(gzipped("text,label\na,b\n"))
	for changed := range boundary.Words(packed, 4, len(packed)-4) { // the size at its end
		f.Add(changed, byte(0))
	}
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, content []byte, option byte) {
		o := Options{MaxText: most, LabelsOptional: option&1 != 0}
		o.Encoding = []string{"", "utf-8", "utf-16le", "windows-1252"}[option>>1&3]
		rows, errs := same(t, content, o)
		path := filepath.Join(dir, "x")
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		s, err := Open(context.Background(), path, o)
		if err != nil {
			printed(t, err)
			return
		}
		if o.Encoding == "" && !utf8.Valid(content) {
			for range s.Rows(context.Background()) {
			}
			return
		}
		var rows2 []Row
		for row, err := range s.Rows(context.Background()) {
			if err == nil {
				row.File = "stdin"
				rows2 = append(rows2, row)
			}
		}
		if diff := cmp.Diff(rows, rows2); diff != "" {
			t.Fatalf("%q: the stream (%q) and the file differ: %s", content, errs, diff)
		}
	})
}

// Decoders: UTF-16 and Windows-1252 come out the same whatever the size of the pieces, and what is valid comes back.
func FuzzDecode(f *testing.F) {
	for _, s := range []string{"", "a", "ä€😀", "\xE4", "a\xE4\x80", "\x00\xD8\x00\xDC", "\x00\xD8", "\x00\xDC\x00\xD8x", strings.Repeat("€", 50)} {
		f.Add([]byte(s), 16)
		f.Add([]byte(s), 17)
	}
	f.Fuzz(func(t *testing.T, content []byte, size int) {
		size = max(4*utf8.UTFMax, size%100)
		read := func(r io.Reader) (out []byte) {
			p := make([]byte, size)
			for {
				n, err := r.Read(p)
				if out = append(out, p[:n]...); err == io.EOF {
					return out
				}
			}
		}
		var sc scan
		whole := scan{}
		whole.add(content, true)
		for rest, k := content, 1; ; {
			k = min(max(k, 1), len(rest))
			n := sc.add(rest[:k], k == len(rest))
			if rest = rest[n:]; len(rest) == 0 {
				break
			}
			if k = 1; n == 0 {
				k = utf8.UTFMax
			}
		}
		if sc != whole {
			t.Fatalf("%q: %v in pieces, %v whole", content, sc, whole)
		}
		if utf8.Valid(content) && whole.characters != int64(utf8.RuneCount(content)-countASCII(content)) {
			t.Fatalf("%q: %v", content, whole)
		}
		for _, encoding := range []string{utf16leName, utf16beName, ansiName} {
			in := func(r io.Reader) io.Reader {
				switch encoding {
				case utf16leName:
					return &utf16Reader{r: r, order: binary.LittleEndian}
				case utf16beName:
					return &utf16Reader{r: r, order: binary.BigEndian}
				}
				return &ansiReader{r: r}
			}
			a, b := read(in(bytes.NewReader(content))), read(in(iotest.OneByteReader(bytes.NewReader(content))))
			if !bytes.Equal(a, b) {
				t.Fatalf("%q as %s: %q and %q", content, encoding, a, b)
			}
		}
		if utf8.Valid(content) {
			for order, r := range map[binary.AppendByteOrder]binary.ByteOrder{binary.LittleEndian: binary.LittleEndian, binary.BigEndian: binary.BigEndian} {
				got := read(&utf16Reader{r: strings.NewReader(utf16Of(order, string(content))), order: r})
				if !bytes.Equal(got, content) {
					t.Fatalf("%q comes back as %q", content, got)
				}
			}
		}
	})
}

func countASCII(b []byte) (n int) {
	for _, c := range b {
		if c < utf8.RuneSelf {
			n++
		}
	}
	return n
}
