package pretrained

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"unicode"

	"github.com/linnet-ml/linnet/internal/filekind"
	"github.com/linnet-ml/linnet/internal/plainfile"
	"github.com/linnet-ml/linnet/internal/random"
	"github.com/linnet-ml/linnet/internal/ratio"
	"github.com/linnet-ml/linnet/internal/safetensors"
	"github.com/linnet-ml/linnet/internal/shown"
	"github.com/linnet-ml/linnet/internal/textline"
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
	// Name is the embedding's name. Empty: the file's, or that of the member of a zip archive, without folder and endings.
	Name string
	// Member is the file in a zip archive that has the vectors, such as "glove.6B.100d.txt". It may be empty if there is
	// only one, or only one that is called .txt, .vec or .bin.
	Member string

	// Dim is the dimension that the caller expects: another one is an error. 0 takes the header's, or that of the first
	// line. Where Dim or a header says how many values a line has, the word before them may end with numbers, as "route 66"
	// does; without either such a line is an error.
	Dim int
	// SkipMalformed passes over lines, and words of a binary file, that have no word, another number of values, or values
	// that are not finite numbers. [Embedding.Skipped] counts them. The first line may be one of them: where neither Dim nor a
	// header says the dimension, it is the one that most of the first 16 lines have. Opening the file then reads all numbers,
	// which takes longer. Without SkipMalformed the first malformed line is an error.
	SkipMalformed bool
	// Words, where not nil, are the words to keep; the others are passed over, which costs little more than finding the
	// ends of their lines. The rows are in the file's order, and words that the file lacks have none: [Embedding.VectorsOf]
	// gives a row for each of one's own words in their own order.
	Words *text.Vocabulary
	// Limit keeps only the first words of the file, as many as this, and does not look at the rest. Files are in the order
	// of the words' frequency, as a rule. 0 keeps all.
	Limit int
	// KeepFirst keeps a word's first vector when the file has the word more than once, as some large tables do. Without it
	// that is an error that names both places.
	KeepFirst bool

	// VocabularyFile has the words of a safetensors table, one a line, in the order of its rows. It is read as
	// [text.ReadVocabulary] does, and may be packed as a file of vectors may be; a zip archive must have only one list. It may have
	// 1 GiB, unpacked too.
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
	// Tokenizer makes what turns texts into ids, for the words of the table: their ids are their places in the vocabulary,
	// and OOVBuckets more ids are for other words. A text.Vectorization, whose first ids are not for words, does not fit; with
	// [Embedding.VectorsOf] its ids have vectors too. Without a Tokenizer that is a [text.HubTokenizer] with WhiteSpace, Lower and
	// KeepPunctuation as they are set here; with it both must be false.
	Tokenizer func(words *text.Vocabulary) (text.Tokenizer, error)
	// OOVBuckets is the number of rows for words that are not in the table, over which they are spread by their
	// fingerprint. 0 means 1.
	OOVBuckets int
	// OOV is what these rows begin as, unless a safetensors table has rows for them.
	OOV OOVVectors
	// UnknownWord is the word of the file whose vector these rows begin as, in place of OOV: "<unk>" in many tables. The
	// file must have it. It is read whatever Words and Limit say, and stays a word of the vocabulary.
	UnknownWord string
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
// fastText, or a safetensors file with a list of words. A file that is packed by gzip, zstd or bzip2, and a zip archive, are
// recognised and unpacked on the way (a safetensors file must be unpacked beforehand). Other kinds of files that people take
// for vectors, such as pickles, NumPy's arrays and web pages, are errors that name them. A byte order mark before the
// first word is left out.
//
// Texts are turned into tokens by [text.HubTokenizer] with WhiteSpace: punctuation goes, and what is left between white space
// or line breaks of HTML is a word. VectorOptions.Tokenizer sets another rule. The rows are the file's words in its order
// and, behind them, OOVBuckets rows for all other words. A safetensors table may bring rows for these with it: it must then
// have as many more rows than words as OOVBuckets says.
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
		return nil, shown.Errorf("pretrained: %s: %w", path, err)
	}
	return newEmbedding(s)
}

func openVectors(ctx context.Context, path string, o VectorOptions) (source, error) {
	switch {
	case o.Kind > Safetensors:
		return source{}, fmt.Errorf("no such kind of vectors: %d", o.Kind)
	case o.OOV > OOVUniform:
		return source{}, fmt.Errorf("no such vectors for unknown words: %d", o.OOV)
	case o.Dim < 0:
		return source{}, fmt.Errorf("option Dim %d must not be negative", o.Dim)
	case o.Limit < 0:
		return source{}, fmt.Errorf("option Limit %d must not be negative", o.Limit)
	case o.OOVBuckets < 0:
		return source{}, fmt.Errorf("option OOVBuckets %d must not be negative", o.OOVBuckets)
	case o.OOVBuckets > math.MaxInt32:
		return source{}, fmt.Errorf("option OOVBuckets %d is more than %d", o.OOVBuckets, math.MaxInt32)
	case o.Seed != 0 && o.OOV != OOVUniform:
		return source{}, fmt.Errorf("option Seed %d is for OOVUniform alone", o.Seed)
	case o.UnknownWord != "" && o.OOV != OOVZeros:
		return source{}, fmt.Errorf("options OOV and UnknownWord %.80q both say what the vectors of unknown words are", o.UnknownWord)
	case o.Tokenizer != nil && (o.Lower || o.KeepPunctuation):
		return source{}, errors.New("options Lower and KeepPunctuation are for texts without a Tokenizer of their own")
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
		err = notSafetensors(path, errors.New("options VocabularyFile and Tensor are for safetensors files; this is none, or is packed and must be unpacked first"))
	} else {
		t, err = openWords(ctx, path, o)
	}
	if err != nil {
		return source{}, err
	}
	tokenizer, err := o.tokenizer(t.vocabulary)
	if err != nil {
		return source{}, err
	}
	name := o.Name
	if name == "" {
		if name = path; t.member != "" {
			name = filepath.FromSlash(t.member)
		}
		name = vectorsName(name)
	}
	words := t.vocabulary.Len()
	return source{
		name: name, path: path, tokenizer: tokenizer, vocabulary: t.vocabulary,
		rows: words + o.OOVBuckets, dim: t.dim, combiner: o.Combiner, skipped: t.skipped,
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
				if err := unknownWords(ctx, dst, t.vocabulary, t.dim, o); err != nil {
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
	member     string // of a zip archive
	rows, dim  int
	skipped    int
	read       func(ctx context.Context, dst []float32) error
}

// tokenizer makes the tokenizer of the options for the words of a table.
func (o *VectorOptions) tokenizer(words *text.Vocabulary) (text.Tokenizer, error) {
	if o.Tokenizer == nil {
		return text.NewHubTokenizer(words, text.HubTokenizerOptions{
			Lower: o.Lower, KeepPunctuation: o.KeepPunctuation, OOVBuckets: o.OOVBuckets, WhiteSpace: true,
		})
	}
	t, err := o.Tokenizer(words)
	if err != nil {
		return nil, fmt.Errorf("option Tokenizer: %w", err)
	}
	if t == nil {
		return nil, errors.New("option Tokenizer made none")
	}
	return t, nil
}

// vectorsName is the file's name without what says how it is stored.
func vectorsName(path string) string {
	name := filepath.Base(path)
	for {
		switch ext := strings.ToLower(filepath.Ext(name)); ext {
		case ".gz", ".zst", ".zstd", ".bz2", ".zip", ".txt", ".vec", ".bin", ".safetensors":
			if len(ext) < len(name) {
				name = name[:len(name)-len(ext)]
				continue
			}
		}
		return name
	}
}

// unknownWords writes the rows behind those of the words.
func unknownWords(ctx context.Context, dst []float32, vocabulary *text.Vocabulary, dim int, o VectorOptions) error {
	words := vocabulary.Len()
	table, oov := dst[:words*dim], dst[words*dim:]
	if o.UnknownWord != "" {
		id, _ := vocabulary.ID(o.UnknownWord) // it is there: see openVectors
		for row := table[int(id)*dim : (int(id)+1)*dim]; len(oov) > 0; oov = oov[dim:] {
			copy(oov, row)
		}
		return nil
	}
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
	member   string // of a zip archive
}

func openWordFile(ctx context.Context, path string, o VectorOptions) (*wordFile, error) {
	file, err := openRegular(path)
	if err != nil {
		return nil, err
	}
	var unpacked io.ReadCloser
	var member string
	info, err := file.Stat()
	if err == nil {
		unpacked, member, err = unpackFile(file, info.Size(), o.Member, o.limit())
	}
	if err != nil {
		_ = file.Close()
		if errors.Is(err, wordvectors.ErrWhichMember) {
			err = fmt.Errorf("%w: VectorOptions.Member must name the one with the vectors", err)
		}
		return nil, err
	}
	w := &wordFile{file: file, unpacked: unpacked, member: member}
	how := wordvectors.Options{Kind: wordvectors.Kind(o.Kind), Dim: o.Dim, SkipMalformed: o.SkipMalformed}
	if w.Reader, err = wordvectors.NewReader(contextReader{ctx, unpacked}, how); err != nil {
		w.close()
		return nil, err
	}
	return w, nil
}

// unpackFile reads a file of the given size that may be packed, within the limit; of a zip archive the member of that name.
func unpackFile(file interface {
	io.Reader
	io.ReaderAt
}, size int64, member string, limit ratio.Limit) (io.ReadCloser, string, error) {
	counted := &ratio.Counter{R: file}
	unpacked, member, packed, err := wordvectors.UnpackFile(counted, size, member)
	if err != nil || !packed {
		return unpacked, member, err
	}
	return struct {
		io.Reader
		io.Closer
	}{limit.Reader(unpacked, counted.Count), unpacked}, member, nil
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
	wanted := 0 // words that were asked for
	unknownFound := o.UnknownWord == ""
	for n := 0; o.Limit == 0 || n < o.Limit || !unknownFound; n++ {
		word, err := w.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return vectorTable{}, err
		}
		asked := o.Limit == 0 || n < o.Limit
		if asked && o.Words != nil {
			_, asked = o.Words.ID(string(word))
		}
		unknown := o.UnknownWord != "" && string(word) == o.UnknownWord
		if !asked && !unknown {
			continue
		}
		if seen != nil {
			if _, twice := seen[string(word)]; twice {
				continue
			}
			seen[string(word)] = struct{}{}
		}
		if asked {
			wanted++
		}
		unknownFound = unknownFound || unknown
		b.Add(word)
	}
	vocabulary, err := b.Vocabulary(ctx)
	if twice := (*text.DuplicateError)(nil); errors.As(err, &twice) {
		return vectorTable{}, duplicateWord(ctx, path, o, twice.Word)
	}
	if err != nil {
		return vectorTable{}, err
	}
	skipped := ""
	if n := w.Skipped(); n > 0 {
		skipped = fmt.Sprintf("; %d malformed lines were skipped", n)
	}
	switch {
	case !unknownFound:
		return vectorTable{}, fmt.Errorf("the file has no word %.80q, which UnknownWord names%s", o.UnknownWord, skipped)
	case wanted > 0:
	case o.Words != nil:
		return vectorTable{}, fmt.Errorf("the file has none of the %d words that are wanted%s", o.Words.Len(), skipped)
	default:
		return vectorTable{}, fmt.Errorf("the file has no words%s", skipped)
	}
	t := vectorTable{vocabulary: vocabulary, member: w.member, rows: vocabulary.Len(), dim: w.Dim(), skipped: w.Skipped()}
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
	case o.Words != nil, o.Limit != 0, o.KeepFirst, o.SkipMalformed, o.Member != "":
		return vectorTable{}, errors.New("options Words, Limit, KeepFirst, SkipMalformed and Member are for files that have the words beside their vectors, not for safetensors")
	}
	file, err := openRegular(path)
	if err != nil {
		return vectorTable{}, err
	}
	defer file.Close()
	tensor, err := findTensor(ctx, file, o.Tensor)
	if err != nil {
		return vectorTable{}, notSafetensors(path, err)
	}
	vocabulary, err := readVocabularyFile(ctx, o.VocabularyFile, o.limit(), maxTokens)
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
	case words < t.rows && (o.OOV != OOVZeros || o.UnknownWord != ""):
		return vectorTable{}, fmt.Errorf("the table has %d rows for unknown words of its own: OOV and UnknownWord must not name others", t.rows-words)
	}
	if _, ok := vocabulary.ID(o.UnknownWord); o.UnknownWord != "" && !ok {
		return vectorTable{}, fmt.Errorf("vocabulary %s has no word %.80q, which UnknownWord names", o.VocabularyFile, o.UnknownWord)
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

// notSafetensors returns an error that says what a file is in place of safetensors, where its first bytes tell, and err
// where they do not.
func notSafetensors(path string, err error) error {
	file, openErr := openRegular(path)
	if openErr != nil {
		return err
	}
	defer file.Close()
	if what := contentOf(file); what != "" {
		return fmt.Errorf("this is no safetensors file but %s", what)
	}
	return err
}

// contentOf says what a file is by its first bytes, "" where they do not tell.
func contentOf(file io.ReaderAt) string {
	var head [512]byte
	n, _ := file.ReadAt(head[:], 0)
	return filekind.Content(head[:n])
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

// readVocabularyFile reads a list of words, which may be packed and has at most so many bytes, unpacked too.
func readVocabularyFile(ctx context.Context, path string, limit ratio.Limit, most int64) (*text.Vocabulary, error) {
	file, err := plainfile.Open(ctx, path, most)
	if err != nil {
		return nil, fmt.Errorf("vocabulary %s: %w", path, plainfile.Reason(err))
	}
	defer file.Close()
	unpacked, _, err := unpackFile(file, file.Size(), "", limit)
	if errors.Is(err, wordvectors.ErrWhichMember) {
		err = fmt.Errorf("%w: it must have the list of words alone", err)
	}
	if err != nil {
		return nil, fmt.Errorf("vocabulary %s: %w", path, err)
	}
	defer unpacked.Close()
	words := bufio.NewReader(&bounded{r: unpacked, left: most, most: most})
	head, _ := words.Peek(512) // an error comes again
	if what := filekind.Content(head); what != "" && !looksLikeWords(head) {
		return nil, fmt.Errorf("vocabulary %s: this is no list of words but %s", path, what)
	}
	v, err := text.ReadVocabulary(ctx, words)
	if err != nil {
		return nil, fmt.Errorf("vocabulary %s: %w", path, err)
	}
	return v, nil
}

// looksLikeWords tells a list of words from another kind of file that begins alike: GGUF and <head> are words, too. Its
// lines have no white space and no control characters, and no more than one tag, as the lines of a page soon have.
func looksLikeWords(head []byte) bool {
	for line := range bytes.Lines(head) {
		line = textline.TrimReturn(bytes.TrimSuffix(line, []byte{'\n'}))
		if bytes.ContainsFunc(line, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }) || bytes.Count(line, []byte{'<'}) > 1 {
			return false
		}
	}
	return true
}

// bounded reads at most so many bytes. More are an error.
type bounded struct {
	r          io.Reader
	left, most int64
}

func (b *bounded) Read(p []byte) (int, error) {
	// One byte more tells a file that is too large from one that ends.
	n, err := b.r.Read(p[:min(int64(len(p)), b.left+1)])
	if b.left -= int64(n); b.left < 0 {
		b.left = -1
		return 0, fmt.Errorf("it unpacks to more than %d bytes, which is %w", b.most, plainfile.ErrTooLarge)
	}
	return n, err
}
