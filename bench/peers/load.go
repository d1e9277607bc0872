package main

import (
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
)

// loadKey names, for -only, the sections of saved models. They have a part of the results for themselves.
const loadKey = "load"

// The keys of the sections.
const (
	loadTutorialKey = "load-tutorial"
	loadTableKey    = "load-table"
	loadTextsKey    = "load-texts"
	loadOpenKey     = "load-open"
	loadSaveKey     = "load-save"
)

const loadNote = "Each figure is of one call in a process of its own, whose libraries are imported before and whose files are in the system's cache. " +
	"The first prediction is of one review, of 256 ids or as it is written, and counts from the call that loads. " +
	"PyTorch and safetensors load tensors alone: the network is three lines of the program, without modules and their initial values. " +
	"safetensors reads linnet's own file. The peers must predict what linnet does, but fastText, whose model is another one: " +
	"of as many words and dimensions, made with its train_supervised. " +
	"Saving replaces a file of 193 MB and counts until it is on the disk under its name; for PyTorch and safetensors, which leave it to the system, " +
	"the program adds fsync and rename. The disk's own speed is a plain write, fsync and rename of the same bytes, in linnet's process after each save. " +
	"Heap is what Go's allocator gave out while the file was opened; an MB is 1,000,000 bytes."

// loadSections are saved models in linnet and in peers.
func (b *bench) loadSections() []section {
	torch, keras := []string{"torch", "safetensors", "numpy"}, []string{"tensorflow-cpu", "keras", "safetensors", "numpy"}
	first := figure{"first_ms", "load and predict, ms", 2, true}
	opening := []figure{first, {"open_ms", "load alone, ms", 2, false}, {"heap_mb", "heap, MB", 2, false}, {"peak_mb", "peak memory of the process, MB", 0, false}}
	network := func(model string) []peer {
		return []peer{
			{"linnet", "linnet", nil, b.linnetLoad(model)},
			{"linnet-memory", "linnet, into memory", nil, b.linnetLoad(model, "-memory")},
			{"torch-load", "PyTorch, torch.load", torch, b.loadScript("torch", model)},
			{"torch-mmap", "PyTorch, torch.load(mmap=True)", torch, b.loadScript("torch-mmap", model)},
			{"safetensors", "PyTorch, safetensors' load_file", torch, b.loadScript("safetensors", model)},
			{"keras", "Keras, load_model", keras, b.loadScript("keras", model)},
		}
	}
	return []section{
		{loadTutorialKey, "The first tutorial's model: 10,000 × 16", opening, network("tutorial")},
		{loadTableKey, "The same network with a table of 963,812 × 50", opening, network("table")},
		{loadTextsKey, "A model of 963,812 × 50 that reads texts, its words in the file", opening, []peer{
			{"linnet", "linnet", nil, b.linnetLoad("texts")},
			{"linnet-memory", "linnet, into memory", nil, b.linnetLoad("texts", "-memory")},
			{"fasttext", "fastText, load_model", []string{"fasttext-wheel", "numpy"}, b.loadScript("fasttext", "texts")},
		}},
		{loadOpenKey, "A file of 200 MB: an embedding of 1,000,000 × 50", opening, []peer{
			{"linnet", "linnet", nil, b.linnetLoad("open")},
			{"linnet-memory", "linnet, into memory", nil, b.linnetLoad("open", "-memory")},
		}},
		{loadSaveKey, "Saving a model with a table of 963,812 × 50", []figure{
			{"save_ms", "save, ms", 0, true},
			{"save_mbs", "MB/s", 0, false},
			{"plain_ms", "a plain write of as many bytes, ms", 0, false},
			{"plain_mbs", "MB/s", 0, false},
			{"by_plain", "save by plain write", 2, false},
		}, []peer{
			{"linnet", "linnet", nil, b.linnetSave},
			{"torch-load", "PyTorch, torch.save", torch, b.saveScript("torch")},
			{"safetensors", "PyTorch, safetensors' save_file", torch, b.saveScript("safetensors")},
		}},
	}
}

// savedModels is the folder of the models to load.
func (b *bench) savedModels() string { return filepath.Join(b.scratch, "models") }

// prepareLoad builds the program, makes the models, and has each peer write its own. It returns why peers are missing, by
// their keys.
func (b *bench) prepareLoad(ctx context.Context, sections []section) (missing map[string]string, err error) {
	if _, err := os.Stat(b.npz()); err != nil {
		return nil, fmt.Errorf("no data (name its folder with -shared or LINNET_SHARED): %w", err)
	}
	if err := b.build(ctx, map[string]string{"measure": "./bench/peers/linnet"}); err != nil {
		return nil, err
	}
	if err := b.copyScripts(); err != nil {
		return nil, err
	}
	if err := os.Mkdir(b.savedModels(), 0o777); err != nil {
		return nil, err
	}
	if _, err := b.start(ctx, 1, b.program("measure"), "-what", "models", "-models", b.savedModels(), "-data", filepath.Dir(b.npz()),
		"-vectors", filepath.Join(b.shared, "data", "embeddings", "glove.6B.100d.imdb-vocab.txt.gz")); err != nil {
		return nil, err
	}
	if missing, err = b.missingPeers(ctx, sections); err != nil {
		return nil, err
	}
	b.loadPredictions = map[string]float64{}
	for _, model := range []string{"tutorial", "table"} {
		m, err := b.linnetLoad(model)(ctx, 0)
		if err != nil {
			return nil, err
		}
		b.loadPredictions[model] = m.figures["prediction"]
	}
	for maker, peers := range map[string][]string{"torch": {"torch-load", "torch-mmap"}, "keras": {"keras"}, "fasttext": {"fasttext"}} {
		if _, ok := missing[peers[0]]; ok || !slices.ContainsFunc(sections, func(s section) bool {
			return slices.ContainsFunc(s.peers, func(p peer) bool { return slices.Contains(peers, p.key) })
		}) {
			continue
		}
		if _, err := b.runLoadScript(ctx, maker, "make"); ctx.Err() != nil {
			return nil, ctx.Err()
		} else if err != nil {
			fmt.Fprintln(b.log, err)
			for _, key := range peers {
				missing[key] = "it could not write its model"
			}
		}
	}
	return missing, nil
}

// linnetLoad loads a model in a process of its own.
func (b *bench) linnetLoad(model string, flags ...string) func(context.Context, int) (measurement, error) {
	return func(ctx context.Context, _ int) (measurement, error) {
		return b.wholeOf(ctx, b.program("measure"), append([]string{"-what", "load", "-models", b.savedModels(), "-model", model}, flags...)...)
	}
}

func (b *bench) linnetSave(ctx context.Context, _ int) (measurement, error) {
	return b.wholeOf(ctx, b.program("measure"), "-what", "save", "-models", b.savedModels())
}

// loadScript loads a model in a peer, and refuses it when it predicts something else than linnet.
func (b *bench) loadScript(peer, model string) func(context.Context, int) (measurement, error) {
	return func(ctx context.Context, _ int) (measurement, error) {
		m, err := b.runLoadScript(ctx, peer, "load", model)
		want, same := b.loadPredictions[model]
		if got := m.figures["prediction"]; err == nil && same && !(math.Abs(got-want) <= 1e-6) {
			err = fmt.Errorf("it predicts %v, linnet %v", got, want)
		}
		return m, err
	}
}

func (b *bench) saveScript(peer string) func(context.Context, int) (measurement, error) {
	return func(ctx context.Context, _ int) (measurement, error) { return b.runLoadScript(ctx, peer, "save") }
}

func (b *bench) runLoadScript(ctx context.Context, peer, what string, model ...string) (measurement, error) {
	return b.wholeOf(ctx, pythonIn(b.venv), append([]string{filepath.Join(b.scratch, "scripts", "load.py"), peer, what, b.savedModels()}, model...)...)
}

// wholeOf is jsonOf with the figures of the process as a whole.
func (b *bench) wholeOf(ctx context.Context, program string, args ...string) (measurement, error) {
	out, whole, err := b.timed(ctx, 1, program, args...)
	if err != nil {
		return measurement{}, err
	}
	m, err := parseFigures(out)
	return m.with(whole), err
}
