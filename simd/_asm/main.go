// Command _asm writes the amd64 assembly of package simd and its Go stubs, one
// part at a time:
//
//	go run . -part vector -isa avx512 -out ../vector_avx512_amd64.s -stubs ../vector_avx512_amd64.go -pkg simd
//
// The go:generate lines in ../kernels_amd64.go name all parts. Each stub's doc
// comment is the reference loop, which the kernel follows operation by
// operation: no product is fused with a sum except in the matrix product.
package main

import (
	"flag"
	"log"

	. "github.com/mmcloughlin/avo/build"
)

var parts = map[string]func(){
	"vector":     vector,
	"activation": activation,
	"rows":       rows,
	"table":      table,
	"bags":       bags,
	"count":      count,
	"gemm":       gemm,
	"gemm512":    gemmAVX512,
	"optimizer":  optimizer,
}

func main() {
	part := flag.String("part", "", "which kernels to write")
	isa := flag.String("isa", "avx2", "for which instruction set: avx2 or avx512")
	flag.Parse()
	switch *isa {
	case "avx2":
	case "avx512":
		wide = true
	default:
		log.Fatalf("no instruction set %q", *isa)
	}
	write, ok := parts[*part]
	if !ok {
		log.Fatalf("no part %q", *part)
	}
	ConstraintExpr("!purego")
	write()
	Generate()
}
