//go:build !purego

#include "textflag.h"
#include "neon_arm64.h"
#include "bag_arm64.h"

// R13 is the table, R14 the number of columns, R15 the bag, R16 the number of
// bags, R17 and R19 their starts and ends, R20 their divisors.

// PAIR takes a pair of 32 bits, PAIRWIDE one of 64.
#define PAIR \
	MOVWU   (R4)(R6<<2), R8 \
	MOVHU   R8, R10         \
	CMPW    R3, R10         \
	BHI     outside         \
	LSR     $16, R8         \
	SCVTFWS R8, F4          \
	ADD     $1, R6          \
	MADD    R7, R1, R10, R9

#define PAIRWIDE \
	MOVD    (R4)(R6<<3), R8 \
	MOVWU   R8, R10         \
	CMPW    R3, R10         \
	BHI     outside         \
	LSR     $32, R8         \
	SCVTFWS R8, F4          \
	ADD     $1, R6          \
	MADD    R7, R1, R10, R9

#define BAGSMEAN(NEXT) \
	LSL   $2, R14, R7          \ // bytes of a row
	MOVD  $0, R15              \
bags:                              \
	CMP   R16, R15             \
	BGE   outside              \
	MOVD  (R17)(R15<<3), R12   \
	MOVD  (R19)(R15<<3), R5    \
	FMOVS (R20)(R15<<2), F8    \
	MOVD  R13, R1              \
	MOVD  R14, R2              \
	BAGMEAN(NEXT)              \
	ADD   $1, R15              \
	B     bags                 \
outside:

// func bagsMeanNEON(dst, table []float32, dim int, last uint32, pairs []uint32, from, to []int, n []float32) int
TEXT ·bagsMeanNEON(SB), NOSPLIT, $0-168
	MOVD  dst_base+0(FP), R0
	MOVD  table_base+24(FP), R13
	MOVD  dim+48(FP), R14
	MOVWU last+56(FP), R3
	MOVD  pairs_base+64(FP), R4
	MOVD  from_base+88(FP), R17
	MOVD  from_len+96(FP), R16
	MOVD  to_base+112(FP), R19
	MOVD  n_base+136(FP), R20
	BAGSMEAN(PAIR)
	MOVD  R15, ret+160(FP)
	RET

// func bagsMeanWideNEON(dst, table []float32, dim int, last uint32, pairs []uint64, from, to []int, n []float32) int
TEXT ·bagsMeanWideNEON(SB), NOSPLIT, $0-168
	MOVD  dst_base+0(FP), R0
	MOVD  table_base+24(FP), R13
	MOVD  dim+48(FP), R14
	MOVWU last+56(FP), R3
	MOVD  pairs_base+64(FP), R4
	MOVD  from_base+88(FP), R17
	MOVD  from_len+96(FP), R16
	MOVD  to_base+112(FP), R19
	MOVD  n_base+136(FP), R20
	BAGSMEAN(PAIRWIDE)
	MOVD  R15, ret+160(FP)
	RET

#define BAGSSCATTER(NEXT) \
	LSL  $2, R2, R7            \ // bytes of a row
	MOVD $0, R15               \
bags:                              \
	CMP  R16, R15              \
	BGE  outside               \
	MOVD (R17)(R15<<3), R6     \
	MOVD (R19)(R15<<3), R5     \
	BAGSCATTER(NEXT)           \
	ADD  R7, R0                \
	ADD  $1, R15               \
	B    bags                  \
outside:

// func bagsScatterNEON(table, grad []float32, dim int, last uint32, pairs []uint32, from, to []int) int
TEXT ·bagsScatterNEON(SB), NOSPLIT, $0-144
	MOVD  table_base+0(FP), R1
	MOVD  grad_base+24(FP), R0
	MOVD  dim+48(FP), R2
	MOVWU last+56(FP), R3
	MOVD  pairs_base+64(FP), R4
	MOVD  from_base+88(FP), R17
	MOVD  from_len+96(FP), R16
	MOVD  to_base+112(FP), R19
	BAGSSCATTER(PAIR)
	MOVD  R15, ret+136(FP)
	RET

// func bagsScatterWideNEON(table, grad []float32, dim int, last uint32, pairs []uint64, from, to []int) int
TEXT ·bagsScatterWideNEON(SB), NOSPLIT, $0-144
	MOVD  table_base+0(FP), R1
	MOVD  grad_base+24(FP), R0
	MOVD  dim+48(FP), R2
	MOVWU last+56(FP), R3
	MOVD  pairs_base+64(FP), R4
	MOVD  from_base+88(FP), R17
	MOVD  from_len+96(FP), R16
	MOVD  to_base+112(FP), R19
	BAGSSCATTER(PAIRWIDE)
	MOVD  R15, ret+136(FP)
	RET
