package serve

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/linnet-ml/linnet/classifier"
	"github.com/linnet-ml/linnet/internal/mapfile"
	"github.com/linnet-ml/linnet/internal/shown"
	"github.com/prometheus/client_golang/prometheus"
)

// A Model is a classifier with the name that requests have for it.
type Model struct {
	// Name consists of letters, digits, points, hyphens and underscores, 100 at most, and begins with a letter or a digit.
	Name string
	// Version tells classifiers apart that have the same name in turn. It is made of the same characters. "" means "1".
	Version    string
	Classifier *classifier.Classifier
}

// maxName is the largest length of a name or a version.
const maxName = 100

// ValidName returns whether s can be the Name or the Version of a [Model]: a part of paths and of metrics.
func ValidName(s string) bool {
	for i := range len(s) {
		c := s[i]
		alphanumeric := '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'z'
		if !alphanumeric && (i == 0 || c != '.' && c != '-' && c != '_') {
			return false
		}
	}
	return s != "" && len(s) <= maxName
}

func (m *Model) check() error {
	switch {
	case !ValidName(m.Name):
		return fmt.Errorf("serve: %.40q is no name for a classifier: use letters, digits, points, hyphens and underscores, %d at most, a letter or digit first", m.Name, maxName)
	case m.Version != "" && !ValidName(m.Version):
		return fmt.Errorf("serve: %.40q is no version of a classifier: use letters, digits, points, hyphens and underscores, %d at most, a letter or digit first", m.Version, maxName)
	case len(m.Classifier.Classes()) == 0:
		return fmt.Errorf("serve: the classifier %s is nil or empty", m.Name)
	}
	return nil
}

// Load reads the classifier in the file at path, and gives it the name. Its version is the beginning of the file's SHA-256, so
// that the same file has the same version everywhere.
func Load(ctx context.Context, name, path string) (Model, error) {
	b, err := mapfile.ReadAll(ctx, path)
	if err != nil {
		return Model{}, shown.Errorf("serve: %w", err)
	}
	return parse(ctx, name, path, b, sha256.Sum256(b))
}

// parse returns the classifier in b, the content of the file at path.
func parse(ctx context.Context, name, path string, b []byte, digest [sha256.Size]byte) (Model, error) {
	c, err := classifier.FromBytes(ctx, b)
	if err != nil {
		return Model{}, &fileError{path, err}
	}
	return Model{name, versionOf(digest), c}, nil
}

// versionOf is the version of a file.
func versionOf(digest [sha256.Size]byte) string { return hex.EncodeToString(digest[:])[:versionDigits] }

// A fileError says which file holds no classifier.
type fileError struct {
	path string
	err  error // of classifier.FromBytes, which knows no path
}

func (e *fileError) Error() string {
	return "serve: " + shown.Text(e.path) + ": " + strings.TrimPrefix(e.err.Error(), "classifier: bytes: ")
}

func (e *fileError) Unwrap() error { return e.err }

// versionDigits is how much of a digest a version shows.
const versionDigits = 12

// A served is a Model that answers requests, with what is the same in all answers. It never changes.
type served struct {
	Model
	classes    []string
	multiLabel bool   // a text may have several labels
	prefix     []byte // the beginning of an answer: name and version as members
	byLabel    map[string]class
	quoted     [][]byte // each class as a JSON string
	outputs    []output
	*modelMetrics
}

// A class is what an answer needs of a class.
type class struct {
	quoted   []byte
	assigned prometheus.Counter
}

func newServed(m Model, shared *modelMetrics) *served {
	m.Version = cmp.Or(m.Version, "1")
	s := &served{Model: m, classes: m.Classifier.Classes(), multiLabel: m.Classifier.Parts().Spec.MultiLabel, byLabel: map[string]class{}, modelMetrics: shared}
	s.prefix = append(s.prefix, `{"model":"`+m.Name+`","version":"`+m.Version+`"`...)
	for i, name := range s.classes {
		quoted := appendString(nil, name)
		s.quoted = append(s.quoted, quoted)
		s.byLabel[name] = class{quoted, shared.label(i, name)}
	}
	s.byLabel[""] = class{[]byte(`""`), shared.label(0, "")}
	s.outputs = outputsOf(s)
	// The first text of a classifier takes memory that the next ones use again.
	var r classifier.Result
	for _, text := range []string{"", "warm", strings.Repeat("A text that is as long as most. ", 40)} {
		m.Classifier.ClassifyInto(&r, text)
	}
	return s
}

// sampleEvery is how many texts there are to each one whose words are counted: counting takes as long as labelling.
const sampleEvery = 1024

// classify labels a text and counts its labels.
func (s *served) classify(r *classifier.Result, text string) {
	s.Classifier.ClassifyInto(r, text)
	s.probability.Observe(float64(r.Probability))
	if s.multiLabel && len(r.Labels) > 0 {
		for _, l := range r.Labels {
			s.byLabel[l].assigned.Inc()
		}
	} else {
		s.byLabel[r.Label].assigned.Inc()
	}
}

// classified counts the texts of a request, and the words of some.
func (s *served) classified(texts []string) {
	before := s.texts.Add(uint64(len(texts))) - uint64(len(texts))
	for i := (sampleEvery - before%sampleEvery) % sampleEvery; i < uint64(len(texts)); i += sampleEvery {
		known, all := s.Classifier.Known(texts[i])
		s.words.Add(float64(all))
		s.unknown.Add(float64(all - known))
	}
}
