package main

import (
	"context"
	"maps"
	"slices"
	"strings"
)

// section is work that several peers do, in turn.
type section struct {
	key, title string
	figures    []figure
	peers      []peer
}

// figure is something that a peer's run measures.
type figure struct {
	key, title string
	digits     int
	ratio      bool // whether it is a cost, to be compared with linnet's
}

// peer is one program to measure, on one thread unless its key says otherwise.
type peer struct {
	key      string   // for -only
	title    string   // the table's row
	packages []string // Python packages that it needs
	run      func(ctx context.Context, seed int) (measurement, error)
}

// measurement is what one run of a peer gave.
type measurement struct {
	figures map[string]float64 // by the keys of figures; one that a peer does not have is absent
	facts   map[string]string  // versions and the like, equal in all runs
}

// with adds figures to those that are there.
func (m measurement) with(figures map[string]float64) measurement {
	if m.figures != nil {
		maps.Copy(m.figures, figures)
	}
	return m
}

// sectionKeys are the names for -only.
var sectionKeys = []string{"fit", "inference", "table", "products", "curves", hubKey, loadKey, classifyKey, classifyRowsKey, classifySizeKey, classifyTimeKey, serveKey}

// onlyNamed are the sections that are measured only if -only names them.
var onlyNamed = append(slices.Clone(classifyKeys), serveKey)

// sections are all, with all their peers. To measure something else, add a peer or a figure here.
func (b *bench) sections() []section {
	keras := []string{"tensorflow-cpu", "keras", "numpy"}
	torch := []string{"torch", "numpy"}
	ort := []string{"onnxruntime", "onnx", "numpy"}
	return append([]section{
		{"fit", "The first tutorial: 40 epochs with validation", []figure{
			{"fit_s", "fit, s", 3, true},
			{"epoch_median_s", "an epoch, s", 4, false},
			{"compile_s", "compiling, s", 1, false},
			{"load_pad_s", "read and pad, s", 3, false},
			{"process_s", "process, s", 2, false},
			{"test_accuracy", "test accuracy", 4, false},
		}, []peer{
			{"linnet", "linnet", nil, b.tutorial(1, false)},
			{"linnet-2", "linnet, 2 threads", nil, b.tutorial(2, false)},
			{"linnet-busy", "linnet, every core taken by others", nil, b.tutorial(1, true)},
			{"linnet-2-busy", "the same, 2 threads", nil, b.tutorial(2, true)},
			{"plain", "plain Go loops", nil, b.plain},
			{"keras", "Keras", keras, b.fitScript("keras_imdb.py")},
			{"keras-jit", "Keras with XLA", keras, b.fitScript("keras_imdb.py", "--jit")},
			{"torch-mean", "PyTorch, Embedding and mean", torch, b.fitScript("torch_imdb.py", "--mode", "mean")},
			{"torch-bag", "PyTorch, EmbeddingBag", torch, b.fitScript("torch_imdb.py", "--mode", "bag")},
			{"torch-compile", "PyTorch, torch.compile", torch, b.compiled(b.fitScript("torch_imdb.py", "--mode", "compile"))},
		}},
		{"inference", "Evaluate 25,000 padded reviews; predict one of 256 ids, 1,000 different ones in turn", []figure{
			{"evaluate_ms", "evaluate, ms", 2, true},
			{"evaluate_bags_ms", "with bags ready, ms", 2, false},
			{"predict_us", "predict one, µs", 3, true},
			{"predict_allocations", "allocations", 3, false},
		}, []peer{
			{"linnet", "linnet", nil, b.linnetInference},
			{"onnxruntime", "onnxruntime", ort, b.inferenceScript("onnxruntime")},
			{"torch-bag", "PyTorch, EmbeddingBag", torch, b.inferenceScript("torch")},
			{"keras", "Keras", keras, b.inferenceScript("keras")},
		}},
		{"table", "A table of 963,812 × 50: Adam, batches of 512 whole reviews with all their words", []figure{
			{"step_ms", "a step of epoch 2, ms", 2, true},
			{"peak_mib", "memory beside the data, MiB", 0, false},
		}, []peer{
			{"linnet", "linnet", nil, b.linnetTable(1)},
			{"linnet-2", "linnet, 2 threads", nil, b.linnetTable(2)},
			{"keras", "Keras", keras, b.tableScript},
		}},
		b.hubSection(),
	}, slices.Concat(b.loadSections(), b.classifySections(), b.serveSections())...)
}

// name is the section's for -only.
func (s section) name() string {
	for _, name := range []string{loadKey, classifyRowsKey, classifySizeKey, classifyTimeKey, classifyKey, serveKey} {
		if s.key == name || strings.HasPrefix(s.key, name+"-") {
			return name
		}
	}
	return s.key
}

// choose returns what -only, -jit and -compile ask for.
func (b *bench) choose() (chosen []section, products, curves bool, err error) {
	var sections, peers []string
	known := map[string]bool{}
	keys := slices.Clone(sectionKeys)
	all := b.sections()
	for _, s := range all {
		keys = append(keys, s.key)
		for _, p := range s.peers {
			known[p.key] = true
		}
	}
	for _, name := range strings.FieldsFunc(b.only, func(r rune) bool { return r == ',' }) {
		switch {
		case slices.Contains(keys, name):
			sections = append(sections, name)
		case known[name]:
			peers = append(peers, name)
		default:
			return nil, false, false, usagef("-only: no section or peer is called %q", name)
		}
	}
	wanted := func(p peer) bool {
		switch {
		case len(peers) > 0:
			return slices.Contains(peers, p.key)
		case p.key == "keras-jit":
			return b.jit
		case p.key == "torch-compile":
			return b.compile
		}
		return true
	}
	in := func(key string) bool { return len(sections) == 0 || slices.Contains(sections, key) }
	for _, s := range all {
		s.peers = slices.DeleteFunc(s.peers, func(p peer) bool { return !wanted(p) })
		named := slices.Contains(sections, s.name()) || slices.Contains(sections, s.key)
		if (named || len(sections) == 0 && !slices.Contains(onlyNamed, s.name())) && len(s.peers) > 0 {
			chosen = append(chosen, s)
		}
	}
	// Products and curves have no peers to choose from.
	whole := len(peers) == 0 || len(sections) > 0
	return chosen, whole && in("products"), whole && in("curves"), nil
}
