package pretrained

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/linnet-ml/linnet/internal/bundle"
	"github.com/linnet-ml/linnet/internal/plainfile"
	"github.com/linnet-ml/linnet/internal/savedmodel"
	"github.com/linnet-ml/linnet/internal/shown"
	"github.com/linnet-ml/linnet/text"
)

// HubOptions is what [OpenHub] may need to be told. The zero value is right for every module whose graph linnet knows.
//
// Tokens, Table, Tokenizer and Combiner are for a module whose graph it does not know: then all four are needed. For
// any other module they may say what the module says itself, and are an error if they say anything else.
type HubOptions struct {
	// Name is the embedding's name. The default is the name of the folder.
	Name string
	// Tokens is the file in the module's folder assets that lists the vocabulary, one token a line.
	Tokens string
	// Table is the key of the table in the module's checkpoint, such as "embeddings/.ATTRIBUTES/VARIABLE_VALUE".
	Table string
	// Tokenizer says how a text becomes tokens, and tokens outside the vocabulary ids.
	Tokenizer *text.HubTokenizerOptions
	// Combiner says how the vectors of tokens make one.
	Combiner text.Combiner
}

// OpenHub opens a text module of TensorFlow Hub: a folder with a SavedModel that turns strings into vectors, such as
// google/nnlm-en-dim50/2. It takes from the module's own graph how a text becomes tokens, which file lists the
// vocabulary, which variable is the table, and how vectors are combined. A graph that computes anything else is an
// error which says what it does where; the options then say how to read the module.
//
// Opening reads the vocabulary; [Embedding.ReadTable] reads the table and verifies its checksum. Modules in which words
// outside the vocabulary fall into no row, or fall into one by another hash than Fingerprint64, and modules which leave
// out empty tokens, are not supported. A vocabulary that with the rows for other words does not have as many words as the table
// has rows is an error: it belongs to another table, or has lost lines. An end of ctx is an error.
func OpenHub(ctx context.Context, dir string, o HubOptions) (*Embedding, error) {
	if ctx == nil {
		return nil, errNilContext
	}
	s, err := openHub(ctx, dir, o)
	if err != nil {
		return nil, shown.Errorf("pretrained: %s: %w", dir, err)
	}
	return newEmbedding(*s)
}

func openHub(ctx context.Context, dir string, o HubOptions) (*source, error) {
	switch o.Combiner {
	case text.CombinerDefault, text.Sqrtn, text.Mean, text.Sum:
	default:
		return nil, fmt.Errorf("the options name the combiner %v, which does not exist", o.Combiner)
	}
	model, err := savedmodel.Read(ctx, dir)
	if err != nil {
		return nil, hubFile(filepath.Join(dir, "saved_model.pb"), err)
	}
	variables := filepath.Join(dir, "variables", "variables")
	checkpoint, err := bundle.Open(ctx, variables)
	if err != nil {
		return nil, hubFile(variables+".index", err)
	}
	rule, err := recognise(model)
	if err == nil {
		err = rule.findTable(ctx, model, checkpoint)
	}
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if err != nil {
		if rule, err = o.rule(err); err != nil {
			return nil, err
		}
	} else if err := o.agree(rule); err != nil {
		return nil, err
	}

	t, err := openHubTable(checkpoint, rule.keys)
	if err != nil {
		return nil, err
	}
	vocabulary, err := readTokens(ctx, dir, rule.tokens, rule.words)
	if err != nil {
		return nil, err
	}
	tokenizer, err := text.NewHubTokenizer(vocabulary, rule.tokenizer)
	if err != nil {
		return nil, err
	}
	if n := tokenizer.Size(); n < t.rows { // unknown words would get the vectors of others
		path := filepath.Join(dir, "assets", filepath.FromSlash(rule.tokens))
		return nil, hubFile(path, fmt.Errorf("%s: %d words, and %d rows for other words, but the table has %d rows: the file has lost lines, or belongs to another table",
			path, vocabulary.Len(), n-vocabulary.Len(), t.rows))
	}
	name := o.Name
	if name == "" {
		abs, err := filepath.Abs(dir)
		if err != nil {
			return nil, err
		}
		name = filepath.Base(abs)
	}
	return &source{
		name: name, path: dir, tokenizer: tokenizer, vocabulary: vocabulary,
		rows: t.rows, dim: t.dim, combiner: rule.combiner, read: t.read,
	}, nil
}

// hubFile returns an error that says what lies in place of a module's file, where its first bytes tell, and err where they do
// not.
func hubFile(path string, err error) error {
	file, openErr := openRegular(path)
	if openErr != nil {
		return err
	}
	defer file.Close()
	if what := contentOf(file); what != "" {
		return fmt.Errorf("%s is none of a module's files but %s", path, what)
	}
	return err
}

// rule is the rule of the options, for a graph that was not recognised for the reason given.
func (o *HubOptions) rule(reason error) (*hubRule, error) {
	var missing []string
	if o.Tokens == "" {
		missing = append(missing, "Tokens")
	}
	if o.Table == "" {
		missing = append(missing, "Table")
	}
	if o.Tokenizer == nil {
		missing = append(missing, "Tokenizer")
	}
	if o.Combiner == text.CombinerDefault {
		missing = append(missing, "Combiner")
	}
	if missing != nil {
		return nil, fmt.Errorf("not a text module that linnet knows: %w; to read it nevertheless, HubOptions must name %s",
			reason, strings.Join(missing, ", "))
	}
	return &hubRule{tokens: o.Tokens, words: -1, keys: []string{o.Table}, tokenizer: *o.Tokenizer, combiner: o.Combiner}, nil
}

// agree demands that options and module do not contradict each other.
func (o *HubOptions) agree(r *hubRule) error {
	differ := func(what string, option, module any) error {
		return fmt.Errorf("the options name %s %v, but the module's graph says %v", what, option, module)
	}
	switch {
	case o.Tokens != "" && o.Tokens != r.tokens:
		return differ("the tokens", o.Tokens, r.tokens)
	case o.Table != "" && (len(r.keys) != 1 || o.Table != r.keys[0]):
		return differ("the table", o.Table, r.keys)
	case o.Combiner != text.CombinerDefault && o.Combiner != r.combiner:
		return differ("the combiner", o.Combiner, r.combiner)
	}
	if o.Tokenizer != nil {
		t := *o.Tokenizer
		t.OOVBuckets = max(1, t.OOVBuckets)
		if t != r.tokenizer {
			return differ("the tokenizer", fmt.Sprintf("%+v", t), fmt.Sprintf("%+v", r.tokenizer))
		}
	}
	return nil
}

// maxTokens is the largest file of words alone that is read, in bytes: a hundred times that of the largest text modules.
const maxTokens = 1 << 30

// readTokens reads the vocabulary. words is the number of words that the module expects, -1 if it says nothing.
func readTokens(ctx context.Context, dir, name string, words int64) (*text.Vocabulary, error) {
	if !filepath.IsLocal(filepath.FromSlash(name)) {
		return nil, fmt.Errorf("the tokens are in the file %.80q, which is not in the folder assets", name)
	}
	path := filepath.Join(dir, "assets", filepath.FromSlash(name))
	f, err := plainfile.Open(ctx, path, maxTokens)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	v, err := text.ReadHubVocabulary(ctx, f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if v.Len() == 0 {
		return nil, fmt.Errorf("%s: no words", path)
	}
	if words >= 0 && int64(v.Len()) != words {
		return nil, fmt.Errorf("%s: %d words, but the module's graph says %d", path, v.Len(), words)
	}
	return v, nil
}

// hubTable is a table in one or more tensors of a checkpoint, whose rows follow each other.
type hubTable struct {
	checkpoint *bundle.Bundle
	tensors    []*bundle.Tensor
	rows, dim  int
}

func openHubTable(checkpoint *bundle.Bundle, keys []string) (*hubTable, error) {
	t := &hubTable{checkpoint: checkpoint}
	for _, key := range keys {
		tensor, err := checkpoint.Tensor(key)
		if err != nil {
			return nil, err
		}
		if tensor.DType != bundle.Float32 || len(tensor.Shape) != 2 {
			return nil, fmt.Errorf("the table %.80q is %v of shape %v, not float32 of shape (rows, dim)", key, tensor.DType, tensor.Shape)
		}
		rows, dim := int(tensor.Shape[0]), int(tensor.Shape[1])
		if int64(rows) != tensor.Shape[0] || int64(dim) != tensor.Shape[1] || t.rows+rows < t.rows {
			return nil, fmt.Errorf("the table %.80q of shape %v is too large for this machine", key, tensor.Shape)
		}
		if len(t.tensors) > 0 && dim != t.dim {
			return nil, fmt.Errorf("the table's parts have vectors of %d and of %d values", t.dim, dim)
		}
		t.tensors = append(t.tensors, tensor)
		t.rows, t.dim = t.rows+rows, dim
	}
	// An id finds its part by the rule that the first parts have one row more than the others where they cannot all have
	// as many.
	for i, tensor := range t.tensors {
		n := len(t.tensors)
		want := t.rows / n
		if i < t.rows%n {
			want++
		}
		if tensor.Shape[0] != int64(want) {
			return nil, fmt.Errorf("part %d of the table's %d has %d rows where %d belong", i, n, tensor.Shape[0], want)
		}
	}
	return t, nil
}

// read writes the table to dst.
func (t *hubTable) read(ctx context.Context, dst []float32) error {
	for _, tensor := range t.tensors {
		n := tensor.Elements()
		if err := t.checkpoint.ReadFloat32(ctx, tensor, dst[:n]); err != nil {
			return fmt.Errorf("pretrained: %w", err)
		}
		dst = dst[n:]
	}
	return nil
}

// findTable turns the variables that the graph looks up into keys of the checkpoint.
func (r *hubRule) findTable(ctx context.Context, m *savedmodel.Model, checkpoint *bundle.Bundle) error {
	var keys map[int]string
	for _, v := range r.variables {
		if v.object < 0 { // the name is the key
			r.keys = append(r.keys, v.name)
			continue
		}
		if keys == nil {
			var err error
			if keys, err = checkpointKeys(ctx, m, checkpoint); err != nil {
				return err
			}
		}
		key, ok := keys[v.object]
		if !ok {
			return fmt.Errorf("the checkpoint has no values for the variable %.80q (object %d)", v.name, v.object)
		}
		r.keys = append(r.keys, key)
	}
	r.joinParts(checkpoint)
	return nil
}

func checkpointKeys(ctx context.Context, m *savedmodel.Model, checkpoint *bundle.Bundle) (map[int]string, error) {
	t, err := checkpoint.Tensor(savedmodel.CheckpointGraphKey)
	if err != nil {
		return nil, err
	}
	graph, err := checkpoint.ReadStrings(ctx, t)
	if err != nil {
		return nil, err
	}
	if len(graph) != 1 {
		return nil, errors.New("the checkpoint's objects are not one string")
	}
	return m.CheckpointKeys(graph[0])
}

// joinParts replaces the names of a partitioned variable's parts, V/part_0 and so on, by V if that is how the checkpoint
// has them: one tensor in as many parts.
func (r *hubRule) joinParts(checkpoint *bundle.Bundle) {
	whole := strings.TrimSuffix(r.keys[0], "/part_0")
	if whole == r.keys[0] {
		return
	}
	for i, key := range r.keys {
		if key != fmt.Sprintf("%s/part_%d", whole, i) {
			return
		}
	}
	if t, err := checkpoint.Tensor(whole); err == nil && t.Parts() == len(r.keys) {
		r.keys = []string{whole}
	}
}
