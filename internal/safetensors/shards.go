package safetensors

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/linnet-ml/linnet/internal/strictjson"
)

// maxShards is how many files a model may be spread over: as many can be open at a time.
const maxShards = 1000

// Index says which file of a sharded model holds which tensor: what Hugging Face calls model.safetensors.index.json.
type Index struct {
	files []string // sorted
	// file of each tensor, by its place in files
	weights map[string]int
}

// ParseIndex reads and checks an index: an object with a "weight_map" from tensor to file; what else it has is ignored. Files
// are named without a folder.
func ParseIndex(ctx context.Context, b []byte) (*Index, error) {
	if i, err := invalidUTF8(ctx, b); err != nil {
		return nil, err
	} else if i >= 0 {
		return nil, fmt.Errorf("safetensors: byte %d: index is not UTF-8", i)
	}
	s := strictjson.New(ctx, b, strictjson.Options{Prefix: "safetensors: ", What: "index"})
	of := map[string]string{} // file of each tensor
	files := map[string]int{}
	seen := false
	err := s.Object(func() error {
		key, err := s.String("name")
		if err != nil {
			return err
		}
		if key == "weight_map" && seen {
			return s.Errorf("name %s occurs twice", strictjson.Quote(key))
		}
		if err := s.Colon(); err != nil {
			return err
		}
		if key != "weight_map" {
			_, err := s.Value()
			return err
		}
		seen = true
		return s.Object(func() error {
			name, err := s.String("name")
			if err != nil {
				return err
			}
			if _, ok := of[name]; ok {
				return s.Errorf("tensor %s occurs twice", strictjson.Quote(name))
			}
			if err := s.Colon(); err != nil {
				return err
			}
			file, err := s.String("file of tensor " + strictjson.Quote(name))
			if err != nil {
				return err
			}
			if !plainName(file) {
				return s.Errorf("tensor %s: file %s is not the plain name of a file in the index's folder", strictjson.Quote(name), strictjson.Quote(file))
			}
			if _, ok := files[file]; !ok && len(files) == maxShards {
				return s.Errorf("index names more than %d files", maxShards)
			}
			files[file] = 0
			of[name] = file
			return nil
		})
	})
	if err == nil {
		err = s.End()
	}
	if err != nil {
		return nil, err
	}
	if !seen {
		return nil, fmt.Errorf("safetensors: index has no weight_map")
	}
	x := &Index{files: slices.Sorted(maps.Keys(files)), weights: make(map[string]int, len(of))}
	for i, file := range x.files {
		files[file] = i
	}
	for name, file := range of {
		x.weights[name] = files[file]
	}
	return x, nil
}

// plainName is whether a name means a file in the same folder, on every system: no separators, no streams or volumes of
// Windows, no folder.
func plainName(name string) bool {
	return name != "" && name != "." && name != ".." && len(name) <= 255 && !strings.ContainsFunc(name, func(r rune) bool {
		return r < ' ' || r == 0x7f || strings.ContainsRune(`/\:*?"<>|`, r)
	})
}

// Files lists the names of the files, sorted. The caller must not change the list.
func (x *Index) Files() []string { return x.files }

// Join makes one File of the files of a sharded model, in the order of Files. Each tensor must be in the file that the index
// names, and the files must hold no others. The metadata are those of all files together; where two have a key, the value of
// the first counts.
func (x *Index) Join(files []*File) (*File, error) {
	if len(files) != len(x.files) {
		return nil, fmt.Errorf("safetensors: %d files for an index of %d", len(files), len(x.files))
	}
	all := &File{index: make(map[string]int, len(x.weights))}
	for i, f := range files {
		for _, t := range f.tensors {
			want, ok := x.weights[t.Name]
			switch {
			case !ok:
				return nil, fmt.Errorf("safetensors: file %s has the tensor %s, which the index does not name",
					strictjson.Quote(x.files[i]), strictjson.Quote(t.Name))
			case want != i:
				return nil, fmt.Errorf("safetensors: file %s has the tensor %s, which the index places in %s",
					strictjson.Quote(x.files[i]), strictjson.Quote(t.Name), strictjson.Quote(x.files[want]))
			}
			all.index[t.Name] = len(all.tensors)
			all.tensors = append(all.tensors, t)
		}
		for k, v := range f.metadata {
			if _, ok := all.metadata[k]; !ok {
				if all.metadata == nil {
					all.metadata = map[string]string{}
				}
				all.metadata[k] = v
			}
		}
	}
	if len(all.tensors) < len(x.weights) {
		for _, name := range slices.Sorted(maps.Keys(x.weights)) {
			if _, ok := all.index[name]; !ok {
				return nil, fmt.Errorf("safetensors: file %s has no tensor %s, which the index places there",
					strictjson.Quote(x.files[x.weights[name]]), strictjson.Quote(name))
			}
		}
	}
	return all, nil
}
