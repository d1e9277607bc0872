package pretrained

import (
	"errors"
	"fmt"
	"reflect"
	"slices"

	"github.com/linnet-ml/linnet/internal/savedmodel"
	"github.com/linnet-ml/linnet/text"
)

// This file recognises what a text module computes. It walks from the module's result back to the strings that go in,
// and knows these stations, each in the forms that TensorFlow 1 and 2 give it:
//
//	strings    lower case, punctuation removed, split at spaces; a row without tokens gets the empty one
//	ids        a token's place in the vocabulary, else a bucket by its hash
//	vectors    rows of one variable, or of several that are a table cut between rows
//	result     the sum of a row's vectors, as it is or divided by their number or its square root
//
// Anything else on the way is an error, for it may change the result. What only says how large tensors are is not looked
// at.

// hubRule is what a module's graph says.
type hubRule struct {
	variables []hubVariable // the table, from its first rows to its last
	keys      []string      // the same in the checkpoint
	tokens    string        // file of the vocabulary, in the folder assets
	words     int64         // in that file, -1 if the graph does not say
	tokenizer text.HubTokenizerOptions
	combiner  text.Combiner
}

// hubVariable is a variable of the graph: an object, or in a model of TensorFlow 1, where object is -1, a name.
type hubVariable struct {
	object int
	name   string
}

// recogniser walks over a model's graph.
type recogniser struct {
	*savedmodel.Model
	rule  hubRule
	table savedmodel.Value // the vocabulary
}

// recognise finds the rule of a module. Its errors name the node that is not understood.
func recognise(m *savedmodel.Model) (*hubRule, error) {
	results, err := results(m)
	if err != nil {
		return nil, err
	}
	var rule *hubRule
	for _, v := range results {
		r := recogniser{Model: m, rule: hubRule{words: -1}}
		if err := r.result(v); err != nil {
			return nil, err
		}
		if err := r.vocabulary(); err != nil {
			return nil, err
		}
		if rule != nil && !reflect.DeepEqual(*rule, r.rule) {
			return nil, errors.New("its functions behind __call__ do not compute the same")
		}
		rule = &r.rule
	}
	return rule, nil
}

// results finds what the module returns when it is called: by TensorFlow 2 as an object, by TensorFlow 1 by the
// signature that modules have.
func results(m *savedmodel.Model) ([]savedmodel.Value, error) {
	var functions []string
	if len(m.Objects) > 0 {
		root := &m.Objects[0]
		if call, ok := child(m, root, "__call__"); ok {
			functions = call.Functions
		} else if signatures, ok := child(m, root, "signatures"); ok {
			if call, ok := child(m, signatures, "serving_default"); ok {
				functions = call.Functions
			}
		}
		if len(functions) == 0 {
			return nil, errors.New("it has neither a function __call__ nor a signature serving_default")
		}
		var values []savedmodel.Value
		for _, f := range functions {
			v, err := m.Result(f, 0)
			if err != nil {
				return nil, err
			}
			if n := len(m.Functions[f].Results); n != 1 {
				return nil, fmt.Errorf("the function %.80q has %d results, not one", f, n)
			}
			values = append(values, v)
		}
		return values, nil
	}
	for _, name := range []string{"default", "serving_default"} {
		s, ok := m.Signatures[name]
		if !ok {
			continue
		}
		if len(s.Outputs) != 1 {
			return nil, fmt.Errorf("the signature %s has %d outputs, not one", name, len(s.Outputs))
		}
		for _, tensor := range s.Outputs {
			v, err := m.Tensor(tensor)
			return []savedmodel.Value{v}, err
		}
	}
	return nil, errors.New("it has neither a function __call__ nor a signature default or serving_default")
}

func child(m *savedmodel.Model, o *savedmodel.Object, name string) (*savedmodel.Object, bool) {
	for _, c := range o.Children {
		if c.Name == name {
			return &m.Objects[c.ID], true
		}
	}
	return nil, false
}

// unknown is the error for a value at a place where only what want says is understood.
func unknown(v savedmodel.Value, want string) error {
	return fmt.Errorf("its graph has %v where %s should be", v, want)
}

// is tells whether the value is an output of one of the operations.
func is(v savedmodel.Value, ops ...string) bool { return v.Op() != "" && slices.Contains(ops, v.Op()) }

// same follows the value back through operations that pass their first input on unchanged.
func (r *recogniser) same(v savedmodel.Value) (savedmodel.Value, error) {
	return r.through(v, "Identity", "StopGradient", "Snapshot", "EnsureShape", "PlaceholderWithDefault", "CheckNumerics")
}

func (r *recogniser) through(v savedmodel.Value, ops ...string) (savedmodel.Value, error) {
	for is(v, ops...) {
		var err error
		if v, err = r.Input(v, 0); err != nil {
			return v, err
		}
	}
	return v, nil
}

// in is an input of the node, followed back through what passes it on unchanged.
func (r *recogniser) in(v savedmodel.Value, i int) (savedmodel.Value, error) {
	w, err := r.Input(v, i)
	if err != nil {
		return w, err
	}
	return r.same(w)
}

// numbers is the value of a small constant of numbers.
func (r *recogniser) numbers(v savedmodel.Value) ([]float64, bool) {
	c, ok := r.constant(v)
	return c.Numbers, ok && c.Numbers != nil
}

// string is the value of a constant of one string.
func (r *recogniser) string(v savedmodel.Value) (string, bool) {
	c, ok := r.constant(v)
	if !ok || len(c.Strings) != 1 {
		return "", false
	}
	return c.Strings[0], true
}

func (r *recogniser) constant(v savedmodel.Value) (savedmodel.Tensor, bool) {
	if id, ok := r.Captured(v); ok && r.Objects[id].Kind == savedmodel.Constant {
		w, err := r.Tensor(r.Objects[id].Operation)
		if err != nil {
			return savedmodel.Tensor{}, false
		}
		v = w
	}
	v, err := r.same(v)
	if err != nil || !is(v, "Const") {
		return savedmodel.Tensor{}, false
	}
	c, err := v.Node().Constant()
	if err != nil {
		return savedmodel.Tensor{}, false
	}
	return *c, true
}

// flattens tells whether a Reshape makes a list of its input: all elements, in their order.
func (r *recogniser) flattens(v savedmodel.Value) bool {
	shape, err := r.Input(v, 1)
	if err != nil {
		return false
	}
	n, ok := r.numbers(shape)
	return ok && len(n) == 1 && n[0] == -1
}

// result follows the module's result back to the place where vectors are combined.
func (r *recogniser) result(v savedmodel.Value) error {
	for {
		var err error
		if v, err = r.same(v); err != nil {
			return err
		}
		switch {
		case is(v, "Reshape"):
			// The last dimension stays: the shape ends with all but the first dimensions of the input.
			ok, err := r.keepsVectors(v)
			if err != nil {
				return err
			}
			if !ok {
				return unknown(v, "the vectors' own shape")
			}
			if v, err = r.Input(v, 0); err != nil {
				return err
			}
		case is(v, "Select", "SelectV2"):
			// Rows without ids are zero vectors.
			zeros, err := r.in(v, 1)
			if err != nil {
				return err
			}
			vectors, err := r.in(v, 2)
			if err != nil {
				return err
			}
			if !is(zeros, "ZerosLike") {
				return unknown(zeros, "a zero vector for texts without tokens")
			}
			if of, err := r.in(zeros, 0); err != nil || of != vectors {
				return errors.Join(err, unknown(zeros, "a zero vector for texts without tokens"))
			}
			condition, err := r.Input(v, 0)
			if err != nil {
				return err
			}
			if condition, err = r.through(condition, "Identity", "Tile", "Reshape", "ExpandDims", "BroadcastTo"); err != nil {
				return err
			}
			if !is(condition, "SparseFillEmptyRows") || condition.Output() != 2 {
				return unknown(condition, "the question whether a text has no tokens")
			}
			v = vectors
		default:
			return r.combined(v)
		}
	}
}

func (r *recogniser) keepsVectors(reshape savedmodel.Value) (bool, error) {
	x, err := r.in(reshape, 0)
	if err != nil {
		return false, err
	}
	shape, err := r.in(reshape, 1)
	if err != nil {
		return false, err
	}
	if !is(shape, "ConcatV2") || shape.Inputs() != 3 {
		return false, nil
	}
	last, err := r.in(shape, 1)
	if err != nil || !is(last, "Slice") {
		return false, err
	}
	of, err := r.in(last, 0)
	if err != nil || !is(of, "Shape") {
		return false, err
	}
	if of, err = r.in(of, 0); err != nil || of != x {
		return false, err
	}
	begin, err := r.Input(last, 1)
	if err != nil {
		return false, err
	}
	size, err := r.Input(last, 2)
	if err != nil {
		return false, err
	}
	b, _ := r.numbers(begin)
	s, _ := r.numbers(size)
	return len(b) == 1 && b[0] == 1 && len(s) == 1 && s[0] == -1, nil
}

// combined recognises how vectors make one, and goes on to the vectors and ids.
func (r *recogniser) combined(v savedmodel.Value) error {
	r.rule.combiner = text.CombinerDefault
	switch v.Op() {
	case "SparseSegmentSqrtN", "SparseSegmentSqrtNWithNumSegments":
		r.rule.combiner = text.Sqrtn
	case "SparseSegmentMean", "SparseSegmentMeanWithNumSegments", "SegmentMean":
		r.rule.combiner = text.Mean
	case "SparseSegmentSum", "SparseSegmentSumWithNumSegments", "SegmentSum", "UnsortedSegmentSum":
		r.rule.combiner = text.Sum
	case "RealDiv", "Div", "DivNoNan":
		sum, err := r.in(v, 0)
		if err != nil {
			return err
		}
		if !is(sum, "SparseSegmentSum", "SparseSegmentSumWithNumSegments", "SegmentSum", "UnsortedSegmentSum") {
			return unknown(sum, "the sum of a text's vectors")
		}
		if err := r.divisor(v, sum); err != nil {
			return err
		}
		v = sum
	default:
		return unknown(v, "a sum or mean of vectors")
	}
	vectors, err := r.in(v, 0)
	if err != nil {
		return err
	}
	var indices savedmodel.Value
	segments, err := r.segments(v)
	if err != nil {
		return err
	}
	if indices, err = r.rows(segments); err != nil {
		return err
	}
	var ids savedmodel.Value
	if is(v, "SegmentSum", "SegmentMean", "UnsortedSegmentSum") {
		ids, err = r.vectors(vectors)
	} else {
		var places savedmodel.Value // of the vectors of a text's tokens among vectors
		if places, err = r.in(v, 1); err != nil {
			return err
		}
		ids, err = r.distinct(vectors, places)
	}
	if err != nil {
		return err
	}
	return r.ids(indices, ids)
}

// segments is the input that says for each vector which text it belongs to.
func (r *recogniser) segments(v savedmodel.Value) (savedmodel.Value, error) {
	i := 2
	if is(v, "SegmentSum", "SegmentMean", "UnsortedSegmentSum") {
		i = 1
	}
	w, err := r.Input(v, i)
	if err != nil {
		return w, err
	}
	return r.through(w, "Identity", "Cast")
}

// rows follows the texts' numbers back to the indices (text, place) of a sparse tensor, of which they are column 0.
func (r *recogniser) rows(segments savedmodel.Value) (savedmodel.Value, error) {
	want := "the texts' numbers, from a sparse tensor's indices"
	if !is(segments, "StridedSlice") {
		return segments, unknown(segments, want)
	}
	shrink, err := segments.Node().Int("shrink_axis_mask", 0)
	if err != nil {
		return segments, err
	}
	all := int64(1) // bit 0: all rows
	for _, mask := range []string{"begin_mask", "end_mask"} {
		m, err := segments.Node().Int(mask, 0)
		if err != nil {
			return segments, err
		}
		all &= m
	}
	begin, err := r.Input(segments, 1)
	if err != nil {
		return segments, err
	}
	if b, _ := r.numbers(begin); shrink != 2 || all != 1 || len(b) != 2 || b[1] != 0 {
		return segments, unknown(segments, want)
	}
	return r.in(segments, 0)
}

// divisor recognises the number of vectors in a sum, or its square root.
func (r *recogniser) divisor(division, sum savedmodel.Value) error {
	v, err := r.Input(division, 1)
	if err != nil {
		return err
	}
	r.rule.combiner = text.Mean
	for {
		if v, err = r.through(v, "Identity", "Cast", "ExpandDims"); err != nil {
			return err
		}
		if !is(v, "Sqrt") || r.rule.combiner == text.Sqrtn {
			break
		}
		r.rule.combiner = text.Sqrtn
		if v, err = r.Input(v, 0); err != nil {
			return err
		}
	}
	const want = "the number of a text's tokens"
	if !is(v, "SegmentSum", "UnsortedSegmentSum") {
		return unknown(v, want)
	}
	counted, err := r.segments(v)
	if err != nil {
		return err
	}
	summed, err := r.segments(sum)
	if err != nil {
		return err
	}
	ones, err := r.in(v, 0)
	if err != nil {
		return err
	}
	if is(ones, "Fill") {
		if ones, err = r.in(ones, 1); err != nil {
			return err
		}
	}
	one := is(ones, "OnesLike")
	if n, ok := r.numbers(ones); ok && len(n) == 1 && n[0] == 1 {
		one = true
	}
	if !one || counted != summed {
		return unknown(v, want)
	}
	return nil
}

// distinct recognises a look-up of each distinct id once: vectors[places] are those of the ids that it returns.
func (r *recogniser) distinct(vectors, places savedmodel.Value) (savedmodel.Value, error) {
	if r.variable(vectors) == nil { // the table itself
		return places, nil
	}
	ids, err := r.vectors(vectors)
	if err != nil {
		return ids, err
	}
	if !is(ids, "Unique", "UniqueWithCounts") || ids.Output() != 0 || places != ids.Other(1) {
		return ids, unknown(ids, "distinct ids")
	}
	return r.in(ids, 0)
}

// variable records that the table is a variable, or says why v is none.
func (r *recogniser) variable(v savedmodel.Value) error {
	if is(v, "ReadVariableOp") {
		var err error
		if v, err = r.in(v, 0); err != nil {
			return err
		}
	}
	if id, ok := r.Captured(v); ok && r.Objects[id].Kind == savedmodel.Variable {
		r.rule.variables = append(r.rule.variables, hubVariable{id, r.Objects[id].Name})
		return nil
	}
	if is(v, "VarHandleOp", "VariableV2", "Variable") {
		name, err := v.Node().String("shared_name", "")
		if err != nil {
			return err
		}
		if name == "" {
			name = v.Node().Name
		}
		r.rule.variables = append(r.rule.variables, hubVariable{-1, name})
		return nil
	}
	return unknown(v, "a variable")
}

// vectors recognises a look-up of rows and returns their ids.
func (r *recogniser) vectors(v savedmodel.Value) (savedmodel.Value, error) {
	if is(v, "DynamicStitch", "ParallelDynamicStitch") {
		return r.stitched(v)
	}
	if v, err := r.through(v, "Identity", "Reshape"); err == nil && is(v, "DynamicStitch", "ParallelDynamicStitch") {
		return r.stitched(v)
	}
	return r.gathered(v)
}

// gathered recognises a look-up in one variable.
func (r *recogniser) gathered(v savedmodel.Value) (savedmodel.Value, error) {
	if !is(v, "ResourceGather", "Gather", "GatherV2") {
		return v, unknown(v, "a look-up of vectors")
	}
	if n, err := v.Node().Int("batch_dims", 0); err != nil || n != 0 {
		return v, errors.Join(err, unknown(v, "a look-up of vectors"))
	}
	if is(v, "GatherV2") {
		axis, err := r.Input(v, 2)
		if err != nil {
			return v, err
		}
		if n, ok := r.numbers(axis); !ok || len(n) != 1 || n[0] != 0 {
			return v, unknown(v, "a look-up of rows")
		}
	}
	table, err := r.in(v, 0)
	if err != nil {
		return v, err
	}
	if err := r.variable(table); err != nil {
		return v, err
	}
	return r.in(v, 1)
}

// stitched recognises a look-up in a table that is cut into several variables (the partition strategy "div" of
// embedding_lookup: the first rows in the first variable, and so on).
func (r *recogniser) stitched(v savedmodel.Value) (savedmodel.Value, error) {
	parts := v.Inputs() / 2
	var split savedmodel.Value // ids by part
	for i := range parts {
		vectors, err := r.in(v, parts+i)
		if err != nil {
			return v, err
		}
		ids, err := r.gathered(vectors)
		if err != nil {
			return v, err
		}
		if !is(ids, "DynamicPartition") || ids.Output() != i || i > 0 && ids.Other(0) != split {
			return v, unknown(ids, "the ids that belong to a part of the table")
		}
		split = ids.Other(0)
	}
	part, err := r.Input(split, 1)
	if err != nil {
		return v, err
	}
	if part, err = r.through(part, "Identity", "Cast"); err != nil {
		return v, err
	}
	if is(part, "FloorMod") {
		return v, fmt.Errorf("its table is cut into %d parts by the remainders of ids (partition strategy \"mod\"), which is not supported", parts)
	}
	// max(id / (n+1), (id - extras) / n) is the part of an id.
	const want = "the part of the table that an id lies in"
	if !is(part, "Maximum") {
		return v, unknown(part, want)
	}
	by, err := r.in(part, 0)
	if err != nil || !is(by, "FloorDiv") {
		return v, errors.Join(err, unknown(part, want))
	}
	ids, err := r.in(by, 0)
	if err != nil {
		return v, err
	}
	if is(ids, "Reshape") && r.flattens(ids) {
		return r.in(ids, 0)
	}
	return ids, nil
}

// sparse follows the indices and values of a sparse tensor back through what leaves its rows as they are, to where the
// values are made. filled tells whether a row without values gets fill, the default of strings.
func (r *recogniser) sparse(indices, values savedmodel.Value) (_, _ savedmodel.Value, filled bool, err error) {
	for {
		if indices, err = r.same(indices); err != nil {
			return indices, values, filled, err
		}
		if values, err = r.same(values); err != nil {
			return indices, values, filled, err
		}
		switch {
		case is(values, "SparseFillEmptyRows") && values.Output() == 1 && indices == values.Other(0):
			by, err := r.Input(values, 3)
			if err != nil {
				return indices, values, filled, err
			}
			// An id that fills a row needs no look: rows have had the empty token already, or TensorFlow takes it back
			// behind the sum.
			if _, number := r.numbers(by); !number {
				if s, ok := r.string(by); !ok || s != "" {
					return indices, values, filled, unknown(by, "the empty token, for texts without tokens,")
				}
				filled = true
			}
			if indices, err = r.Input(values, 0); err != nil {
				return indices, values, filled, err
			}
			if values, err = r.Input(values, 1); err != nil {
				return indices, values, filled, err
			}
		case is(values, "GatherV2", "Gather") && is(indices, "GatherV2", "Gather"):
			// Ids below zero are left out.
			kept, err := r.in(values, 1)
			if err != nil {
				return indices, values, filled, err
			}
			all, err := r.in(values, 0)
			if err != nil {
				return indices, values, filled, err
			}
			if err := r.notNegative(kept, all); err != nil {
				return indices, values, filled, err
			}
			if also, err := r.in(indices, 1); err != nil || also != kept {
				return indices, values, filled, errors.Join(err, unknown(indices, "the indices of the ids"))
			}
			values = all
			if indices, err = r.Input(indices, 0); err != nil {
				return indices, values, filled, err
			}
		case is(indices, "SparseReshape") && indices.Output() == 0:
			// All dimensions but the last become one, which changes nothing where there are two.
			shape, err := r.in(indices, 2)
			if err != nil {
				return indices, values, filled, err
			}
			if shape, err = r.through(shape, "Cast"); err != nil {
				return indices, values, filled, err
			}
			if !is(shape, "Pack") || shape.Inputs() != 2 {
				return indices, values, filled, unknown(shape, "a shape of two dimensions")
			}
			if indices, err = r.Input(indices, 0); err != nil {
				return indices, values, filled, err
			}
		default:
			return indices, values, filled, nil
		}
	}
}

// notNegative recognises the places of ids that are at least zero.
func (r *recogniser) notNegative(places, ids savedmodel.Value) error {
	const want = "the places of ids that are not negative"
	v := places
	var err error
	if is(v, "Reshape") && r.flattens(v) {
		if v, err = r.in(v, 0); err != nil {
			return err
		}
	}
	if !is(v, "Where") {
		return unknown(v, want)
	}
	if v, err = r.in(v, 0); err != nil {
		return err
	}
	if !is(v, "GreaterEqual") {
		return unknown(v, want)
	}
	zero, err := r.Input(v, 1)
	if err != nil {
		return err
	}
	of, err := r.in(v, 0)
	if err != nil {
		return err
	}
	if n, ok := r.numbers(zero); !ok || len(n) != 1 || n[0] != 0 || of != ids {
		return unknown(v, want)
	}
	return nil
}

// ids recognises the look-up of tokens in the vocabulary.
func (r *recogniser) ids(indices, values savedmodel.Value) error {
	indices, values, _, err := r.sparse(indices, values)
	if err != nil {
		return err
	}
	if is(values, "LookupTableFind", "LookupTableFindV2") {
		return fmt.Errorf("its graph gives words outside the vocabulary no bucket (%v), which is not supported", values)
	}
	if !is(values, "Select", "SelectV2") {
		return unknown(values, "a look-up of tokens in a vocabulary")
	}
	known, err := r.in(values, 0)
	if err != nil {
		return err
	}
	find, err := r.in(values, 1)
	if err != nil {
		return err
	}
	bucket, err := r.in(values, 2)
	if err != nil {
		return err
	}
	if !is(find, "LookupTableFind", "LookupTableFindV2") {
		return unknown(find, "a look-up of tokens in a vocabulary")
	}
	table, err := r.in(find, 0)
	if err != nil {
		return err
	}
	tokens, err := r.in(find, 1)
	if err != nil {
		return err
	}
	missing, err := r.in(find, 2)
	if err != nil {
		return err
	}
	r.table = table
	// Whether the look-up gave something else than its answer for a word that is not there.
	if !is(known, "NotEqual") {
		return unknown(known, "the question whether a token is in the vocabulary")
	}
	for i, want := range []savedmodel.Value{find, missing} {
		if v, err := r.in(known, i); err != nil || v != want {
			return errors.Join(err, unknown(known, "the question whether a token is in the vocabulary"))
		}
	}
	if n, ok := r.numbers(missing); !ok || len(n) != 1 || n[0] != -1 {
		return unknown(missing, "-1 for a token that is not in the vocabulary")
	}
	if err := r.bucket(bucket, tokens); err != nil {
		return err
	}
	return r.tokens(indices, tokens)
}

// bucket recognises the id of a token that is not in the vocabulary: the number of words plus a hash.
func (r *recogniser) bucket(v, tokens savedmodel.Value) error {
	if !is(v, "Add", "AddV2") {
		return unknown(v, "the bucket of a token that is not in the vocabulary")
	}
	hash, err := r.in(v, 0)
	if err != nil {
		return err
	}
	size, err := r.in(v, 1)
	if err != nil {
		return err
	}
	if is(size, "StringToHashBucketFast", "StringToHashBucketStrong", "StringToHashBucket") {
		hash, size = size, hash
	}
	switch hash.Op() {
	case "StringToHashBucketFast":
	case "StringToHashBucketStrong", "StringToHashBucket":
		return fmt.Errorf("its graph hashes tokens with %v; only StringToHashBucketFast (Fingerprint64) is supported", hash)
	default:
		return unknown(hash, "a hash of tokens")
	}
	if of, err := r.in(hash, 0); err != nil || of != tokens {
		return errors.Join(err, unknown(hash, "a hash of the same tokens"))
	}
	buckets, err := hash.Node().Int("num_buckets", 0)
	if err != nil {
		return err
	}
	const limit = 1<<31 - 1
	if buckets < 1 || buckets > limit {
		return fmt.Errorf("its graph has %d buckets for tokens that are not in the vocabulary (%v)", buckets, hash)
	}
	r.rule.tokenizer.OOVBuckets = int(buckets)
	if is(size, "LookupTableSize", "LookupTableSizeV2") {
		if of, err := r.in(size, 0); err != nil || of != r.table {
			return errors.Join(err, unknown(size, "the size of the same vocabulary"))
		}
		return nil
	}
	n, ok := r.numbers(size)
	if !ok || len(n) != 1 {
		return unknown(size, "the size of the vocabulary")
	}
	r.rule.words = int64(n[0])
	return nil
}

// tokens recognises how texts become tokens.
func (r *recogniser) tokens(indices, values savedmodel.Value) error {
	indices, values, filled, err := r.sparse(indices, values)
	if err != nil {
		return err
	}
	if is(values, "RaggedTensorToSparse") && values.Output() == 1 && indices == values.Other(0) && values.Inputs() == 2 {
		rows, err := r.in(values, 0)
		if err != nil {
			return err
		}
		if values, err = r.in(values, 1); err != nil {
			return err
		}
		indices = values.Other(0)
		if !r.leadsTo(rows, indices) {
			return unknown(rows, "the number of tokens in each text")
		}
	}
	if !is(values, "StringSplit", "StringSplitV2") || values.Output() != 1 || indices != values.Other(0) {
		return unknown(values, "texts split into tokens")
	}
	separator, err := r.Input(values, 1)
	if err != nil {
		return err
	}
	s, ok := r.string(separator)
	if !ok {
		return unknown(separator, "the character that texts are split at")
	}
	if s != " " {
		how := fmt.Sprintf("%.80q", s)
		if s == "" {
			how = "white space"
		}
		return fmt.Errorf("its graph splits texts at %s (%v); only single spaces are supported", how, values)
	}
	if is(values, "StringSplitV2") { // an empty text has one empty token
		if n, err := values.Node().Int("maxsplit", -1); err != nil || n >= 0 {
			return errors.Join(err, fmt.Errorf("its graph splits texts %d times at most (%v), which is not supported", n, values))
		}
	} else {
		skip, err := values.Node().Bool("skip_empty", true)
		if err != nil {
			return err
		}
		if skip {
			return fmt.Errorf("its graph leaves out empty tokens (%v), which is not supported", values)
		}
		if !filled {
			return fmt.Errorf("its graph gives an empty text no token (%v), which is not supported", values)
		}
	}
	texts, err := r.Input(values, 0)
	if err != nil {
		return err
	}
	return r.texts(texts)
}

// leadsTo tells whether to is among what v is computed from.
func (r *recogniser) leadsTo(v, to savedmodel.Value) bool {
	seen := map[savedmodel.Value]bool{}
	for stack := []savedmodel.Value{v}; len(stack) > 0; {
		v, stack = stack[len(stack)-1], stack[:len(stack)-1]
		if v == to {
			return true
		}
		if seen[v] {
			continue
		}
		seen[v] = true
		for i := range v.Inputs() {
			if w, err := r.Input(v, i); err == nil {
				stack = append(stack, w)
			}
		}
	}
	return false
}

// texts recognises what is done to the strings before they are split.
func (r *recogniser) texts(v savedmodel.Value) error {
	r.rule.tokenizer.KeepPunctuation = true
	for {
		var err error
		if v, err = r.same(v); err != nil {
			return err
		}
		if place, ok := r.Argument(v); ok && place == 0 || is(v, "Placeholder") {
			return nil
		}
		switch {
		case is(v, "Reshape") && r.flattens(v):
		case is(v, "StringLower"):
			encoding, err := v.Node().String("encoding", "")
			if err != nil {
				return err
			}
			if encoding != "" {
				return fmt.Errorf("its graph lowers the letters of %.80q (%v); only ASCII is supported", encoding, v)
			}
			r.rule.tokenizer.Lower = true
		case is(v, "StaticRegexReplace", "RegexReplace"):
			if err := r.replace(v); err != nil {
				return err
			}
			r.rule.tokenizer.KeepPunctuation = false
		default:
			return unknown(v, "the texts")
		}
		if v, err = r.Input(v, 0); err != nil {
			return err
		}
	}
}

// replace recognises a regular expression that removes the characters of Unicode's category P.
func (r *recogniser) replace(v savedmodel.Value) error {
	n := v.Node()
	var pattern, rewrite string
	if is(v, "StaticRegexReplace") {
		var err, err2 error
		pattern, err = n.String("pattern", "")
		rewrite, err2 = n.String("rewrite", "")
		if err := errors.Join(err, err2); err != nil {
			return err
		}
	} else {
		for i, s := range []*string{&pattern, &rewrite} {
			in, err := r.Input(v, 1+i)
			if err != nil {
				return err
			}
			var ok bool
			if *s, ok = r.string(in); !ok {
				return unknown(in, "a regular expression")
			}
		}
	}
	global, err := n.Bool("replace_global", true)
	if err != nil {
		return err
	}
	known := []string{`\pP`, `\p{P}`, `\pP+`, `\p{P}+`, `[\pP]`, `[\p{P}]`, `[\pP]+`, `[\p{P}]+`}
	if !slices.Contains(known, pattern) || rewrite != "" || !global {
		return fmt.Errorf("its graph replaces the regular expression %.80q by %.80q (%v); only \\pP by \"\", wherever it is found, is supported", pattern, rewrite, v)
	}
	return nil
}

// vocabulary finds the file from which the table of tokens is filled.
func (r *recogniser) vocabulary() error {
	id, captured := r.Captured(r.table)
	functions := []string{""}
	if captured {
		functions = functions[:0]
		for f := range r.Captures {
			functions = append(functions, f)
		}
		slices.Sort(functions)
	}
	for _, f := range functions {
		fills, err := r.Nodes(f, "InitializeTableFromTextFile", "InitializeTableFromTextFileV2")
		if err != nil {
			continue // a function that is not there
		}
		for _, v := range fills {
			table, err := r.in(v, 0)
			if err != nil {
				return err
			}
			if other, ok := r.Captured(table); ok != captured || other != id || !captured && table != r.table {
				continue
			}
			return r.fill(v)
		}
	}
	return fmt.Errorf("its graph does not fill the vocabulary (%v) from a file", r.table)
}

// fill recognises a table from the lines of a file to their numbers.
func (r *recogniser) fill(v savedmodel.Value) error {
	n := v.Node()
	for _, a := range []struct {
		name          string
		missing, want int64
	}{
		{"key_index", 0, -2},   // the whole line
		{"value_index", 0, -1}, // its number
		{"offset", 0, 0},
	} {
		got, err := n.Int(a.name, a.missing)
		if err != nil {
			return err
		}
		if got != a.want {
			return fmt.Errorf("its graph fills the vocabulary with %s %d (%v); only whole lines and their numbers are supported", a.name, got, v)
		}
	}
	size, err := n.Int("vocab_size", -1)
	if err != nil {
		return err
	}
	if size >= 0 {
		if r.rule.words >= 0 && r.rule.words != size {
			return fmt.Errorf("its graph has a vocabulary of %d words (%v) and buckets from id %d", size, v, r.rule.words)
		}
		r.rule.words = size
	}
	path, err := r.in(v, 1)
	if err != nil {
		return err
	}
	if id, ok := r.Captured(path); ok && r.Objects[id].Kind == savedmodel.Asset {
		r.rule.tokens = r.Assets[r.Objects[id].Asset].File
		return nil
	}
	for _, a := range r.Assets {
		if w, err := r.Tensor(a.Tensor); err == nil {
			if w, err = r.same(w); err == nil && w == path {
				r.rule.tokens = a.File
				return nil
			}
		}
	}
	return unknown(path, "the file of the vocabulary")
}
