// Package bench is the work by which linnet is measured: the first tutorial, a large table, and curves of cost against
// size. Its benchmarks measure linnet alone:
//
//	go test -run '^$' -bench . ./simd ./bench
//
// The programs below it measure linnet beside others: peers on all of this, gemm on matrix products.
package bench
