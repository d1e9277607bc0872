package strictjson_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/linnet-ml/linnet/internal/boundary"
	"github.com/linnet-ml/linnet/internal/strictjson"
)

type inner struct {
	B float64 `json:"b"`
	C []int8
}

type level int

func (l *level) UnmarshalText(b []byte) error {
	if string(b) != "high" {
		return errors.New("no level")
	}
	*l = 7
	return nil
}

type whole struct {
	*inner
	Name   string `json:"name,omitempty"`
	Seed   uint64 `json:"seed,string"`
	Raw    json.RawMessage
	Lists  map[string][]string
	Inner  *inner
	Pair   [2]bool
	Level  level
	Hidden int `json:"-"`
}

// What json.Marshal writes is read as json.Unmarshal reads it.
func TestUnmarshal(t *testing.T) {
	for _, text := range []string{
		`{}`, ` {"b" : -1.5e-3 , "C":[-128,127], "name":"\u00e9\ud83d\ude00\n\\", "seed":"18446744073709551615"} `,
		`{"Raw":{"a":[1,"]"]},"Lists":{"":[],"a":["b","c"],"n":null},"Inner":{"b":1},"Pair":[true,false],"Level":"high"}`,
		`{"Inner":null,"Lists":null,"C":null,"Raw":null}`,
	} {
		got, want := whole{inner: &inner{}}, whole{inner: &inner{}}
		if err := json.Unmarshal([]byte(text), &want); err != nil {
			t.Fatal(err)
		}
		if err := strictjson.Unmarshal(t.Context(), []byte(text), &got); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		if want.Raw != nil {
			got.Raw, want.Raw = bytes.TrimSpace(got.Raw), bytes.TrimSpace(want.Raw)
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s became %+v, want %+v", text, got, want)
		}
	}
}

// Each thing that is wrong is an error with its place.
func TestRefused(t *testing.T) {
	for text, want := range map[string]string{
		``:                          "it is not JSON: unexpected EOF",
		`null`:                      "there is no object",
		`[]`:                        "there is no object",
		`{}1`:                       "more follows the value",
		"{}\x00":                    "more follows the value",
		`{"Name":""}`:               `the member "Name" is not known`,
		`{"Hidden":1}`:              `the member "Hidden" is not known`,
		`{"inner":{}}`:              `the member "inner" is not known`,
		`{"b":1,"b":1}`:             `the member "b" is there twice`,
		`{"b":1,"\u0062":1}`:        `the member "b" is there twice`,
		`{"Inner":{"b":1,"b":2}}`:   `Inner: the member "b" is there twice`,
		`{"Lists":{"a":[],"a":[]}}`: `Lists: the member "a" is there twice`,
		`{"Lists":{"a\u0000":[1]}}`: `Lists: "a\x00": 0: the value is the number 1, want a string`,
		`{"seed":1}`:                `seed: "1" is no uint64`,
		`{"seed":"-1"}`:             `seed: "-1" is no uint64`,
		`{"b":"1"}`:                 `b: "\"1\"" is no float64`,
		`{"b":null}`:                `b: "null" is no float64`,
		`{"b":1e999}`:               `b: "1e999" is no float64`,
		`{"b":[1]}`:                 `b: [ where float64 is expected`,
		`{"b":NaN}`:                 `b: it is not JSON: invalid character 'N'`,
		`{"b":0x1}`:                 `it is not JSON: invalid character 'x'`,
		`{"C":[1,128]}`:             `C: 1: "128" is no int8`,
		`{"C":[1.0]}`:               `C: 0: "1.0" is no int8`,
		`{"C":{}}`:                  `C: there is no list`,
		`{"Pair":[true]}`:           `Pair: there are 1 elements in place of 2`,
		`{"Pair":[true,true,true]}`: `Pair: there are more than 2 elements`,
		`{"Pair":[1,true]}`:         `Pair: 0: "1" is no bool`,
		`{"Level":"low"}`:           `Level: no level`,
		`{"Level":7}`:               `Level: the value is the number 7, want a string`,
		`{"name":null}`:             `name: the value is null, want a string`,
		"{\"name\":\"\xff\"}":       `name: the value, "\xff", is not UTF-8`,
		`{"name":"\ud800"}`:         `name: it is not JSON: \u in a string without a character`,
		`{"b":` + strings.Repeat("1", 1001) + `}`:     `b: it has a number of more than 1000 characters`,
		`{"Raw":` + strings.Repeat("[", 1e6):          `Raw: it nests more than 1000 deep`,
		`{"` + strings.Repeat("\x1b", 200) + `":1}`:   "it is not JSON: a control character in a string",
		`{"` + strings.Repeat(`\u001b`, 200) + `":1}`: `the member "` + strings.Repeat(`\x1b`, 80) + `"… is not known`,
	} {
		v := whole{inner: &inner{}}
		if err := strictjson.Unmarshal(t.Context(), []byte(text), &v); err == nil || err.Error() != want {
			t.Errorf("%.100s: %v, want %s", text, err, want)
		}
	}
}

// forever is a context that ends after some looks at it.
type forever struct {
	context.Context
	looks, left int
	last        time.Time
	longest     time.Duration
}

func (c *forever) Err() error {
	if c.looks > 0 {
		c.longest = max(c.longest, time.Since(c.last))
	}
	c.last = time.Now()
	c.looks++
	if c.looks > c.left {
		return context.Canceled
	}
	return nil
}

// However a text is made, the context is looked at often, and its error ends the reading.
func TestContext(t *testing.T) {
	const n = 1 << 20
	for name, text := range map[string]string{
		"numbers": `{"C":[` + strings.Repeat("1,", n/2) + `1]}`, "text": `{"name":"` + strings.Repeat("x", n) + `"}`,
		"escapes": `{"name":"` + strings.Repeat(`\n`, n/2) + `"}`, "space": strings.Repeat(" ", n) + "{}", "space after": "{}" + strings.Repeat(" ", n),
		"raw": `{"Raw":[` + strings.Repeat("{},", n/3) + `1]}`, "names": `{"Lists":{` + strings.Repeat(`"`+strings.Repeat("x", 1<<20)+`":null,`, 1) + `"y":["` + strings.Repeat("x", n) + `"]}}`,
	} {
		v := whole{inner: &inner{}}
		c := &forever{Context: t.Context(), left: 1 << 30}
		if err := strictjson.Unmarshal(c, []byte(text), &v); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if c.looks < n/(128<<10) || c.longest > time.Second {
			t.Errorf("%s: %d looks, %v between two", name, c.looks, c.longest)
		}
		c = &forever{Context: t.Context(), left: 10}
		if err := strictjson.Unmarshal(c, []byte(text), &v); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v after the end", name, err)
		}
	}
}

// What this package takes encoding/json takes too, with the same result; nothing panics.
func FuzzUnmarshal(f *testing.F) {
	for _, s := range []string{`{"b":1,"C":[1],"name":"\u00e9","seed":"3","Raw":[{}],"Lists":{"a":["b"]},"Inner":{"b":2},"Pair":[true,false],"Level":"high"}`, `{"name":"\ud800"}`, `[[`} {
		f.Add([]byte(s))
	}
	for changed := range boundary.Decimals([]byte(`{"b":1,"C":[1],"seed":"3","Inner":{"b":2}}`)) {
		f.Add(changed)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		got, want := whole{inner: &inner{}}, whole{inner: &inner{}}
		if strictjson.Unmarshal(t.Context(), b, &got) != nil {
			return
		}
		if err := json.Unmarshal(b, &want); err != nil {
			t.Fatalf("accepted %q: %v", b, err)
		}
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("%q became %+v, want %+v", b, got, want)
		}
	})
}

// UnmarshalKnown leaves out what the type does not have, at any depth, and is as strict as Unmarshal about all else.
func TestUnmarshalKnown(t *testing.T) {
	type inner struct {
		B int `json:"b"`
	}
	var v struct {
		A []inner `json:"a"`
	}
	if err := strictjson.UnmarshalKnown(t.Context(), []byte(`{"new":{"a":1},"a":[{"c":[1,{}],"b":2}]}`), &v); err != nil || len(v.A) != 1 || v.A[0].B != 2 {
		t.Errorf("%+v, %v", v, err)
	}
	for _, text := range []string{`{"a":[],"a":[]}`, `{"new":1,"new":2}`, `{"new":tru}`, `{"a":[{"b":"2"}]}`, `{"a":[]}{}`, `{"new":1`} {
		if err := strictjson.UnmarshalKnown(t.Context(), []byte(text), &v); err == nil {
			t.Errorf("%s is read", text)
		}
	}
	if err := strictjson.Unmarshal(t.Context(), []byte(`{"new":1}`), &v); err == nil {
		t.Error("Unmarshal takes a member that is not known")
	}
}

// Members finds a name that is there twice wherever it stands, and allows as many as the options say.
func TestMembers(t *testing.T) {
	object := func(n, twice int) []byte {
		b := []byte{'{'}
		for i := range n {
			b = fmt.Appendf(b, `"%d":null,`, i)
		}
		if twice >= 0 {
			return fmt.Appendf(b, `"%d":null}`, twice)
		}
		return append(b, `"x":null}`...)
	}
	read := func(text []byte, most int) (n int, err error) {
		s := strictjson.New(t.Context(), text, strictjson.Options{MaxMembers: most})
		err = s.Members(func(string) error {
			n++
			null, err := s.Null()
			if err == nil && !null {
				t.Error("no null")
			}
			return err
		})
		return n, err
	}
	for _, n := range []int{1, 7, 8, 9, 20} {
		if got, err := read(object(n, -1), 0); got != n+1 || err != nil {
			t.Errorf("%d members of %d: %v", got, n+1, err)
		}
		for twice := range n {
			want := fmt.Sprintf(`the member "%d" is there twice`, twice)
			if got, err := read(object(n, twice), 0); got != n || err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%d members, %v; want %s", got, err, want)
			}
		}
		if _, err := read(object(n, -1), n+1); err != nil {
			t.Error(err)
		}
		if got, err := read(object(n, -1), n); got != n || err == nil || !strings.Contains(err.Error(), fmt.Sprintf("an object has more than %d members", n)) {
			t.Errorf("%d members of %d: %v", got, n, err)
		}
	}
	s := strictjson.New(t.Context(), []byte(`nil`), strictjson.Options{})
	if null, err := s.Null(); null || err == nil {
		t.Errorf("nil: %v, %v", null, err)
	}
}
