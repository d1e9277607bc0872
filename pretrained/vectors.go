package pretrained

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"

	"github.com/linnet-ml/linnet/internal/plainfile"
	"github.com/linnet-ml/linnet/internal/random"
	"github.com/linnet-ml/linnet/internal/ratio"
	"github.com/linnet-ml/linnet/internal/safetensors"
	"github.com/linnet-ml/linnet/internal/wordvectors"
	"github.com/linnet-ml/linnet/text"
)

// VectorKind is a layout of a file of word vectors.
type VectorKind uint8

// The layouts that [OpenVectors] reads.
const (
	// AutoVectors recognises the file by its first bytes. A first line of two whole numbers is taken for word2vec's header.
	AutoVectors VectorKind = iota
	// GloVe has lines of a word and its values, without a header.
	GloVe
	// Word2VecText has the same lines behind a line with the number of words and the dimension. fastText's .vec files are
	// of this kind.
	Word2VecText
	// Word2VecBinary has that line, then words and their values as 32-bit floats.
	Word2VecBinary
	// Safetensors has the table as a tensor; the words are in a file of their own.
	Safetensors
)

// String is the layout's name.
func (k VectorKind) String() string {
	switch k {
	case AutoVectors:
		return "auto"
	case Safetensors:
		return "safetensors"
	}
	return wordvectors.Kind(k).String()
}

// OOVVectors says what the vectors of unknown words begin as.
type OOVVectors uint8

// What the rows for unknown words hold where the file has none.
const (
	// OOVZeros is zeros: such a word adds nothing to a text but its length.
	OOVZeros OOVVectors = iota
	// OOVMean is the mean of all vectors of the table.
	OOVMean
	// OOVUniform is random numbers between -0.1 and 0.1, drawn with VectorOptions.Seed.
	OOVUniform
)

// VectorOptions says how a file of word vectors is read. The zero value reads all of it.
type VectorOptions struct {
	// Kind is the file's layout; AutoVectors recognises it.
	Kind VectorKind
	// Name is the embedding's name. Empty: the file's, without folder and endings.
	Name string

	// Dim is the dimension that the caller expects: another one is an error. 0 takes the file's. A GloVe file whose first
	// word holds a space and a number needs it.
	Dim int
	// Words, where not nil, are the words to keep; the others are passed over, which costs little more than finding the
	// ends of their lines. The rows are in the file's order, and words that the file lacks have none.
	Words *text.Vocabulary
	// Limit keeps only the first words of the file, as many as this, and does not look at the rest. Files are in the order
	// of the words' frequency, as a rule. 0 keeps all.
	Limit int
	// KeepFirst keeps a word's first vector when the file has the word more than once, as some large tables do. Without it
	// that is an error that names both places.
	KeepFirst bool

	// VocabularyFile has the words of a safetensors table, one a line, in the order of its rows. It may be packed by gzip
	// or zstd.
	VocabularyFile string
	// Tensor is the name of the table in a safetensors file. It may be empty if there is only one tensor of two dimensions.
	Tensor string

	// Scale multiplies the file's vectors. 0 means 1. A network that trains the table with the rest learns better from
	// vectors about as long as those it would begin with: for GloVe 6B, whose vectors are 5 to 6 long, 0.1 raises the
	// validation accuracy on film reviews from 0.885 to 0.892.
	Scale float32

	// Lower turns A to Z of the texts into small letters before words are looked up, as tables of small letters need it:
	// GloVe 6B is one.
	Lower bool
	// KeepPunctuation leaves Unicode's punctuation in the tokens of the texts; it is removed otherwise. See
	// [text.HubTokenizer].
	KeepPunctuation bool
	// OOVBuckets is the number of rows for words that are not in the table, over which they are spread by their
	// fingerprint. 0 means 1.
	OOVBuckets int
	// OOV is what these rows begin as, unless a safetensors table has rows for them.
	OOV OOVVectors
	// Seed is for OOVUniform.
	Seed uint64

	// Combiner is how the vectors of a text make one: text.Sqrtn by default.
	Combiner text.Combiner

	// MaxRatio is how many times its size a packed file may unpack to, and 16 MiB beside. Default 100: a file that is packed
	// more tightly is an error. Tables of words are packed three to five times.
	MaxRatio int
}

func (o *VectorOptions) limit() ratio.Limit {
	return ratio.Limit{Ratio: o.MaxRatio, Option: "VectorOptions.MaxRatio"}
}

// OpenVectors opens a table of word vectors: a text file of GloVe, a text or binary file of word2vec, a .vec file of
// fastText, or a safetensors file with a list of words. A file that is packed by gzip or zstd is recognised and unpacked
// on the way (a safetensors file must be unpacked beforehand).
//
// Texts are turned into tokens by [text.HubTokenizer]: punctuation goes, and what stands between single spaces is a word.
// The rows are the file's words in its order and, behind them, OOVBuckets rows for all other words. A safetensors table
// may bring rows for these with it: it must then have as many more rows than words as OOVBuckets says.
//
// Opening goes through the file once and checks its layout: each line has a vector of the same length, the header's
// counts are true, no word stands there twice. Errors name the file and the line (the byte, in a binary file). The
// numbers themselves are read by [Embedding.ReadTable], which goes through the file again, and finds a number that is
// none, or not finite; so the table is only in memory where the caller has it. Both end with an error when ctx is done.
func OpenVectors(ctx context.Context, path string, o VectorOptions) (*Embedding, error) {
	if ctx == nil {
		return nil, errNilContext
	}
	s, err := openVectors(ctx, path, o)
	if err != nil {
		return nil, fmt.Errorf("pretrained: %s: %w", path, err)
	}
	return newEmbedding(s)
}

func openVectors(ctx context.Context, path string, o VectorOptions) (source, error) {
	switch {
	case o.Kind > Safetensors:
		return source{}, fmt.Errorf("no such kind of vectors: %d", o.Kind)
	case o.OOV > OOVUniform:
		return source{}, fmt.Errorf("no such vectors for unknown words: %d", o.OOV)
	case o.Dim < 0, o.Limit < 0, o.OOVBuckets < 0:
		return source{}, fmt.Errorf("options Dim %d, Limit %d and OOVBuckets %d must not be negative", o.Dim, o.Limit, o.OOVBuckets)
	case o.OOVBuckets > math.MaxInt32:
		return source{}, fmt.Errorf("option OOVBuckets %d is more than %d", o.OOVBuckets, math.MaxInt32)
	case o.Seed != 0 && o.OOV != OOVUniform:
		return source{}, fmt.Errorf("option Seed %d is for OOVUniform alone", o.Seed)
	}
	if err := o.limit().Check(); err != nil {
		return source{}, err
	}
	if o.Scale == 0 {
		o.Scale = 1
	}
	if !(o.Scale > 0 && o.Scale <= math.MaxFloat32) {
		return source{}, fmt.Errorf("option Scale %v is not a positive number", o.Scale)
	}
	if o.Combiner == text.CombinerDefault {
		o.Combiner = text.Sqrtn
	}
	o.OOVBuckets = max(o.OOVBuckets, 1)
	tensors := o.Kind == Safetensors
	if o.Kind == AutoVectors {
		var err error
		if tensors, err = looksLikeSafetensors(path); err != nil {
			return source{}, err
		}
	}
	var t vectorTable
	var err error
	if tensors {
		t, err = openTensor(ctx, path, o)
	} else if o.VocabularyFile != "" || o.Tensor != "" {
		err = errors.New("options VocabularyFile and Tensor are for safetensors files; this is none, or is packed and must be unpacked first")
	} else {
		t, err = openWords(ctx, path, o)
	}
	if err != nil {
		return source{}, err
	}
	tokenizer, err := text.NewHubTokenizer(t.vocabulary, text.HubTokenizerOptions{
		Lower: o.Lower, KeepPunctuation: o.KeepPunctuation, OOVBuckets: o.OOVBuckets,
	})
	if err != nil {
		return source{}, err
	}
	name := o.Name
	if name == "" {
		name = vectorsName(path)
	}
	words := t.vocabulary.Len()
	return source{
		name: name, path: path, tokenizer: tokenizer, vocabulary: t.vocabulary,
		rows: words + o.OOVBuckets, dim: t.dim, combiner: o.Combiner,
		read: func(ctx context.Context, dst []float32) error {
			fromFile := dst[:t.rows*t.dim]
			if err := t.read(ctx, fromFile); err != nil {
				return fmt.Errorf("pretrained: %s: %w", path, err)
			}
			if o.Scale != 1 {
				err := inChunks(ctx, fromFile, func(_ int, part []float32) {
					for i := range part {
						part[i] *= o.Scale
					}
				})
				if err != nil {
					return fmt.Errorf("pretrained: %s: %w", path, err)
				}
			}
			if t.rows == words {
				if err := unknownWords(ctx, dst, words, t.dim, o); err != nil {
					return fmt.Errorf("pretrained: %s: %w", path, err)
				}
			}
			return nil
		},
	}, nil
}

// vectorTable is what a file has: its words, and a way to its rows. rows is that of the words, or has those for unknown
// words as well.
type vectorTable struct {
	vocabulary *text.Vocabulary
	rows, dim  int
	read       func(ctx context.Context, dst []float32) error
}

// vectorsName is the file's name without what says how it is stored.
func vectorsName(path string) string {
	name := filepath.Base(path)
	for {
		switch ext := strings.ToLower(filepath.Ext(name)); ext {
		case ".gz", ".zst", ".zstd", ".txt", ".vec", ".bin", ".safetensors":
			if len(ext) < len(name) {
				name = name[:len(name)-len(ext)]
				continue
			}
		}
		return name
	}
}

// unknownWords writes the rows behind those of the words.
func unknownWords(ctx context.Context, dst []float32, words, dim int, o VectorOptions) error {
	table, oov := dst[:words*dim], dst[words*dim:]
	switch o.OOV {
	case OOVZeros:
		clear(oov)
	case OOVUniform:
		random.New(o.Seed, random.Initial, 0).Uniform(oov, -0.1, 0.1)
	case OOVMean:
		sums := make([]float64, dim)
		for row := range words {
			if row%1024 == 0 && ctx.Err() != nil {
				return ctx.Err()
			}
			for j, v := range table[row*dim : (row+1)*dim] {
				sums[j] += float64(v)
			}
		}
		for i := range oov {
			oov[i] = float32(sums[i%dim] / float64(words))
		}
	}
	return nil
}

// A wordFile is open for one walk through its words.
type wordFile struct {
	*wordvectors.Reader
	file     *os.File
	unpacked io.Closer
}

func openWordFile(ctx context.Context, path string, o VectorOptions) (*wordFile, error) {
	file, err := openRegular(path)
	if err != nil {
		return nil, err
	}
	counted := &ratio.Counter{R: file}
	unpacked, packed, err := wordvectors.Unpack(counted)
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	w := &wordFile{file: file, unpacked: unpacked}
	table := io.Reader(unpacked)
	if packed {
		table = o.limit().Reader(table, counted.Count)
	}
	if w.Reader, err = wordvectors.NewReader(contextReader{ctx, table}, wordvectors.Options{Kind: wordvectors.Kind(o.Kind), Dim: o.Dim}); err != nil {
		w.close()
		return nil, err
	}
	return w, nil
}

// close leaves its errors out: the files were only read.
func (w *wordFile) close() {
	_ = w.unpacked.Close()
	_ = w.file.Close()
}

// openWords reads the words of a file and checks its layout.
func openWords(ctx context.Context, path string, o VectorOptions) (vectorTable, error) {
	w, err := openWordFile(ctx, path, o)
	if err != nil {
		return vectorTable{}, err
	}
	defer w.close()
	var b text.VocabularyBuilder
	var seen map[string]struct{}
	if o.KeepFirst {
		seen = map[string]struct{}{}
	}
	for n := 0; o.Limit == 0 || n < o.Limit; n++ {
		word, err := w.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return vectorTable{}, err
		}
		if o.Words != nil {
			if _, ok := o.Words.ID(string(word)); !ok {
				continue
			}
		}
		if seen != nil {
			if _, twice := seen[string(word)]; twice {
				continue
			}
			seen[string(word)] = struct{}{}
		}
		b.Add(word)
	}
	vocabulary, err := b.Vocabulary(ctx)
	if twice := (*text.DuplicateError)(nil); errors.As(err, &twice) {
		return vectorTable{}, duplicateWord(ctx, path, o, twice.Word)
	}
	if err != nil {
		return vectorTable{}, err
	}
	switch {
	case vocabulary.Len() > 0:
	case o.Words != nil:
		return vectorTable{}, fmt.Errorf("the file has none of the %d words that are wanted", o.Words.Len())
	default:
		return vectorTable{}, errors.New("the file has no words")
	}
	t := vectorTable{vocabulary: vocabulary, rows: vocabulary.Len(), dim: w.Dim()}
	t.read = func(ctx context.Context, dst []float32) error { return t.readWords(ctx, path, o, dst) }
	return t, nil
}

// duplicateWord goes through the file again to find the two places of a word: no place is kept on the way there, where
// nearly every file has none.
func duplicateWord(ctx context.Context, path string, o VectorOptions, word string) error {
	w, err := openWordFile(ctx, path, o)
	if err != nil {
		return err
	}
	defer w.close()
	first := ""
	for {
		next, err := w.Next()
		if err == io.EOF {
			return errChanged
		}
		if err != nil {
			return err
		}
		if string(next) != word {
			continue
		}
		if first != "" {
			return fmt.Errorf("%s and %s both have the word %.80q (VectorOptions.KeepFirst keeps the first)", first, w.Place(), word)
		}
		first = w.Place()
	}
}

var errChanged = errors.New("the file has changed since it was opened")

// readWords reads the vectors of the vocabulary's words, which are in the file's order, each at its first place.
func (t vectorTable) readWords(ctx context.Context, path string, o VectorOptions, dst []float32) error {
	w, err := openWordFile(ctx, path, o)
	if err != nil {
		return err
	}
	defer w.close()
	if w.Dim() != t.dim {
		return errChanged
	}
	rows, err := w.ReadRows(dst, func(row int, word []byte) bool {
		wanted, _ := t.vocabulary.Word(int32(row))
		return wanted == string(word)
	})
	if err == nil && rows < t.rows {
		return errChanged
	}
	return err
}

// looksLikeSafetensors looks for the header's brace behind its length. No other layout has it there: they begin with
// text, whose first eight bytes make a length far beyond any file's.
func looksLikeSafetensors(path string) (bool, error) {
	file, err := openRegular(path)
	if err != nil {
		return false, err
	}
	defer file.Close()
	var head [9]byte
	if _, err := io.ReadFull(file, head[:]); err == io.EOF || err == io.ErrUnexpectedEOF {
		return false, nil
	} else if err != nil {
		return false, err
	}
	return binary.LittleEndian.Uint64(head[:8]) < 1<<40 && head[8] == '{', nil
}

// openRegular refuses folders, and pipes, which cannot be read twice.
func openRegular(path string) (*os.File, error) {
	file, _, err := plainfile.OS(path)
	if err != nil {
		return nil, plainfile.Reason(err) // the path is reported with it
	}
	return file, nil
}

// openTensor reads the words of a safetensors table and checks that the table fits them.
func openTensor(ctx context.Context, path string, o VectorOptions) (vectorTable, error) {
	switch {
	case o.VocabularyFile == "":
		return vectorTable{}, errors.New("a safetensors file has no words: VectorOptions.VocabularyFile must name the file that has them")
	case o.Words != nil, o.Limit != 0, o.KeepFirst:
		return vectorTable{}, errors.New("options Words, Limit and KeepFirst are for files that have the words beside their vectors, not for safetensors")
	}
	file, err := openRegular(path)
	if err != nil {
		return vectorTable{}, err
	}
	defer file.Close()
	tensor, err := findTensor(ctx, file, o.Tensor)
	if err != nil {
		return vectorTable{}, err
	}
	vocabulary, err := readVocabularyFile(ctx, o.VocabularyFile, o.limit())
	if err != nil {
		return vectorTable{}, err
	}
	t := vectorTable{vocabulary: vocabulary, rows: tensor.Shape[0], dim: tensor.Shape[1]}
	words := vocabulary.Len()
	switch {
	case o.Dim != 0 && o.Dim != t.dim:
		return vectorTable{}, fmt.Errorf("tensor %.80q: the vectors have %d values, not %d", tensor.Name, t.dim, o.Dim)
	case words == 0:
		return vectorTable{}, fmt.Errorf("vocabulary %s has no words", o.VocabularyFile)
	case words > t.rows:
		return vectorTable{}, fmt.Errorf("vocabulary %s has %d words, but the table has only %d rows", o.VocabularyFile, words, t.rows)
	case words < t.rows && t.rows-words != o.OOVBuckets:
		return vectorTable{}, fmt.Errorf("the table has %d rows and vocabulary %s has %d words: the %d rows behind them are for unknown words only if OOVBuckets is as many, not %d",
			t.rows, o.VocabularyFile, words, t.rows-words, o.OOVBuckets)
	case words < t.rows && o.OOV != OOVZeros:
		return vectorTable{}, fmt.Errorf("the table has %d rows for unknown words of its own: OOV must not name others", t.rows-words)
	}
	t.read = func(ctx context.Context, dst []float32) error {
		file, err := openRegular(path)
		if err != nil {
			return err
		}
		defer file.Close()
		again, err := findTensor(ctx, file, tensor.Name)
		if err != nil {
			return err
		}
		if again.Shape[0] != t.rows || again.Shape[1] != t.dim {
			return errChanged
		}
		return readFloats(contextReader{ctx, again.Section()}, dst)
	}
	return t, nil
}

func readFloats(r io.Reader, dst []float32) error {
	buf := make([]byte, min(4*len(dst), 256<<10))
	for len(dst) > 0 {
		b := buf[:min(len(buf), 4*len(dst))]
		if _, err := io.ReadFull(r, b); err != nil {
			return err
		}
		for i := range len(b) / 4 {
			dst[i] = math.Float32frombits(binary.LittleEndian.Uint32(b[4*i:]))
		}
		dst = dst[len(b)/4:]
	}
	return nil
}

// findTensor finds the table: the tensor of that name, or the only one that can be meant.
func findTensor(ctx context.Context, file *os.File, name string) (safetensors.Tensor, error) {
	info, err := file.Stat()
	if err != nil {
		return safetensors.Tensor{}, err
	}
	f, err := safetensors.Open(ctx, file, info.Size())
	if err != nil {
		return safetensors.Tensor{}, err
	}
	if name == "" {
		for _, t := range f.Tensors() {
			if len(t.Shape) != 2 {
				continue
			}
			if name != "" {
				return safetensors.Tensor{}, fmt.Errorf("tensors %.80q and %.80q both have two dimensions: VectorOptions.Tensor must name the table", name, t.Name)
			}
			name = t.Name
		}
		if name == "" {
			return safetensors.Tensor{}, errors.New("the file has no tensor of two dimensions")
		}
	}
	t, err := f.Tensor(name)
	switch {
	case err != nil:
		return t, err
	case len(t.Shape) != 2:
		return t, fmt.Errorf("tensor %.80q has shape %.200s, not (words, dimension)", name, fmt.Sprint(t.Shape))
	case t.DType != safetensors.F32:
		return t, fmt.Errorf("tensor %.80q holds %s, not F32", name, t.DType)
	case t.Shape[0] == 0 || t.Shape[1] == 0:
		return t, fmt.Errorf("tensor %.80q of shape %v is empty", name, t.Shape)
	}
	return t, nil
}

func readVocabularyFile(ctx context.Context, path string, limit ratio.Limit) (*text.Vocabulary, error) {
	file, err := plainfile.Open(ctx, path, maxTokens)
	if err != nil {
		return nil, fmt.Errorf("vocabulary %s: %w", path, plainfile.Reason(err))
	}
	defer file.Close()
	counted := &ratio.Counter{R: file}
	unpacked, packed, err := wordvectors.Unpack(counted)
	if err != nil {
		return nil, fmt.Errorf("vocabulary %s: %w", path, err)
	}
	defer unpacked.Close()
	words := io.Reader(unpacked)
	if packed {
		words = limit.Reader(words, counted.Count)
	}
	v, err := text.ReadVocabulary(ctx, words)
	if err != nil {
		return nil, fmt.Errorf("vocabulary %s: %w", path, err)
	}
	return v, nil
}
