package model

import (
	"runtime/debug"

	"github.com/linnet-ml/linnet/nn/plan"
)

// guard runs what reads the memory of files that the caller holds. A fault there, because another program has cut a file
// short, is an error.
func guard(held []plan.Lender, read func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		v := recover()
		if v == nil {
			return
		}
		for _, l := range held {
			if err = l.Fault(v); err != nil {
				return
			}
		}
		panic(v)
	}()
	return read()
}
