package model_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/linnet-ml/linnet/model"
)

// slowFiles are files that take long to open for what their headers say.
func slowFiles(t *testing.T, size int) map[string][]byte {
	document := func(key string, texts ...string) []byte {
		metadata := map[string]string{"linnet.format": "1", "linnet.model": `{"spec":{"kind":"Sequential","Layers":[{"kind":"Flatten"}]},"input":{"type":"float32","dims":[1]}}`}
		metadata[key] = strings.Join(texts, "")
		return (&parts{metadata: metadata}).bytes(t)
	}
	fill := func(format string) string {
		var b strings.Builder
		for i := 0; b.Len() < size; i++ {
			b.WriteString(strings.ReplaceAll(format, "#", strconv.Itoa(i)))
		}
		return strings.TrimSuffix(b.String(), ",")
	}
	// The tensors come in any order.
	order := rand.New(rand.NewPCG(1, 1)).Perm(size / 70)
	var tensors bytes.Buffer
	for i, at := range order {
		fmt.Fprintf(&tensors, `,"tensor%08d":{"dtype":"U8","shape":[1],"data_offsets":[%d,%d]}`, i, at, at+1)
	}
	header := append([]byte(`{"__metadata__":{"linnet.format":"1","linnet.model":"{}"}`), append(tensors.Bytes(), '}')...)
	many := append(binary.LittleEndian.AppendUint64(nil, uint64(len(header))), header...)
	text, err := json.Marshal(strings.Repeat(`"`, size/2))
	must(t, err)
	return map[string][]byte{
		"tensors":     append(many, make([]byte, len(order))...),
		"layers":      document("linnet.model", `{"spec":{"kind":"Sequential","Layers":[`, fill(`{"kind":"Flatten"},`), `]},"input":{"type":"float32","dims":[1]}}`),
		"nodes":       document("linnet.model", `{"spec":{"kind":"Functional","Inputs":[{"Name":"in","Input":{"Type":"float32","Dims":[1]}}],"Nodes":[`, fill(`{"Layer":{"kind":"Flatten"},"Calls":[[{"Node":-1}]]},`), `],"Outputs":[{"Name":"out","Ref":{"Node":0}}]}}`),
		"parameters":  document("linnet.model", `{"spec":{"kind":"Sequential","Layers":[`, fill(`{"kind":"BatchNormalization"},`), `]},"input":{"type":"float32","dims":[1]}}`),
		"numbers":     document("linnet.model", `{"spec":{"kind":"Sequential","Layers":[{"kind":"Flatten"}]},"input":{"type":"float32","dims":[`, strings.TrimSuffix(strings.Repeat("1,", size/2), ","), `]}}`),
		"labels":      document("linnet.model", `{"spec":{"kind":"Sequential"},"labels":{`, fill(`"o#":[],`), `}}`),
		"frozen":      document("linnet.model", `{"spec":{"kind":"Sequential"},"frozen":[`, fill(`"o#",`), `]}`),
		"a name":      document("linnet.model", `{"spec":{"kind":"Sequential","Name":`, string(text), `},"input":{"type":"float32","dims":[1]}}`),
		"a kind":      document("linnet.model", `{"spec":{"kind":`, string(text), `}}`),
		"epochs":      document("linnet.history", `{"epoch":[`, strings.TrimSuffix(strings.Repeat("1,", size/4), ","), `],"history":{"loss":[`, strings.TrimSuffix(strings.Repeat("1,", size/4), ","), `]}}`),
		"logged":      document("linnet.history", `{"epoch":[],"history":{`, fill(`"o#":[],`), `}}`),
		"space":       document("linnet.model", strings.Repeat(" ", size), "{}"),
		"one of ours": document("note", strings.Repeat("\n", size)),
	}
}

// Load, Read and FromBytes of a file that takes long end soon after their context.
func TestLoadHonoursContext(t *testing.T) {
	size, tries, parts := 1<<20, 5, []int{1, 4, 7}
	if testing.Short() {
		size, parts = 256<<10, []int{5}
	}
	for name, b := range slowFiles(t, size) {
		for way, open := range map[string]func(ctx context.Context) (*model.File, error){
			"FromBytes": func(ctx context.Context) (*model.File, error) { return model.FromBytes(ctx, b, model.LoadOptions{}) },
			"Read": func(ctx context.Context) (*model.File, error) {
				return model.Read(ctx, bytes.NewReader(b), int64(len(b)), model.LoadOptions{})
			},
		} {
			if way == "Read" && name != "tensors" {
				continue // it differs in how it reads the header
			}
			start := time.Now()
			f, err := open(t.Context())
			whole := time.Since(start)
			if f != nil {
				f.Close()
			}
			if err != nil && len(err.Error()) > 4000 {
				t.Errorf("%s: an error of %d bytes", name, len(err.Error()))
			}
			// The context ends at several moments of what it takes.
			var longest time.Duration
			for _, part := range parts {
				late := time.Hour
				for range tries { // other programs delay, too
					ctx, cancel := context.WithTimeout(t.Context(), whole*time.Duration(part)/8)
					f, err := open(ctx)
					deadline, _ := ctx.Deadline()
					took := time.Since(deadline)
					cancel()
					if f != nil {
						f.Close()
					} else if took > 0 && ctx.Err() != nil && part < 4 && took < whole/8 && !errors.Is(err, context.DeadlineExceeded) {
						t.Errorf("%s, %s: the error after the context is %.200v", way, name, err)
					}
					if late = min(late, took); late < 100*time.Millisecond {
						break
					}
				}
				longest = max(longest, late)
			}
			t.Logf("%s, %s: %d bytes take %v, at most %v after the context", way, name, len(b), whole.Round(time.Millisecond), longest.Round(time.Millisecond))
			if longest > 100*time.Millisecond {
				t.Errorf("%s, %s: it takes %v after the end of the context", way, name, longest)
			}
		}
	}
}
