package classifier

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/linnet-ml/linnet/classifier/internal/features"
	"github.com/linnet-ml/linnet/classifier/internal/regions"
	"github.com/linnet-ml/linnet/internal/atomicfile"
	"github.com/linnet-ml/linnet/internal/mapfile"
	"github.com/linnet-ml/linnet/internal/safetensors"
	"github.com/linnet-ml/linnet/internal/shown"
	"github.com/linnet-ml/linnet/internal/strictjson"
)

// The names in a file, which model/FORMAT.md describes.
const (
	formatKey     = "linnet.format"
	classifierKey = "linnet.classifier"
	modelKey      = "linnet.model"
	formatVersion = 1

	bucketsName   = "buckets"
	hashesName    = "hashes"
	inverseName   = "inverse"
	weightsName   = "weights"
	scaleName     = "scale"
	biasName      = "bias"
	priorName     = "prior"
	thresholdName = "threshold"

	networkWordsName   = "network.words"
	networkSmallName   = "network.small"
	networkLargeName   = "network.large"
	networkScaleName   = "network.scale"
	networkBiasName    = "network.unit_bias"
	networkOutputName  = "network.output"
	networkWithoutName = "network.without"
)

// document is what a file has in JSON, under classifierKey.
type document struct {
	Kind string `json:"kind"`
	Spec
	Report *Report `json:"report,omitempty"`
}

// Save writes the Classifier to the file at path, which is replaced as a whole: at any moment there is the old file or the new
// one. The same Classifier gives the same bytes. Three bytes and a half for each n-gram are hash; weights and inverse document
// frequencies take a byte each.
func (c *Classifier) Save(ctx context.Context, path string) error {
	metadata, entries, err := c.encode(ctx)
	if err == nil {
		err = atomicfile.Write(ctx, path, func(w io.Writer) error {
			return safetensors.Write(ctx, w, metadata, entries, safetensors.Aligned)
		})
	}
	if err != nil {
		return fmt.Errorf("classifier: %w", err)
	}
	return nil
}

// Write writes what Save does to w, whose errors it returns.
func (c *Classifier) Write(ctx context.Context, w io.Writer) error {
	metadata, entries, err := c.encode(ctx)
	if err == nil {
		err = safetensors.Write(ctx, w, metadata, entries, safetensors.Aligned)
	}
	if err != nil {
		return fmt.Errorf("classifier: %w", err)
	}
	return nil
}

func (c *Classifier) encode(ctx context.Context) (map[string]string, []safetensors.Entry, error) {
	if !c.made() {
		return nil, nil, errNotMade
	}
	if ctx == nil {
		return nil, nil, errors.New("the context is nil")
	}
	p := &c.parts
	b, err := json.Marshal(document{p.Spec.Kind(), p.Spec, c.report})
	if err != nil {
		return nil, nil, err
	}
	n, k := len(p.Hashes), c.columns
	known, upper := hashBits(n), bucketBits(n)
	buckets, rest := make([]uint8, 1<<upper), make([]uint8, 0, 3*n)
	for i, h := range p.Hashes {
		if buckets[h>>(64-upper)] == bucketSize {
			return nil, nil, fmt.Errorf("the bucket of n-gram %d has more than %d", i, bucketSize)
		}
		buckets[h>>(64-upper)]++
		v := h >> (64 - known)
		rest = append(rest, byte(v), byte(v>>8), byte(v>>16))
	}
	entries := []safetensors.Entry{
		{Name: bucketsName, Shape: []int{len(buckets)}, Data: safetensors.Uint8Data(buckets)},
		{Name: hashesName, Shape: []int{n, 3}, Data: safetensors.Uint8Data(rest)},
		{Name: weightsName, Shape: []int{n, k}, Data: safetensors.Int8Data(p.Weights)},
		{Name: scaleName, Shape: []int{k}, Data: safetensors.Float32Data(p.Scale)},
		{Name: biasName, Shape: []int{k}, Data: safetensors.Float32Data(p.Bias)},
		{Name: priorName, Shape: []int{k}, Data: safetensors.Float32Data(p.Prior)},
	}
	if p.Spec.Weighting != string(features.Binary) {
		entries = append(entries, safetensors.Entry{Name: inverseName, Shape: []int{n}, Data: safetensors.Uint8Data(p.Inverse)})
	}
	if len(p.Threshold) > 0 {
		entries = append(entries, safetensors.Entry{Name: thresholdName, Shape: []int{k}, Data: safetensors.Float32Data(p.Threshold)})
	}
	if p.Network != nil {
		entries = append(entries, p.Network.entries(p.Spec.NetworkUnits, k)...)
	}
	return map[string]string{formatKey: strconv.Itoa(formatVersion), classifierKey: string(b)}, entries, nil
}

// Load reads the Classifier in the file at path, which Save wrote. Nothing in the file is trusted: what is wrong with it is an
// error that wraps [ErrFile] and names the place, and memory is taken in proportion to the file. The file is read as a whole and closed, so that
// it may be changed or removed while the Classifier is in use.
func Load(ctx context.Context, path string) (*Classifier, error) {
	if ctx == nil {
		return nil, errors.New("classifier: the context is nil")
	}
	b, err := mapfile.ReadAll(ctx, path)
	if err != nil {
		return nil, shown.Errorf("classifier: %w", err)
	}
	return fromBytes(ctx, b, path)
}

// FromBytes returns the Classifier in b, the content of a file, such as one that is embedded in the program. It uses parts of b
// where they lie, such as the weights: b must not change.
func FromBytes(ctx context.Context, b []byte) (*Classifier, error) { return fromBytes(ctx, b, "bytes") }

func fromBytes(ctx context.Context, b []byte, name string) (*Classifier, error) {
	if ctx == nil {
		return nil, errors.New("classifier: the context is nil")
	}
	p, r, err := decode(ctx, b)
	var c *Classifier
	if err == nil {
		c, err = newClassifier(ctx, *p)
	}
	switch {
	case err != nil && ctx.Err() != nil:
		return nil, shown.Errorf("classifier: %s: %w", name, err)
	case err != nil:
		return nil, shown.Errorf("classifier: %s: %w: %w", name, ErrFile, err)
	}
	c.report = r
	return c, nil
}

// decode reads a file.
func decode(ctx context.Context, b []byte) (*Parts, *Report, error) {
	file, err := safetensors.OpenBytes(ctx, b)
	if foreign := (*safetensors.ForeignError)(nil); errors.As(err, &foreign) {
		if foreign.What == "" {
			return nil, nil, errors.New("it is no model file of linnet")
		}
		return nil, nil, fmt.Errorf("it is %s", foreign.What)
	} else if err != nil {
		return nil, nil, err
	}
	d, err := parseDocument(ctx, file.Metadata())
	if err != nil {
		return nil, nil, err
	}
	if err := d.Spec.check(); err != nil {
		return nil, nil, fmt.Errorf("%q: %w", classifierKey, err)
	}
	if err := d.Report.check(); err != nil {
		return nil, nil, fmt.Errorf("%q: %w", classifierKey, err)
	}
	p := &Parts{Spec: d.Spec}
	k := d.Spec.columns()
	t := tensors{file: file}
	weights := t.get(weightsName, safetensors.I8, -1, k)
	if t.err != nil {
		return nil, nil, t.err
	}
	n := weights.Shape[0]
	if n > maxFeatures {
		return nil, nil, fmt.Errorf("%d n-grams are too many", n)
	}
	buckets := t.bytes(bucketsName, 1<<bucketBits(n))
	rest := t.bytes(hashesName, n, 3)
	if d.Spec.Weighting != string(features.Binary) {
		p.Inverse = t.bytes(inverseName, n)
	}
	p.Scale, p.Bias, p.Prior = t.float32(scaleName, k), t.float32(biasName, k), t.float32(priorName, k)
	if d.Spec.thresholds() > 0 {
		p.Threshold = t.float32(thresholdName, d.Spec.thresholds())
	}
	if d.Spec.NetworkUnits > 0 {
		p.Network = t.network(d.Spec.NetworkUnits, k)
	}
	if t.err != nil {
		return nil, nil, t.err
	}
	for _, x := range file.Tensors() {
		if !slices.Contains(t.used, x.Name) {
			return nil, nil, fmt.Errorf("tensor %.80q does not belong to a classifier with these settings", x.Name)
		}
	}
	var ok bool
	if p.Weights, ok = weights.Int8View(); !ok {
		return nil, nil, fmt.Errorf("tensor %q cannot be read", weightsName)
	}
	p.Hashes, err = decodeHashes(ctx, buckets, rest)
	return p, d.Report, err
}

// parseDocument reads the metadata.
func parseDocument(ctx context.Context, metadata map[string]string) (*document, error) {
	version, ok := metadata[formatKey]
	if !ok {
		return nil, fmt.Errorf("it is a safetensors file without %q: none of linnet's", formatKey)
	}
	v, err := strconv.Atoi(version)
	if err != nil || v < 1 || strconv.Itoa(v) != version {
		return nil, fmt.Errorf("%q is %.40q, not a version", formatKey, version)
	}
	if v > formatVersion {
		return nil, fmt.Errorf("it has version %d of the format, and this linnet reads up to %d: it needs a newer linnet", v, formatVersion)
	}
	text, ok := metadata[classifierKey]
	_, isModel := metadata[modelKey]
	if isModel && !ok {
		return nil, errors.New("it is a model of a network, not a classifier: model.Load opens it, and linnet inspect, plot and quantize take it")
	}
	for key := range metadata {
		if strings.HasPrefix(key, "linnet.") && key != formatKey && key != classifierKey && key != modelKey {
			return nil, fmt.Errorf("the metadata %.80q are none that this linnet knows", key)
		}
	}
	if !ok {
		return nil, fmt.Errorf("%q is missing", classifierKey)
	}
	if isModel {
		return nil, fmt.Errorf("it has both %q and %q", classifierKey, modelKey)
	}
	var parsed struct {
		Kind string `json:"kind"`
		Spec
		Report json.RawMessage `json:"report"`
	}
	if err := strictjson.Unmarshal(ctx, []byte(text), &parsed); err != nil {
		return nil, fmt.Errorf("%q: %w", classifierKey, err)
	}
	if parsed.Kind != (Spec{}).Kind() {
		return nil, fmt.Errorf("%q: kind %.80q is none that this linnet knows", classifierKey, parsed.Kind)
	}
	d := &document{Kind: parsed.Kind, Spec: parsed.Spec}
	if parsed.Report == nil {
		return d, nil
	}
	// A newer linnet may report more.
	if err := strictjson.UnmarshalKnown(ctx, parsed.Report, &d.Report); err != nil {
		return nil, fmt.Errorf("%q: report: %w", classifierKey, err)
	}
	return d, nil
}

// tensors reads tensors of a file until one is not as it should be.
type tensors struct {
	file *safetensors.File
	used []string
	err  error
}

// get returns a tensor of a type and a shape, of which -1 stands for any dimension.
func (t *tensors) get(name string, dtype safetensors.DType, shape ...int) safetensors.Tensor {
	if t.err != nil {
		return safetensors.Tensor{}
	}
	x, err := t.file.Tensor(name)
	if err != nil {
		t.err = err
		return x
	}
	fits := x.DType == dtype && len(x.Shape) == len(shape)
	for i := 0; fits && i < len(shape); i++ {
		fits = shape[i] < 0 || x.Shape[i] == shape[i]
	}
	if !fits {
		t.err = fmt.Errorf("tensor %q is %s of shape %v, want %s of %v", name, x.DType, x.Shape, dtype, shape)
		return safetensors.Tensor{}
	}
	t.used = append(t.used, name)
	return x
}

func (t *tensors) bytes(name string, shape ...int) []byte {
	x := t.get(name, safetensors.U8, shape...)
	if t.err != nil {
		return nil
	}
	return x.Raw()
}

func (t *tensors) float32(name string, shape ...int) []float32 {
	x := t.get(name, safetensors.F32, shape...)
	if t.err != nil {
		return nil
	}
	v, err := x.Float32()
	t.err = err
	return v
}

// decodeHashes puts the hashes together from the numbers of n-grams in each bucket and the last three bytes that are known of
// each.
func decodeHashes(ctx context.Context, buckets, rest []byte) ([]uint64, error) {
	n := len(rest) / 3
	known := hashBits(n)
	hashes := make([]uint64, 0, n)
	for bucket, size := range buckets {
		if bucket&0xffff == 0 {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
		}
		if int(size) > n-len(hashes) {
			return nil, fmt.Errorf("tensor %q has more n-grams than the %d of %q", bucketsName, n, hashesName)
		}
		for range size {
			v := rest[3*len(hashes):][:3]
			h := uint64(bucket)<<tagBits | uint64(v[2])<<16 | uint64(v[1])<<8 | uint64(v[0])
			hashes = append(hashes, h<<(64-known))
		}
	}
	if len(hashes) != n {
		return nil, fmt.Errorf("tensor %q has %d n-grams, %q has %d", bucketsName, len(hashes), hashesName, n)
	}
	return hashes, nil
}

// entries are the network's tensors.
func (n *Network) entries(u, k int) []safetensors.Entry {
	const size = regions.HashBits / 8
	words := make([]uint8, 0, size*len(n.Words))
	for _, h := range n.Words {
		for i := range size {
			words = append(words, byte(h>>(64-regions.HashBits+8*i)))
		}
	}
	return []safetensors.Entry{
		{Name: networkWordsName, Shape: []int{len(n.Words), size}, Data: safetensors.Uint8Data(words)},
		{Name: networkSmallName, Shape: []int{3, len(n.Words), u}, Data: safetensors.Int8Data(n.Small)},
		{Name: networkLargeName, Shape: []int{len(n.Words), u}, Data: safetensors.Int8Data(n.Large)},
		{Name: networkScaleName, Shape: []int{2, u}, Data: safetensors.Float32Data(n.Scale)},
		{Name: networkBiasName, Shape: []int{2, u}, Data: safetensors.Float32Data(n.UnitBias)},
		{Name: networkOutputName, Shape: []int{2, u, k}, Data: safetensors.Float32Data(n.Output)},
		{Name: networkWithoutName, Shape: []int{2, k}, Data: safetensors.Float32Data(n.Without)},
	}
}

// network reads the network's tensors.
func (t *tensors) network(u, k int) *Network {
	const size = regions.HashBits / 8
	large := t.get(networkLargeName, safetensors.I8, -1, u)
	if t.err != nil {
		return nil
	}
	n := large.Shape[0]
	words := t.bytes(networkWordsName, n, size)
	small := t.get(networkSmallName, safetensors.I8, 3, n, u)
	x := &Network{
		Scale: t.float32(networkScaleName, 2, u), UnitBias: t.float32(networkBiasName, 2, u), Output: t.float32(networkOutputName, 2, u, k),
		Without: t.float32(networkWithoutName, 2, k),
	}
	if t.err != nil {
		return nil
	}
	var ok, also bool
	x.Small, ok = small.Int8View()
	x.Large, also = large.Int8View()
	if !ok || !also {
		t.err = fmt.Errorf("the tensors of the network cannot be read")
		return nil
	}
	for ; len(words) > 0; words = words[size:] {
		h := uint64(0)
		for i, b := range words[:size] {
			h |= uint64(b) << (64 - regions.HashBits + 8*i)
		}
		x.Words = append(x.Words, h)
	}
	return x
}
