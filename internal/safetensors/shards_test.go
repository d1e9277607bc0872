package safetensors

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// shard is a file of float32 scalars with these names, which is also the value of the metadata "in".
func shard(t *testing.T, names ...string) *File {
	t.Helper()
	var entries []Entry
	for i, name := range names {
		entries = append(entries, Entry{name, nil, Float32Data{float32(i)}})
	}
	var b bytes.Buffer
	metadata := map[string]string{"in": strings.Join(names, " "), names[0]: "first"}
	if err := Write(context.Background(), &b, metadata, entries, Reference); err != nil {
		t.Fatal(err)
	}
	f, err := OpenBytes(context.Background(), b.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestShards(t *testing.T) {
	x, err := ParseIndex(context.Background(), []byte(`{"metadata":{"total_size":12,"other":[1,{"a":[null,true]}]},"weight_map":{"c":"2","a":"1","b":"2"}} `))
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]string{"1", "2"}, x.Files()); d != "" {
		t.Error(d)
	}
	f, err := x.Join([]*File{shard(t, "a"), shard(t, "b", "c")})
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(map[string]string{"in": "a", "a": "first", "b": "first"}, f.Metadata()); d != "" {
		t.Error(d)
	}
	for i, name := range []string{"a", "b", "c"} {
		y, err := f.Tensor(name)
		if err != nil || f.Tensors()[i].Name != name {
			t.Fatal(name, err)
		}
		if v, err := y.Float32(); err != nil || v[0] != float32(i/2) {
			t.Errorf("%s is %v, %v", name, v, err)
		}
	}
	for _, c := range []struct {
		files []*File
		want  string
	}{
		{[]*File{shard(t, "a")}, "1 files for an index of 2"},
		{[]*File{shard(t, "a"), shard(t, "b")}, `file "2" has no tensor "c", which the index places there`},
		{[]*File{shard(t, "a", "d"), shard(t, "b", "c")}, `file "1" has the tensor "d", which the index does not name`},
		{[]*File{shard(t, "a", "b"), shard(t, "b", "c")}, `file "1" has the tensor "b", which the index places in "2"`},
		{[]*File{shard(t, "c"), shard(t, "b", "a")}, `file "1" has the tensor "c", which the index places in "2"`},
	} {
		_, err := x.Join(c.files)
		checkError(t, c.want, err, "safetensors: "+c.want)
	}
}

var badIndexes = []struct{ index, want string }{
	{"", "byte 0: index is not JSON: unexpected EOF"},
	{"\xff", "byte 0: index is not UTF-8"},
	{"[]", "byte 1: index has [ where { is expected"},
	{"{}", "index has no weight_map"},
	{`{"weight_map":{}}x`, "byte 18: something follows the index's closing brace"},
	{`{"weight_map":{},"weight_map":{}}`, `byte 29: name "weight_map" occurs twice`},
	{`{"weight_map":{"a":"f","\u0061":"f"}}`, `byte 31: tensor "a" occurs twice`},
	{`{"weight_map":{"a":1}}`, `byte 20: file of tensor "a" is the number 1, want a string`},
	{`{"weight_map":{"a":"../f"}}`, `byte 25: tensor "a": file "../f" is not the plain name of a file in the index's folder`},
	{`{"weight_map":{"a":".."}}`, `byte 23: tensor "a": file ".." is not the plain name of a file in the index's folder`},
	{`{"weight_map":{"a":""}}`, `byte 21: tensor "a": file "" is not the plain name of a file in the index's folder`},
	{`{"weight_map":{"a":"/etc/passwd"}}`, `byte 32: tensor "a": file "/etc/passwd" is not the plain name of a file in the index's folder`},
	{`{"weight_map":{"a":"sub/f"}}`, `byte 26: tensor "a": file "sub/f" is not the plain name of a file in the index's folder`},
	{`{"weight_map":{"a":"..\\f"}}`, `byte 26: tensor "a": file "..\\f" is not the plain name of a file in the index's folder`},
	{`{"weight_map":{"a":"C:f"}}`, `byte 24: tensor "a": file "C:f" is not the plain name of a file in the index's folder`},
	{`{"weight_map":{"a":"f\u0000"}}`, `byte 28: tensor "a": file "f\x00" is not the plain name of a file in the index's folder`},
	{`{"metadata":,"weight_map":{}}`, `byte 13: index is not JSON: , where a value is expected`},
	{`{"metadata":{1:2},"weight_map":{}}`, `byte 14: name is the number 1, want a string`},
	{`{"metadata":` + strings.Repeat("[", 100_000), "byte 1013: index nests more than 1000 deep"},
}

func TestBadIndexes(t *testing.T) {
	for _, c := range badIndexes {
		_, err := ParseIndex(context.Background(), []byte(c.index))
		checkError(t, c.index[:min(40, len(c.index))], err, "safetensors: "+c.want)
	}
	var b strings.Builder
	for i := range maxShards + 1 {
		fmt.Fprintf(&b, `,"%d":"%d"`, i, i)
	}
	_, err := ParseIndex(context.Background(), []byte(`{"weight_map":{`+b.String()[1:]+"}}"))
	checkError(t, "too many files", err, "safetensors: byte 11808: index names more than 1000 files")
}
