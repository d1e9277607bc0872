package text

import (
	"context"
	"errors"
	"fmt"
	"reflect"
)

// Tokenizer turns a text into the ids of its tokens.
type Tokenizer interface {
	// AppendIDs appends the ids of the tokens of s, in their order, to dst. It allocates nothing but what dst lacks, and any
	// number of goroutines may call it at once.
	//
	// A long text takes long: AppendIDs then looks at ctx about every 64 KiB and returns its error when it is done. For a
	// short text it need not look at it. With an error the ids are of no use, but for their memory.
	AppendIDs(ctx context.Context, dst []int32, s string) ([]int32, error)
	// Size is the number of ids: they run from 0 to Size()-1.
	Size() int
}

var errNilContext = errors.New("text: the context is nil")

// checkTokenizer returns an error for arguments that nothing can be done with: no context, no tokenizer, a nil pointer as
// one, or one with a number of ids that is out of range.
func checkTokenizer(ctx context.Context, t Tokenizer) error {
	if ctx == nil {
		return errNilContext
	}
	if isNil(t) {
		return errors.New("text: the tokenizer is nil")
	}
	if err := checkVocabulary(t.Size()); err != nil {
		return fmt.Errorf("text: the tokenizer's Size: %w", err)
	}
	return nil
}

// isNil reports whether v is nil or a nil pointer.
func isNil(v any) bool {
	r := reflect.ValueOf(v)
	return v == nil || r.Kind() == reflect.Pointer && r.IsNil()
}
