package texts

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"
	"time"
	"unicode/utf16"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// mustOpen opens what can be opened.
func mustOpen(t testing.TB, path string, o Options) *Source {
	t.Helper()
	s, err := Open(t.Context(), path, o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// dump reads all rows as lines "line: labels: text", with errors as they are printed.
func dump(t testing.TB, s *Source) []string {
	t.Helper()
	var out []string
	for row, err := range s.Rows(context.Background()) {
		if err != nil {
			out = append(out, "error "+err.Error())
			continue
		}
		out = append(out, fmt.Sprintf("%d: %s: %s", row.Line, joinedLabels(row), row.Text))
	}
	return out
}

func joinedLabels(row Row) string {
	if !row.HasLabels {
		return "none"
	}
	return strings.Join(row.Labels, "+")
}

// read reads content as a file, and as a stream that comes in whole and byte by byte: all must be the same. The file is x.
func read(t *testing.T, content string, o Options) (found string, rows []string, err error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "x")
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	clean := func(s string) string {
		return strings.NewReplacer(path, "x", "stdin", "x").Replace(s)
	}
	type result struct {
		found, err string
		rows       []string
	}
	var results []result
	for i := range 3 {
		from := path
		switch i {
		case 1:
			from, o.Stdin = "-", strings.NewReader(content)
		case 2:
			from, o.Stdin = "-", iotest.OneByteReader(strings.NewReader(content))
		}
		var r result
		s, err2 := Open(context.Background(), from, o)
		if err2 != nil {
			r.err = clean(err2.Error())
			err = err2
		} else {
			for _, row := range dump(t, s) {
				r.rows = append(r.rows, clean(row))
			}
			r.found = s.Found().String()
		}
		results = append(results, r)
	}
	for i, r := range results[1:] {
		if diff := cmp.Diff(results[0], r, cmp.AllowUnexported(result{})); diff != "" {
			t.Errorf("stream %d differs from the file: %s", i+1, diff)
		}
	}
	if results[0].err != "" {
		return "", nil, errors.New(results[0].err)
	}
	return results[0].found, results[0].rows, nil
}

func utf16Of(order binary.AppendByteOrder, s string) string {
	var b []byte
	for _, u := range utf16.Encode([]rune(s)) {
		b = order.AppendUint16(b, u)
	}
	return string(b)
}

func gzipped(parts ...string) string {
	var b bytes.Buffer
	for _, p := range parts {
		w := gzip.NewWriter(&b)
		io.WriteString(w, p)
		w.Close()
	}
	return b.String()
}

func zstdOf(parts ...string) string {
	var b bytes.Buffer
	for _, p := range parts {
		w, _ := zstd.NewWriter(&b)
		io.WriteString(w, p)
		w.Close()
	}
	return b.String()
}

func TestFormats(t *testing.T) {
	for name, c := range map[string]struct {
		content string
		o       Options
		found   string
		rows    string // joined with |
	}{
		"comma": {"label,text\npos,good film\nneg,bad film\n", Options{},
			`CSV with commas and a header, UTF-8; text "text", label "label" (guessed)`, "2: pos: good film|3: neg: bad film"},
		"no last newline, CRLF": {"text,label\r\ngood film,pos\r\nbad film,neg", Options{},
			`CSV with commas and a header, UTF-8; text "text", label "label" (guessed)`, "2: pos: good film|3: neg: bad film"},
		"carriage returns": {"text,label\rgood film,pos\r\rbad film,neg\r", Options{},
			`CSV with commas and a header, UTF-8; text "text", label "label" (guessed)`, "2: pos: good film|4: neg: bad film"},
		"semicolon": {"Review;Sentiment\n\"well, \"\"well\"\"\nsecond; line\";pos\nbad, very;neg\n", Options{},
			`CSV with semicolons and a header, UTF-8; text "Review", label "Sentiment" (guessed)`, "2: pos: well, \"well\"\nsecond; line|4: neg: bad, very"},
		"quoted line breaks of Windows": {"text,label\r\n\"a\r\nb\",pos\r\nc d,neg\r\n", Options{},
			`CSV with commas and a header, UTF-8; text "text", label "label" (guessed)`, "2: pos: a\nb|4: neg: c d"},
		"tab, no header": {"pos\tgood film, really\nneg\tbad film\npos\tfine\nneg\tno\n", Options{},
			`CSV with tabs, no header, UTF-8; text column 2, label column 1 (guessed)`, "1: pos: good film, really|2: neg: bad film|3: pos: fine|4: neg: no"},
		"tab, quotes are characters": {"pos\t\"good\" she said\nneg\t\"bad\npos\tfine film\nneg\tno \"film\"\n", Options{},
			`CSV with tabs, no header, quotes are characters, UTF-8; text column 2, label column 1 (guessed)`, "1: pos: \"good\" she said|2: neg: \"bad|3: pos: fine film|4: neg: no \"film\""},
		"pipe": {"text|label\ngood, film|pos\n", Options{},
			`CSV with "|" and a header, UTF-8; text "text", label "label" (guessed)`, "2: pos: good, film"},
		"other delimiter": {"text~label\ngood, film~pos\n", Options{Delimiter: '~'},
			`CSV with "~" and a header, UTF-8; text "text", label "label" (guessed)`, "2: pos: good, film"},
		"three columns by name": {"id,body,kind\n1,good film,pos\n2,bad film,neg\n", Options{Text: "body", Label: "KIND"},
			`CSV with commas and a header, UTF-8; text "body", label "kind"`, "2: pos: good film|3: neg: bad film"},
		"one of two labels": {"label,label,text\npos,1,good film\n", Options{Label: "2"},
			`CSV with commas and a header, UTF-8; text "text", label "label" (guessed)`, "2: 1: good film"},
		"TSV said to be": {"a,b\tpos\nc,d\tneg\n", Options{Format: TSV, Text: "1", Label: "2"},
			`CSV with tabs, no header, UTF-8; text column 1, label column 2`, "1: pos: a,b|2: neg: c,d"},
		"columns by number": {"1,good film,pos\n2,bad film,neg\n", Options{Text: "2", Label: "3"},
			`CSV with commas, no header, UTF-8; text column 2, label column 3`, "1: pos: good film|2: neg: bad film"},
		"obvious without names": {"3,A title,The long description of what it is about\n1,Other,One more long description of another thing\n3,A third,Yet another description that is long\n1,Fourth,The last description of some thing or other\n", Options{},
			`CSV with commas, no header, UTF-8; text column 3, label column 1 (guessed)`, ""},
		"header without usual names": {"phrase;mood\na long sentence of words;happy\nanother sentence of words;sad\nmore words than before;happy\nthe last sentence of them;sad\n", Options{},
			`CSV with semicolons and a header, UTF-8; text "phrase", label "mood" (guessed)`, ""},
		"header over short texts": {"nachricht,abteilung\nmein Paket fehlt,versand\nbitte um Rechnung,kasse\nwo ist es,versand\nFehler beim Start,technik\nGeld zurück,kasse\nApp geht nicht,technik\n", Options{},
			`CSV with commas and a header, UTF-8; text "nachricht", label "abteilung" (guessed)`, ""},
		"header longer than the texts": {"Bewertung,Klasse\ngood film,pos\nbad film,neg\nnice film,pos\npoor film,neg\nx y,pos\n", Options{},
			`CSV with commas and a header, UTF-8; text "Bewertung", label "Klasse" (guessed)`, ""},
		"a number is no header": {"Bewertung,5\ngood film,4\nbad film,1\nnice film,4\npoor film,1\nx y,4\n", Options{},
			`CSV with commas, no header, UTF-8; text column 1, label column 2 (guessed)`, ""},
		"a word among texts is no header": {"prima,gut\nsehr guter Film,gut\nnicht mein Fall,schlecht\nnoch einmal bitte,gut\nviel zu lang,schlecht\n", Options{},
			`CSV with commas, no header, UTF-8; text column 1, label column 2 (guessed)`, ""},
		"no header though a name comes": {"topic,about a film that is long\nnews,about a law that is new\ntopic,about a goal\n", Options{},
			`CSV with commas, no header, UTF-8; text column 2, label column 1 (guessed)`, ""},
		"header said not to be": {"text,label\nb,a\n", Options{Header: NoHeader, Text: "1", Label: "2"},
			`CSV with commas, no header, UTF-8; text column 1, label column 2`, "1: label: text|2: a: b"},
		"header said to be": {"x y,pos\nb,a\n", Options{Header: HasHeader, Text: "1", Label: "pos"},
			`CSV with commas and a header, UTF-8; text "x y", label "pos"`, "2: a: b"},
		"empty label and text": {"text,label\n,pos\nfilm,\n x , neg \n", Options{},
			`CSV with commas and a header, UTF-8; text "text", label "label" (guessed)`, "2: pos: |3: none: film|4: neg:  x "},
		"label separator": {"text,labels\na b,x| y |x\nc,\n", Options{LabelSeparator: "|"},
			`CSV with commas and a header, UTF-8; text "text", label "labels" (guessed)`, "2: x+y: a b|3: : c"},
		"labels optional": {"id,text\n1,good film\n2,bad film\n", Options{LabelsOptional: true},
			`CSV with commas and a header, UTF-8; text "text", no label (guessed)`, "2: none: good film|3: none: bad film"},
		"one column": {"text\ngood film\n\"bad, film\"\n", Options{LabelsOptional: true},
			`CSV of one column and a header, UTF-8; text "text", no label (guessed)`, "2: none: good film|3: none: bad, film"},
		"mark": {"\xEF\xBB\xBFtext,label\nä,pos\n", Options{},
			`CSV with commas and a header, UTF-8; text "text", label "label" (guessed)`, "2: pos: ä"},
		"UTF-16LE": {"\xFF\xFE" + utf16Of(binary.LittleEndian, "text\tlabel\nä€😀\tpos\n"), Options{},
			`CSV with tabs and a header, UTF-16LE; text "text", label "label" (guessed)`, "2: pos: ä€😀"},
		"UTF-16BE": {"\xFE\xFF" + utf16Of(binary.BigEndian, "text,label\nä€😀,pos\n"), Options{},
			`CSV with commas and a header, UTF-16BE; text "text", label "label" (guessed)`, "2: pos: ä€😀"},
		"UTF-16 without mark": {utf16Of(binary.BigEndian, "text,label\nä€😀,pos\n"), Options{Encoding: "UTF-16BE"},
			`CSV with commas and a header, UTF-16BE; text "text", label "label" (guessed)`, "2: pos: ä€😀"},
		"Windows-1252": {"text,label\nna\xEFve \x80 5 \x93so\x94,pos\n", Options{},
			`CSV with commas and a header, Windows-1252; text "text", label "label" (guessed)`, "2: pos: naïve € 5 “so”"},
		"Windows-1252 at the very end": {"text,label\nnaive caf\xE9,pos\nx,caf\xE9", Options{},
			`CSV with commas and a header, Windows-1252; text "text", label "label" (guessed)`, "2: pos: naive café|3: café: x"},
		"gzip": {gzipped("text,label\ngood film,pos\n", "bad film,neg\n"), Options{},
			`CSV with commas and a header, gzip, UTF-8; text "text", label "label" (guessed)`, "2: pos: good film|3: neg: bad film"},
		"zstd": {zstdOf("text,label\ngood film,pos\n", "bad film,neg\n"), Options{},
			`CSV with commas and a header, zstd, UTF-8; text "text", label "label" (guessed)`, "2: pos: good film|3: neg: bad film"},
		"zstd after a frame that is skipped": {"\x53\x2a\x4d\x18\x02\x00\x00\x00xx" + zstdOf("text,label\ngood film,pos\n"), Options{},
			`CSV with commas and a header, zstd, UTF-8; text "text", label "label" (guessed)`, "2: pos: good film"},
		"Windows-1252 in gzip": {gzipped("text,label\ncaf\xE9,pos\n"), Options{},
			`CSV with commas and a header, gzip, Windows-1252; text "text", label "label" (guessed)`, "2: pos: café"},

		"JSON lines": {`{"text": "good \"film\"\n\ud83d\ude00\u00e4", "label": "pos"}` + "\n\n" + `{"label": 1, "text": "x", "other": {"a": [1, {"b": null}]}}` + "\r\n" + `{"text":"y","label":true}`, Options{},
			`JSON lines, UTF-8; text "text", label "label" (guessed)`, "1: pos: good \"film\"\n😀ä|3: 1: x|4: true: y"},
		"JSON lists of labels": {`{"text": "a", "labels": ["x", "y", "x", 2]}` + "\n" + `{"text": "b", "labels": []}` + "\n" + `{"text": "c"}` + "\n" + `{"text": "d", "labels": null}`, Options{},
			`JSON lines, UTF-8; text "text", label "labels" (guessed)`, "1: x+y+2: a|2: : b|3: none: c|4: none: d"},
		"JSON by names": {`{"a": "x", "b": "y", "text": "z"}`, Options{Text: "a", Label: "B"},
			`JSON lines, UTF-8; text "a", label "b"`, "1: y: x"},
		"JSON, obvious": {`{"utter": "a long sentence", "id": 1, "mood": "x"}` + "\n" + `{"utter": "another sentence", "id": 2, "mood": "x"}` + "\n", Options{},
			`JSON lines, UTF-8; text "utter", label "mood" (guessed)`, "1: x: a long sentence|2: x: another sentence"},
		"JSON without labels": {`{"text": "a"}`, Options{LabelsOptional: true},
			`JSON lines, UTF-8; text "text", no label (guessed)`, "1: none: a"},
		"JSON array": {"\n[\n {\"text\": \"a ] } \\\" b\",\n  \"label\": 0.5e1}\n , {\"label\": \"\", \"text\": \"c\"}]\n ", Options{},
			`a JSON array, UTF-8; text "text", label "label" (guessed)`, "3: 0.5e1: a ] } \" b|5: none: c"},
		"JSON array on one line": {`[{"text":"a","label":"x"},{"text":"b","label":"y"}]`, Options{},
			`a JSON array, UTF-8; text "text", label "label" (guessed)`, "1: x: a|1: y: b"},
		"a text in brackets is no JSON": {"[LIST] well,pos\n[LIST] now,neg\n{ah} so,pos\n", Options{Text: "1", Label: "2"},
			`CSV with commas, no header, UTF-8; text column 1, label column 2`, "1: pos: [LIST] well|2: neg: [LIST] now|3: pos: {ah} so"},

		"fastText": {"__label__pos good film\n\n__label__a __label__b \t two  labels \n x__label__y no label\nat the end __label__end\n", Options{},
			`lines with fastText's labels, UTF-8`, "1: pos: good film|3: a+b: two  labels|4: none: x__label__y no label|5: end: at the end"},
		"lines": {"good film, yes\n\nbad \"film\r\nlast", Options{LabelsOptional: true},
			`lines without labels, UTF-8`, "1: none: good film, yes|2: none: |3: none: bad \"film|4: none: last"},
		"lines said to be": {"text,label\n{\"text\": 1}\n", Options{Format: Lines},
			`lines without labels, UTF-8`, "1: none: text,label|2: none: {\"text\": 1}"},
	} {
		t.Run(name, func(t *testing.T) {
			found, rows, err := read(t, c.content, c.o)
			if err != nil {
				t.Fatal(err)
			}
			if found != c.found {
				t.Errorf("found\n\t%s\nwant\n\t%s", found, c.found)
			}
			if got := strings.Join(rows, "|"); c.rows != "" && got != c.rows {
				t.Errorf("rows\n\t%q\nwant\n\t%q", got, c.rows)
			}
		})
	}
}

// What Open refuses, and in which words.
func TestOpenErrors(t *testing.T) {
	many := make([]string, 25)
	for i := range many {
		many[i] = fmt.Sprint("c", i)
	}
	var tarred bytes.Buffer
	w := tar.NewWriter(&tarred)
	w.WriteHeader(&tar.Header{Name: "a/b", Size: 1, Mode: 0o600, Format: tar.FormatUSTAR})
	w.Write([]byte("x"))
	w.Close()
	for name, c := range map[string]struct {
		content string
		o       Options
		want    string
	}{
		"empty":               {"", Options{}, "texts: x: the file is empty: no rows"},
		"only a mark":         {"\xEF\xBB\xBF", Options{}, "texts: x: the file is empty: no rows"},
		"only white space":    {" \n\t\n", Options{}, "texts: x: the file has nothing but white space: no rows"},
		"empty gzip":          {gzipped(""), Options{}, "texts: x: the file is empty: no rows"},
		"missing text column": {"id,text,label\n1,a,b\n", Options{Text: "body"}, `texts: x: there is no column "body"; the columns are "id", "text", "label"`},
		"missing label":       {"id,text,label\n1,a,b\n", Options{Label: "class"}, `texts: x: there is no column "class"; the columns are "id", "text", "label"`},
		"missing number":      {"id,text,label\n1,a,b\n", Options{Label: "4"}, `texts: x: there is no column "4"; the columns are "id", "text", "label"`},
		"many columns": {strings.Join(many, ",") + "\n" + strings.Join(many, ",") + "\n", Options{Text: "x"},
			`texts: x: there is no column "x"; the first row has 1: "c0", 2: "c1", 3: "c2", 4: "c3", 5: "c4", 6: "c5", 7: "c6", 8: "c7", 9: "c8", 10: "c9", 11: "c10", 12: "c11", 13: "c12", 14: "c13", 15: "c14", 16: "c15", 17: "c16", 18: "c17", 19: "c18", 20: "c19" and 5 more`},
		"a long name":          {"text,label\na,b\n", Options{Text: strings.Repeat("x", 59) + "ä\x1b"}, `texts: x: there is no column "` + strings.Repeat("x", 59) + `"…; the columns are "text", "label"`},
		"same column":          {"a,text\n1,2\n", Options{Text: "text", Label: "2"}, `texts: x: text and label are the same column, "text"`},
		"two of a name":        {"text,text,label\n1,2,3\n", Options{Text: "text"}, `texts: x: two columns have the name "text"; give the number of one, from 1`},
		"two labels":           {"label,label,text\n1,2,3\n", Options{}, `texts: x: several columns have the name "label"; the columns are "label", "label", "text": give the number of one, from 1`},
		"two texts":            {"text,text\n1,2\n", Options{}, `texts: x: several columns have the name "text"; the columns are "text", "text": give the number of one, from 1`},
		"two texts by case":    {"Text,label,text \n1,2,3\n", Options{Label: "label"}, `texts: x: several columns have the name "text"; the columns are "Text", "label", "text ": give the number of one, from 1`},
		"JSON, two labels":     {`{"text":"a","label":"b","Label":"c"}`, Options{}, `texts: x: several columns have the name "label"; the columns are "text", "label", "Label": give the number of one, from 1`},
		"no label column":      {"text,a,b\nx,1,2\ny,3,4\n", Options{}, `texts: x: it is not clear which column is the label; the columns are "text", "a", "b": give its name or number`},
		"numbers of rows":      {"id,text\n1,a\n2,b\n3,c\n4,d\n5,e\n6,f\n7,g\n8,h\n", Options{}, `texts: x: it is not clear which column is the label; the columns are "id", "text": give its name or number`},
		"no text column":       {"a,b,label\nx,1,2\ny,3,4\n", Options{}, `texts: x: it is not clear which column is the text; the columns are "a", "b", "label": give its name or number`},
		"one column":           {"text\nx\ny\n", Options{Text: "text"}, `texts: x: it is not clear which column is the label; the only column is "text": give its name or number`},
		"lines":                {"a line of text\nanother, with a comma\nand one more\n", Options{}, "texts: x: the format is not clear: no JSON, no labels of fastText, and none of comma, semicolon, tab and | splits the lines into the same number of fields; give the format or the delimiter"},
		"header alone":         {"a,text\n", Options{Header: HasHeader}, `texts: x: the file has a header ("a", "text") and no rows: no rows`},
		"JSON, missing column": {`{"id": 1, "text": "x"}`, Options{Label: "class"}, `texts: x: there is no column "class"; the columns are "id", "text"`},
		"JSON, broken":         {"{\"id\": 1,\n \"text\": \"x\"}\n", Options{}, `texts: x:1:10: the JSON ends here; the name of a field in quotes was expected`},
		"JSON, empty array":    {"[ ]\n", Options{}, "texts: x: there are no objects: no rows"},
		"JSON, array of texts": {`["a", "b"]`, Options{Format: JSON}, `texts: x:1:2: a string instead of an object`},
		"columns of lines":     {"__label__a b\n", Options{Text: "text"}, "texts: x: it is lines with fastText's labels, which have no columns to give a name or number of"},
		"never closed":         {"\"a,b\nc,d\n", Options{Delimiter: ','}, `texts: x:1:1: a quoted field begins here and never ends; it takes up the rest of the file, 2 lines`},
		"UTF-16, no mark":      {utf16Of(binary.LittleEndian, "text,label\na,b\n"), Options{}, "texts: x: it has NUL bytes everywhere: no text, or UTF-16 without its mark (give the encoding)"},
		"UTF-32":               {"\xFF\xFE\x00\x00a\x00\x00\x00", Options{}, "texts: x: its encoding is UTF-32LE; convert it to UTF-8"},
		"zip":                  {"PK\x03\x04....", Options{}, "texts: x: it is a zip archive, or a file of Excel or OpenOffice; unpack it, or export it as CSV"},
		"bzip2":                {"BZh91AY&SY....", Options{}, "texts: x: it is packed with bzip2; unpack it, or pack it with gzip or zstd"},
		"Parquet":              {"PAR1....", Options{}, "texts: x: it is a Parquet file, for which there is no reader here"},
		"tar":                  {tarred.String(), Options{}, "texts: x: it is a tar archive; unpack it"},
		"a model":              {"\x28\x00\x00\x00\x00\x00\x00\x00{\"__metadata__\":{}}" + strings.Repeat(" ", 300), Options{}, "texts: x: it is a safetensors file, as models are, and no data"},
		"a model for lines":    {"\x28\x00\x00\x00\x00\x00\x00\x00{\"__metadata__\":{}}" + strings.Repeat(" ", 300), Options{LabelsOptional: true}, "texts: x: it is a safetensors file, as models are, and no data"},
		"tar in gzip":          {gzipped(tarred.String()), Options{}, "texts: x: it is a tar archive; unpack it"},
		"packed twice":         {gzipped(zstdOf("text,label\n")), Options{}, "texts: x: it is packed twice: zstd in gzip; unpack it once"},
		"bad gzip":             {"\x1f\x8b\x07\x00\x00\x00\x00\x00\x00\x00", Options{}, "texts: x: the gzip data is damaged: gzip: invalid header"},
		"short gzip":           {"\x1f\x8b\x08\x00", Options{}, "texts: x: the gzip data is cut short: unexpected EOF"},
		"unknown format":       {"x", Options{Format: "xml"}, `texts: the format "xml" is unknown; there are csv, tsv, jsonl, json, fasttext, lines, folders`},
		"unknown encoding":     {"x", Options{Encoding: "koi8-r"}, `texts: the encoding "koi8-r" is unknown; there are utf-8, utf-16le, utf-16be and windows-1252`},
		"bad delimiter":        {"x", Options{Delimiter: '"'}, `texts: the delimiter '"' cannot be; it must be an ASCII character that is no quote`},
		"negative limit":       {"x", Options{MaxText: -1}, "texts: MaxText is -1; it must not be negative"},
		"bad header":           {"x", Options{Header: 3}, "texts: there is no Header 3"},
		"format named csv": {"x", Options{Formats: []Format{{"csv", func([]byte) bool { return false }, func(context.Context, io.ReaderAt, int64) (Table, error) { return nil, nil }}}},
			`texts: two formats are named "csv"`},
		"format without Open": {"x", Options{Formats: []Format{{Name: "p"}}}, "texts: a format of Formats has no Name, Match or Open"},
	} {
		t.Run(name, func(t *testing.T) {
			_, rows, err := read(t, c.content, c.o)
			if err == nil || err.Error() != c.want {
				t.Errorf("error\n\t%v\nwant\n\t%s\nrows %q", err, c.want, rows)
			}
		})
	}
}

// What is wrong with rows, with the place; the good ones around them are read.
func TestRowErrors(t *testing.T) {
	nested := strings.Repeat("[", 10000)
	for name, c := range map[string]struct {
		content string
		o       Options
		want    []string
	}{
		"fields": {"text,label\na,b\na\na,b,c\nlast,b\n", Options{}, []string{"2: b: a",
			"error x:3:1: 1 field where 2 are expected", "error x:4:1: 3 fields where 2 are expected; a text with commas must be in quotes", "5: b: last"}},
		"quotes": {"text,label\na,b\n\"ä\"b,c\n\"x\ny\" ,b\nlast,b\n", Options{}, []string{"2: b: a",
			"error x:3:4: text after the closing quote of a field; a quote inside a quoted field must be doubled",
			"error x:5:3: text after the closing quote of a field; a quote inside a quoted field must be doubled", "6: b: last"}},
		"never closed": {"text,label\na,b\nx,\"b\nlast,b\n", Options{}, []string{"2: b: a",
			"error x:3:3: a quoted field begins here and never ends; it takes up the rest of the file, 2 lines"}},
		"invalid UTF-8": {"text,label\nääää,b\n\"a\nä\xE4\",b\nx,\xFF\nlast,b\n", Options{}, []string{"2: b: ääää",
			"error x:4:2: the byte 0xE4 is not valid UTF-8", "error x:5:3: the byte 0xFF is not valid UTF-8", "6: b: last"}},
		"invalid in a column nobody reads": {"text,label,x\nä,b,\xE4\n", Options{}, []string{"2: b: ä"}},
		"NUL": {"text,label\na\x00b,b\nb,a\x00\nlast,b\nlast,b\n", Options{}, []string{
			"error x:2:2: a NUL byte", "error x:3:4: a NUL byte", "4: b: last", "5: b: last"}},
		"half a pair": {"\xFF\xFE" + utf16Of(binary.LittleEndian, "text,label\nab") + "\x00\xD8" + utf16Of(binary.LittleEndian, "c,b\nx,b\n") + "y", Options{}, []string{
			"error x:2:3: half of a UTF-16 character", "3: b: x", "error x:4:1: 1 field where 2 are expected"}},
		"limit": {"text,label\na,b\n" + strings.Repeat("x", 100) + ",b\n\"" + strings.Repeat("x\r\n", 50) + "\",b\nlast,b\n", Options{MaxText: 64}, []string{"2: b: a",
			"error x:3:1: the row has more than 64 bytes (MaxText)", "error x:4:1: the row has more than 64 bytes (MaxText); does a quote in it never close?", "55: b: last"}},
		"JSON": {`{"text": "a", "label": "b"}
{"text": "ä" "label": "b"}
{"text": "a", "label": {}}
{"label": "b", "x": 1}
{"text": 1, "label": "b"}
{"text": "a", "label": ["b", null]}
{"text": "a", "label": ["b", ""]}
{"text": "a\u0000", "label": "b"}
{"text": "a", "text": "b", "label": "b"}
{"text": "a	", "label": "b"}
{"text": "\x", "label": "b"}
{"text": "\u12x4", "label": "b"}
{"text": "a", "label": 01}
{"text": "a", "label": NaN}
{"text": "a", "label": "b"} x
{"text": "a", "label": "b
[1]
{"text": "a", "label": [1,}
{"text": "a", "label": -}
{"text": "a", "label": ` + nested + `}
{"text": "a" ` + "\xE4\xFF" + `}
x
{"text": "a", "label": "b\u0000"}
{"text": "a", "label": ["b", "\u0000c"]}
{"text": "last", "label": "b"}`, Options{Encoding: "utf-8"}, []string{"1: b: a",
			`error x:2:14: "\"" instead of a comma or the end of the object after a value`,
			"error x:3:24: the label is an object; a string, number, boolean or a list of these was expected",
			`error x:4:1: there is no field "text"; the fields are "label", "x"`,
			"error x:5:10: the text is a number, not a string",
			"error x:6:30: null in the list of labels",
			"error x:7:30: an empty label in the list of labels",
			"error x:8:10: a NUL byte in the text",
			`error x:9:15: the field "text" is there twice`,
			"error x:10:12: the control character 0x09 inside a string",
			`error x:11:11: a backslash that begins none of \" \\ \/ \b \f \n \r \t \u`,
			`error x:12:11: \u without four hexadecimal digits`,
			`error x:13:25: "1" instead of a comma or the end of the object after a value`,
			`error x:14:24: "N" instead of a value`,
			"error x:15:29: text after the end of the object",
			"error x:16:26: the JSON ends inside a string",
			"error x:17:1: a list instead of an object",
			`error x:18:27: "}" instead of a value`,
			`error x:19:25: "}" instead of a digit`,
			"error x:20:10023: more than 10,000 brackets inside each other",
			"error x:21:14: the byte 0xE4 is not valid UTF-8",
			`error x:22:1: an object was expected, not "x"`,
			"error x:23:24: a NUL byte in the label",
			"error x:24:30: a NUL byte in the list of labels",
			"25: b: last"}},
		"JSON array": {"[{\"text\": \"a\", \"label\": \"b\"}, {\"text\": \"ä\" 1}, 3, \"x,]\", [1, {}],\n {\"text\": \"" + strings.Repeat("x", 100) + "\"}, {\"text\": \"b\", \"label\": 1}]", Options{MaxText: 64}, []string{"1: b: a",
			`error x:1:44: "1" instead of a comma or the end of the object after a value`,
			"error x:1:48: a number instead of an object", "error x:1:51: a string instead of an object", "error x:1:58: a list instead of an object",
			"error x:2:2: the row has more than 64 bytes (MaxText)", "2: 1: b"}},
		"JSON array without comma": {`[{"text": "a", "label": "b"} {"text": "a", "label": "b"}]`, Options{}, []string{"1: b: a",
			`error x:1:30: "{" instead of a comma between two objects`}},
		"JSON array, comma at the end": {`[{"text": "a", "label": "b"}, ]`, Options{}, []string{"1: b: a", "error x:1:31: an object was expected"}},
		"JSON array, cut":              {`[{"text": "a", "label": "b"}, {"te`, Options{}, []string{"1: b: a", "error x:1:31: the file ends inside this element, and the array is not closed"}},
		"JSON array, cut after comma":  {"[{\"text\": \"a\", \"label\": \"b\"},\n", Options{}, []string{"1: b: a", "error x:2:1: the file ends here, and the array is not closed"}},
		"JSON array, more":             {"[{\"text\": \"a\", \"label\": \"b\"}]\n[]", Options{}, []string{"1: b: a", "error x:2:1: text after the end of the array"}},
		"fastText": {"__label__a x\n__label__b __label__ y\n__label__a \xE4ä\n__label__a " + strings.Repeat("x", 100) + "\n__label__b last", Options{MaxText: 64, Encoding: "utf-8"}, []string{"1: a: x",
			"error x:2:12: a label without a name", "error x:3:12: the byte 0xE4 is not valid UTF-8", "error x:4:1: the row has more than 64 bytes (MaxText)", "5: b: last"}},
		"no rows": {"text,label\n\n\n", Options{}, []string{"error texts: x:4: no rows"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, rows, err := read(t, c.content, c.o)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, rows); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// The time for the labels of a row is linear in their number, and the context ends it.
func TestManyLabels(t *testing.T) {
	const n = maxLabels
	numbers := func(n int, before, between string) string {
		var b strings.Builder
		for i := range n {
			if i > 0 {
				b.WriteString(between)
			}
			fmt.Fprint(&b, before, i)
		}
		return b.String()
	}
	for name, row := range map[string]func(n int) (string, Options){
		"JSON lines": func(n int) (string, Options) {
			return `{"text":"x","label":[0,` + numbers(n, "", ",") + "]}\n", Options{Text: "text", Label: "label", Format: JSONLines}
		},
		"CSV": func(n int) (string, Options) {
			return "text,label\nx,0|" + numbers(n, "", "|") + "\n", Options{Format: CSV, Delimiter: ',', LabelSeparator: "|", Header: HasHeader}
		},
		"fastText": func(n int) (string, Options) {
			return "__label__0 " + numbers(n, "__label__", " ") + " x\n", Options{Format: FastText}
		},
	} {
		t.Run(name, func(t *testing.T) {
			for _, n := range []int{1, fewLabels, fewLabels + 1, n, n + 1} {
				content, o := row(n)
				if strings.HasPrefix(content, "{") { // the columns are found in the first row, which must be short
					content = `{"text":"y","label":"z"}` + "\n" + content
				}
				o.Stdin = strings.NewReader(content)
				s := mustOpen(t, "-", o)
				start := time.Now()
				var last Row
				var err error
				for row, e := range s.Rows(t.Context()) {
					last, err = row, e
				}
				if took := time.Since(start); took > 5*time.Second {
					t.Errorf("%d labels took %v", n, took)
				}
				if n > maxLabels {
					if err == nil || !strings.HasSuffix(err.Error(), "the row has more than 100,000 labels") {
						t.Errorf("%d labels: the error %v", n, err)
					}
					continue
				}
				if err != nil || len(last.Labels) != n || last.Labels[n-1] != fmt.Sprint(n-1) || last.Text != "x" {
					t.Errorf("%d labels: %d labels, %v", n, len(last.Labels), err)
				}
			}
		})
	}
	ctx, cancel := context.WithCancel(t.Context())
	e := &emitter{ctx: ctx, single: map[string][]string{}}
	e.set.begin(e)
	cancel()
	added := 0
	for e.set.add([]byte("x"), true) {
		if added++; added > 1024 {
			t.Fatal("the context is not looked at")
		}
	}
}

// A file is Windows-1252 only if that explains it better than faults in UTF-8, wherever in the file they are.
func TestEncodingIsDecidedOnTheWholeFile(t *testing.T) {
	ascii := strings.Repeat("plain text,pos\n", 3*block/15)
	for name, c := range map[string]struct{ content, want string }{
		"late Windows-1252": {"text,label\n" + ascii + "caf\xE9,pos\n", ansiName},
		"one bad byte":      {"text,label\nä ö ü,pos\n" + ascii + "caf\xE9,pos\n", utf8Name},
		"undefined byte":    {"text,label\n" + ascii + "caf\xE9 \x81,pos\n", utf8Name},
		"late UTF-8":        {"text,label\n" + ascii + "café,pos\n", utf8Name},
	} {
		path := filepath.Join(t.TempDir(), "x.csv")
		if err := os.WriteFile(path, []byte(c.content), 0o600); err != nil {
			t.Fatal(err)
		}
		s, err := Open(context.Background(), path, Options{})
		if err != nil {
			t.Fatal(name, err)
		}
		if got := s.Found().Encoding; got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
	// In a stream the first character decides, whatever comes later and wherever reads end.
	for _, c := range []struct{ content, encoding, row string }{
		{"text,label\n" + ascii + "caf\xE9 ä,pos\n", ansiName, "café Ã¤"},
		{"text,label\n" + ascii + "ä,neg\nö,pos\n", utf8Name, "ö"},
		{"text,label\n" + ascii + "x,caf\xE9", ansiName, "x"},
	} {
		for _, r := range []io.Reader{strings.NewReader(c.content), iotest.HalfReader(strings.NewReader(c.content)), iotest.DataErrReader(strings.NewReader(c.content))} {
			s := mustOpen(t, "-", Options{Stdin: r})
			last := ""
			for row, err := range s.Rows(context.Background()) {
				if err != nil {
					t.Fatal(err)
				}
				last = row.Text
			}
			if got := s.Found().Encoding; got != c.encoding || last != c.row {
				t.Errorf("%s and %q, want %s and %q", got, last, c.encoding, c.row)
			}
		}
	}
}
