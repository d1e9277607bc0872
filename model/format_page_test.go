package model

import (
	"encoding"
	"encoding/json"
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"github.com/linnet-ml/linnet/history"
	"github.com/linnet-ml/linnet/layers"
	"github.com/linnet-ml/linnet/nn"
	"github.com/linnet-ml/linnet/nn/plan"
	"github.com/linnet-ml/linnet/text"
)

const (
	kindsBegin = "<!-- kinds: written by a test, with -update -->\n"
	kindsEnd   = "<!-- end of kinds -->\n"
)

// FORMAT.md names each key, prefix and member that a file may have, and each kind with its members as they are.
func TestFormatPage(t *testing.T) {
	b, err := os.ReadFile("FORMAT.md")
	if err != nil {
		t.Fatal(err)
	}
	page := string(b)
	before, rest, ok := strings.Cut(page, kindsBegin)
	old, after, ok2 := strings.Cut(rest, kindsEnd)
	if !ok || !ok2 {
		t.Fatal("FORMAT.md has no place for the kinds")
	}
	table := kindsTable(t)
	if old != table {
		if flag.Lookup("update").Value.String() != "true" {
			t.Errorf("FORMAT.md has other kinds or members than the code has; write them with -update. The code has\n%s", table)
		} else if err := os.WriteFile("FORMAT.md", []byte(before+kindsBegin+table+kindsEnd+after), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	sections := map[string]string{}
	for _, s := range strings.Split(before+after, "\n## ") {
		title, content, _ := strings.Cut(s, "\n")
		sections[title] = content
	}
	has := func(section string, names ...string) {
		t.Helper()
		content, ok := sections[section]
		if !ok {
			t.Fatalf("FORMAT.md has no section %q", section)
		}
		for _, name := range names {
			if !strings.Contains(content, "`"+name+"`") && !strings.Contains(content, "| `"+name) {
				t.Errorf("FORMAT.md, section %q, does not name %q", section, name)
			}
		}
	}
	has("Names", reservedConstants(t)...)
	has("`linnet.model`", members(reflect.TypeFor[document]())...)
	has("`linnet.model`", members(reflect.TypeFor[inputJSON]())...)
	has("`linnet.state`", members(reflect.TypeFor[plan.TrainingState]())...)
	has("`linnet.state`", members(reflect.TypeFor[plan.GroupState]())...)
	has("`linnet.state`", members(reflect.TypeFor[plan.HandlerState]())...)
	has("Specs", members(reflect.TypeFor[text.HubTokenizerOptions]())...)
	for _, name := range members(reflect.TypeFor[text.Vectorizer]()) {
		if !strings.HasSuffix(name, "Func") {
			has("Specs", name)
		}
	}
	var state map[string]json.RawMessage
	var h history.History
	var logs history.Logs
	logs.Set("loss", 1)
	h.SetDirection("loss", history.LowerIsBetter)
	h.Append(0, &logs)
	h.Stopped = "early"
	s := fullState(&h)
	encoded, err := s.Encode()
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(encoded.JSON, &state); err != nil {
		t.Fatal(err)
	}
	for name := range state {
		has("`linnet.state`", name)
	}
	for name := range encoded.Assets {
		kind, _, _ := strings.Cut(name, "/")
		has("`linnet.state`", strings.ReplaceAll(kind, "0", "I")+"/PARAMETER")
	}
	var log map[string]json.RawMessage
	written, err := json.Marshal(&h)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(written, &log); err != nil {
		t.Fatal(err)
	}
	for name := range log {
		has("`linnet.history`", name)
	}
	if want := fmt.Sprintf("# The file of a model, version %d\n", formatVersion); !strings.HasPrefix(page, want) {
		t.Errorf("FORMAT.md does not begin with %q", want)
	}
	if v, ok := state["version"]; !ok || !strings.Contains(sections["`linnet.state`"], "the version of the state: "+string(v)) {
		t.Errorf("FORMAT.md has another version of the state than %s", v)
	}
}

// fullState has something of everything.
func fullState(h *history.History) *plan.TrainingState {
	one := map[string][]float32{"p": {1}}
	return &plan.TrainingState{Version: plan.StateVersion, Batch: 1, Stopped: "s", Accumulated: 1, History: h, Measured: [][]float64{{1}},
		Groups: []plan.GroupState{{Scalars: []float32{1}}}, Callbacks: []plan.HandlerState{{Kind: "k", Values: json.RawMessage("1"), Weights: one}},
		Weights: one, Averages: one, Gradients: one, Slots: map[string][][]float32{"p": {{1}}},
		Rows: map[string]*plan.RowSlots{"q": {Rows: []int32{0}, Slots: [][]float32{{1}}}}}
}

// A field that a TrainingState gets is in fullState, or the page would lack it.
func TestFullState(t *testing.T) {
	v := reflect.ValueOf(*fullState(&history.History{}))
	for i := range v.NumField() {
		name := v.Type().Field(i).Name
		if v.Field(i).IsZero() && name != "From" && name != "Epoch" && name != "Seed" {
			t.Errorf("fullState has no %s", name)
		}
	}
}

// reservedConstants are the constants of document.go that begin with the reserved prefix.
func reservedConstants(t *testing.T) (all []string) {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "document.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(file, func(n ast.Node) bool {
		if v, ok := n.(*ast.BasicLit); ok && v.Kind == token.STRING {
			if s, err := strconv.Unquote(v.Value); err == nil && strings.HasPrefix(s, reserved) && s != reserved {
				all = append(all, s)
			}
		}
		return true
	})
	if len(all) != 9 {
		t.Errorf("%d names: %q", len(all), all)
	}
	return all
}

// members are the names that encoding/json gives the fields of a struct.
func members(typ reflect.Type) (names []string) {
	for i := range typ.NumField() {
		f := typ.Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case f.Anonymous && name == "":
			names = append(names, members(f.Type)...)
		case name == "":
			names = append(names, f.Name)
		case name != "-":
			names = append(names, name)
		}
	}
	return names
}

// kindsTable is the part of the page about kinds.
func kindsTable(t *testing.T) string {
	t.Helper()
	k, err := kinds(nil)
	if err != nil {
		t.Fatal(err)
	}
	types := kindTypes(t)
	var b strings.Builder
	b.WriteString("| kind | members |\n| --- | --- |\n")
	for _, name := range k.Names() {
		typ := types[name]
		if typ == nil {
			t.Fatalf("the type of %s is not known", name)
		}
		if typ.Kind() == reflect.Pointer {
			typ = typ.Elem()
		}
		text := fmt.Sprintf("`value`: %s", shapeOf(typ))
		if !reflect.PointerTo(typ).Implements(reflect.TypeFor[json.Marshaler]()) {
			text = strings.TrimSuffix(strings.TrimPrefix(shapeOf(typ), "{"), "}")
		}
		fmt.Fprintf(&b, "| `%s` | %s |\n", name, text)
	}
	return b.String()
}

var (
	textInterface = reflect.TypeFor[encoding.TextMarshaler]()
	jsonInterface = reflect.TypeFor[json.Marshaler]()
)

// shapeOf describes a type as JSON has it.
func shapeOf(typ reflect.Type) string {
	switch {
	case typ.Kind() == reflect.Interface:
		return "spec"
	case typ == reflect.TypeFor[text.HubTokenizer](), typ == reflect.TypeFor[text.Vectorization]():
		return "below"
	case typ.Implements(textInterface):
		return "text"
	case typ.Implements(jsonInterface): // optional.Value
		return shapeOf(typ.Field(0).Type) + " or null"
	}
	switch typ.Kind() {
	case reflect.Bool:
		return "boolean"
	case reflect.String:
		return "text"
	case reflect.Float32, reflect.Float64:
		return "number"
	case reflect.Slice:
		return "[" + shapeOf(typ.Elem()) + "]"
	case reflect.Struct:
		var all []string
		for i := range typ.NumField() {
			f := typ.Field(i)
			if name, _, _ := strings.Cut(f.Tag.Get("json"), ","); f.IsExported() && name != "-" {
				if name == "" {
					name = f.Name
				}
				all = append(all, "`"+name+"`: "+shapeOf(f.Type))
			}
		}
		return "{" + strings.Join(all, ", ") + "}"
	}
	return "integer"
}

// kindTypes are the types of all kinds.
func kindTypes(t *testing.T) map[string]reflect.Type {
	t.Helper()
	all := map[string]reflect.Type{}
	for _, list := range [][]plan.Spec{nn.Kinds(), layers.Kinds(), text.Kinds()} {
		for _, s := range list {
			all[s.Kind()] = reflect.TypeOf(s)
		}
	}
	return all
}
