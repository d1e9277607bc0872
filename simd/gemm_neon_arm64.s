//go:build !purego

#include "textflag.h"
#include "neon_arm64.h"

// The panels work on tiles of rows: R14 rows are left, and where fewer are left
// than the tile has, the last one stands in for those that are missing. Its
// element of C is then computed more than once, to the same bits: C is read
// before it is written.
//
// R0 is k, R19 A at the tile, R20 and R7 its strides, R21 B, R9 its stride, R22
// C at the tile, R23 its stride, R24 the mode. Inside the loop R8 is the row of
// B, R10 the offset of A's column, R11 how many products are left.

#define NEXTROW(stride, row, this, next) \
	ADD  stride, this, next  \
	CMP  $row, R14           \
	CSEL GT, next, this, next

// ROWS3 and ROWS6 put the addresses of a tile's rows into R1 to R3 or R6.
#define ROWS3(base, stride) \
	MOVD base, R1              \
	NEXTROW(stride, 1, R1, R2) \
	NEXTROW(stride, 2, R2, R3)

#define ROWS6(base, stride) \
	ROWS3(base, stride)        \
	NEXTROW(stride, 3, R3, R4) \
	NEXTROW(stride, 4, R4, R5) \
	NEXTROW(stride, 5, R5, R6)

#define START \
	MOVD R21, R8 \
	MOVD $0, R10 \
	MOVD R0, R11

#define STEP \
	ADD R7, R10 \
	ADD R9, R8

// NEXTTILE moves on by n rows and sets the flags for those left.
#define NEXTTILE(n) \
	MOVD $n, R25             \
	MADD R20, R19, R25, R19  \
	MADD R23, R22, R25, R22  \
	SUBS $n, R14, R14

// ROW16 adds the products of A in V(a) with 16 columns of B to V(s) to V(s+3).
#define ROW16(a, s) \
	FMLA4SE(0, a, 28, s+0) \
	FMLA4SE(0, a, 29, s+1) \
	FMLA4SE(0, a, 30, s+2) \
	FMLA4SE(0, a, 31, s+3)

#define ZERO16(s) \
	ZERO4S(s+0) \
	ZERO4S(s+1) \
	ZERO4S(s+2) \
	ZERO4S(s+3)

// ADD16 adds V(x) to V(x+3) to V(s) to V(s+3).
#define ADD16(x, s) \
	FADD4S(x+0, s+0, s+0) \
	FADD4S(x+1, s+1, s+1) \
	FADD4S(x+2, s+2, s+2) \
	FADD4S(x+3, s+3, s+3)

// func gemm1x16NEON(m, k int, a *float32, rowStride, colStride int, b *float32, ldb int, c *float32, ldc, mode int)
//
// Tiles of 6 rows. V4 to V27 hold the sums.
TEXT ·gemm1x16NEON(SB), NOSPLIT, $0-80
	MOVD m+0(FP), R14
	MOVD k+8(FP), R0
	MOVD a+16(FP), R19
	MOVD rowStride+24(FP), R20
	MOVD colStride+32(FP), R7
	MOVD b+40(FP), R21
	MOVD ldb+48(FP), R9
	MOVD c+56(FP), R22
	MOVD ldc+64(FP), R23
	MOVD mode+72(FP), R24

tile:
	CMP  $1, R24
	BEQ  continue
	ZERO16(4)
	ZERO16(8)
	ZERO16(12)
	ZERO16(16)
	ZERO16(20)
	ZERO16(24)
	B    start

continue:
	ROWS6(R22, R23)
	VLD1 (R1), [V4.S4, V5.S4, V6.S4, V7.S4]
	VLD1 (R2), [V8.S4, V9.S4, V10.S4, V11.S4]
	VLD1 (R3), [V12.S4, V13.S4, V14.S4, V15.S4]
	VLD1 (R4), [V16.S4, V17.S4, V18.S4, V19.S4]
	VLD1 (R5), [V20.S4, V21.S4, V22.S4, V23.S4]
	VLD1 (R6), [V24.S4, V25.S4, V26.S4, V27.S4]

start:
	ROWS6(R19, R20)
	START

loop:
	FLDPQ (R8), (F28, F29)
	FLDPQ 32(R8), (F30, F31)
	FMOVS (R1)(R10), F0
	FMOVS (R2)(R10), F1
	FMOVS (R3)(R10), F2
	FMOVS (R4)(R10), F3
	ROW16(0, 4)
	FMOVS (R5)(R10), F0
	ROW16(1, 8)
	FMOVS (R6)(R10), F1
	ROW16(2, 12)
	ROW16(3, 16)
	ROW16(0, 20)
	ROW16(1, 24)
	STEP
	SUBS  $1, R11
	BNE   loop

	ROWS6(R22, R23)
	CMP  $2, R24
	BNE  store
	VLD1 (R1), [V28.S4, V29.S4, V30.S4, V31.S4]
	ADD16(28, 4)
	VLD1 (R2), [V28.S4, V29.S4, V30.S4, V31.S4]
	ADD16(28, 8)
	VLD1 (R3), [V28.S4, V29.S4, V30.S4, V31.S4]
	ADD16(28, 12)
	VLD1 (R4), [V28.S4, V29.S4, V30.S4, V31.S4]
	ADD16(28, 16)
	VLD1 (R5), [V28.S4, V29.S4, V30.S4, V31.S4]
	ADD16(28, 20)
	VLD1 (R6), [V28.S4, V29.S4, V30.S4, V31.S4]
	ADD16(28, 24)

store:
	VST1 [V4.S4, V5.S4, V6.S4, V7.S4], (R1)
	VST1 [V8.S4, V9.S4, V10.S4, V11.S4], (R2)
	VST1 [V12.S4, V13.S4, V14.S4, V15.S4], (R3)
	VST1 [V16.S4, V17.S4, V18.S4, V19.S4], (R4)
	VST1 [V20.S4, V21.S4, V22.S4, V23.S4], (R5)
	VST1 [V24.S4, V25.S4, V26.S4, V27.S4], (R6)
	NEXTTILE(6)
	BGT  tile
	RET

// func gemm1x64NEON(m, k int, a *float32, rowStride, colStride int, b *float32, ldb int, c *float32, ldc, mode int)
//
// Tiles of one row. V16 to V31 hold the sums.
TEXT ·gemm1x64NEON(SB), NOSPLIT, $0-80
	MOVD m+0(FP), R14
	MOVD k+8(FP), R0
	MOVD a+16(FP), R19
	MOVD rowStride+24(FP), R20
	MOVD colStride+32(FP), R7
	MOVD b+40(FP), R21
	MOVD ldb+48(FP), R9
	MOVD c+56(FP), R22
	MOVD ldc+64(FP), R23
	MOVD mode+72(FP), R24

tile:
	CMP    $1, R24
	BEQ    continue
	ZERO16(16)
	ZERO16(20)
	ZERO16(24)
	ZERO16(28)
	B      start

continue:
	MOVD   R22, R1
	VLD1.P 64(R1), [V16.S4, V17.S4, V18.S4, V19.S4]
	VLD1.P 64(R1), [V20.S4, V21.S4, V22.S4, V23.S4]
	VLD1.P 64(R1), [V24.S4, V25.S4, V26.S4, V27.S4]
	VLD1   (R1), [V28.S4, V29.S4, V30.S4, V31.S4]

start:
	START

loop:
	FMOVS (R19)(R10), F0
	FLDPQ (R8), (F4, F5)
	FLDPQ 32(R8), (F6, F7)
	FMLA4SE(0, 0, 4, 16)
	FMLA4SE(0, 0, 5, 17)
	FMLA4SE(0, 0, 6, 18)
	FMLA4SE(0, 0, 7, 19)
	FLDPQ 64(R8), (F4, F5)
	FLDPQ 96(R8), (F6, F7)
	FMLA4SE(0, 0, 4, 20)
	FMLA4SE(0, 0, 5, 21)
	FMLA4SE(0, 0, 6, 22)
	FMLA4SE(0, 0, 7, 23)
	FLDPQ 128(R8), (F4, F5)
	FLDPQ 160(R8), (F6, F7)
	FMLA4SE(0, 0, 4, 24)
	FMLA4SE(0, 0, 5, 25)
	FMLA4SE(0, 0, 6, 26)
	FMLA4SE(0, 0, 7, 27)
	FLDPQ 192(R8), (F4, F5)
	FLDPQ 224(R8), (F6, F7)
	FMLA4SE(0, 0, 4, 28)
	FMLA4SE(0, 0, 5, 29)
	FMLA4SE(0, 0, 6, 30)
	FMLA4SE(0, 0, 7, 31)
	STEP
	SUBS  $1, R11
	BNE   loop

	CMP    $2, R24
	BNE    store
	MOVD   R22, R1
	VLD1.P 64(R1), [V0.S4, V1.S4, V2.S4, V3.S4]
	ADD16(0, 16)
	VLD1.P 64(R1), [V0.S4, V1.S4, V2.S4, V3.S4]
	ADD16(0, 20)
	VLD1.P 64(R1), [V0.S4, V1.S4, V2.S4, V3.S4]
	ADD16(0, 24)
	VLD1   (R1), [V0.S4, V1.S4, V2.S4, V3.S4]
	ADD16(0, 28)

store:
	MOVD   R22, R1
	VST1.P [V16.S4, V17.S4, V18.S4, V19.S4], 64(R1)
	VST1.P [V20.S4, V21.S4, V22.S4, V23.S4], 64(R1)
	VST1.P [V24.S4, V25.S4, V26.S4, V27.S4], 64(R1)
	VST1   [V28.S4, V29.S4, V30.S4, V31.S4], (R1)
	NEXTTILE(1)
	BGT    tile
	RET

// PRODUCTS3 adds the products of 3 rows and 16 columns to V(s) to V(s+11).
#define PRODUCTS3(s) \
	FLDPQ (R8), (F28, F29)   \
	FLDPQ 32(R8), (F30, F31) \
	FMOVS (R1)(R10), F0      \
	FMOVS (R2)(R10), F1      \
	FMOVS (R3)(R10), F2      \
	ROW16(0, s+0)            \
	ROW16(1, s+4)            \
	ROW16(2, s+8)            \
	STEP

// func gemm2x16NEON(m, k int, a *float32, rowStride, colStride int, b *float32, ldb int, c *float32, ldc, mode int)
//
// Tiles of 3 rows. V4 to V15 hold the sums of the first chain, V16 to V27 those
// of the second.
TEXT ·gemm2x16NEON(SB), NOSPLIT, $0-80
	MOVD m+0(FP), R14
	MOVD k+8(FP), R0
	MOVD a+16(FP), R19
	MOVD rowStride+24(FP), R20
	MOVD colStride+32(FP), R7
	MOVD b+40(FP), R21
	MOVD ldb+48(FP), R9
	MOVD c+56(FP), R22
	MOVD ldc+64(FP), R23
	MOVD mode+72(FP), R24

tile:
	ZERO16(4)
	ZERO16(8)
	ZERO16(12)
	ZERO16(16)
	ZERO16(20)
	ZERO16(24)
	ROWS3(R19, R20)
	START

loop:
	SUBS $2, R11
	BLT  last
	PRODUCTS3(4)
	PRODUCTS3(16)
	B    loop

last:
	TBZ  $0, R11, sum
	PRODUCTS3(4)

sum:
	ADD16(16, 4)
	ADD16(20, 8)
	ADD16(24, 12)
	ROWS3(R22, R23)
	CMP  $2, R24
	BNE  store
	VLD1 (R1), [V16.S4, V17.S4, V18.S4, V19.S4]
	VLD1 (R2), [V20.S4, V21.S4, V22.S4, V23.S4]
	VLD1 (R3), [V24.S4, V25.S4, V26.S4, V27.S4]
	ADD16(16, 4)
	ADD16(20, 8)
	ADD16(24, 12)

store:
	VST1 [V4.S4, V5.S4, V6.S4, V7.S4], (R1)
	VST1 [V8.S4, V9.S4, V10.S4, V11.S4], (R2)
	VST1 [V12.S4, V13.S4, V14.S4, V15.S4], (R3)
	NEXTTILE(3)
	BGT  tile
	RET

// The panels of 4, 2 or one columns have tiles of 6 rows. MOVE loads and stores
// that many elements. V16 to V21 hold the sums of the first chain, V22 to V27
// those of the second.

// PRODUCTS6 adds the products of 6 rows to V(s) to V(s+5).
#define PRODUCTS6(MOVE, s) \
	MOVE  (R8), F6       \
	FMOVS (R1)(R10), F0  \
	FMOVS (R2)(R10), F1  \
	FMOVS (R3)(R10), F2  \
	FMOVS (R4)(R10), F3  \
	FMOVS (R5)(R10), F4  \
	FMOVS (R6)(R10), F5  \
	FMLA4SE(0, 0, 6, s+0) \
	FMLA4SE(0, 1, 6, s+1) \
	FMLA4SE(0, 2, 6, s+2) \
	FMLA4SE(0, 3, 6, s+3) \
	FMLA4SE(0, 4, 6, s+4) \
	FMLA4SE(0, 5, 6, s+5) \
	STEP

#define LOAD6(MOVE) \
	MOVE (R1), F16 \
	MOVE (R2), F17 \
	MOVE (R3), F18 \
	MOVE (R4), F19 \
	MOVE (R5), F20 \
	MOVE (R6), F21

#define ADD6(x) \
	FADD4S(x+0, 16, 16) \
	FADD4S(x+1, 17, 17) \
	FADD4S(x+2, 18, 18) \
	FADD4S(x+3, 19, 19) \
	FADD4S(x+4, 20, 20) \
	FADD4S(x+5, 21, 21)

// STORE6 stores the sums, or in mode 2 adds them to C, and ends the tile.
#define STORE6(MOVE) \
	ROWS6(R22, R23)  \
	CMP  $2, R24     \
	BNE  store       \
	MOVE (R1), F0    \
	MOVE (R2), F1    \
	MOVE (R3), F2    \
	MOVE (R4), F3    \
	MOVE (R5), F4    \
	MOVE (R6), F5    \
	ADD6(0)          \
store:                   \
	MOVE F16, (R1)   \
	MOVE F17, (R2)   \
	MOVE F18, (R3)   \
	MOVE F19, (R4)   \
	MOVE F20, (R5)   \
	MOVE F21, (R6)   \
	NEXTTILE(6)      \
	BGT  tile        \
	RET

#define CHAIN1(MOVE) \
tile:                    \
	CMP  $1, R24     \
	BEQ  continue    \
	ZERO16(16)       \
	ZERO4S(20)       \
	ZERO4S(21)       \
	B    start       \
continue:                \
	ROWS6(R22, R23)  \
	LOAD6(MOVE)      \
start:                   \
	ROWS6(R19, R20)  \
	START            \
loop:                    \
	PRODUCTS6(MOVE, 16) \
	SUBS $1, R11     \
	BNE  loop        \
	STORE6(MOVE)

#define CHAINS2(MOVE) \
tile:                    \
	ZERO16(16)       \
	ZERO16(20)       \
	ZERO16(24)       \
	ROWS6(R19, R20)  \
	START            \
loop:                    \
	SUBS $2, R11     \
	BLT  last        \
	PRODUCTS6(MOVE, 16) \
	PRODUCTS6(MOVE, 22) \
	B    loop        \
last:                    \
	TBZ  $0, R11, sum \
	PRODUCTS6(MOVE, 16) \
sum:                     \
	ADD6(22)         \
	STORE6(MOVE)

// func gemm1x4NEON(m, k int, a *float32, rowStride, colStride int, b *float32, ldb int, c *float32, ldc, mode int)
TEXT ·gemm1x4NEON(SB), NOSPLIT, $0-80
	MOVD m+0(FP), R14
	MOVD k+8(FP), R0
	MOVD a+16(FP), R19
	MOVD rowStride+24(FP), R20
	MOVD colStride+32(FP), R7
	MOVD b+40(FP), R21
	MOVD ldb+48(FP), R9
	MOVD c+56(FP), R22
	MOVD ldc+64(FP), R23
	MOVD mode+72(FP), R24
	CHAIN1(FMOVQ)

// func gemm1x2NEON(m, k int, a *float32, rowStride, colStride int, b *float32, ldb int, c *float32, ldc, mode int)
TEXT ·gemm1x2NEON(SB), NOSPLIT, $0-80
	MOVD m+0(FP), R14
	MOVD k+8(FP), R0
	MOVD a+16(FP), R19
	MOVD rowStride+24(FP), R20
	MOVD colStride+32(FP), R7
	MOVD b+40(FP), R21
	MOVD ldb+48(FP), R9
	MOVD c+56(FP), R22
	MOVD ldc+64(FP), R23
	MOVD mode+72(FP), R24
	CHAIN1(FMOVD)

// func gemm1x1NEON(m, k int, a *float32, rowStride, colStride int, b *float32, ldb int, c *float32, ldc, mode int)
TEXT ·gemm1x1NEON(SB), NOSPLIT, $0-80
	MOVD m+0(FP), R14
	MOVD k+8(FP), R0
	MOVD a+16(FP), R19
	MOVD rowStride+24(FP), R20
	MOVD colStride+32(FP), R7
	MOVD b+40(FP), R21
	MOVD ldb+48(FP), R9
	MOVD c+56(FP), R22
	MOVD ldc+64(FP), R23
	MOVD mode+72(FP), R24
	CHAIN1(FMOVS)

// func gemm2x4NEON(m, k int, a *float32, rowStride, colStride int, b *float32, ldb int, c *float32, ldc, mode int)
TEXT ·gemm2x4NEON(SB), NOSPLIT, $0-80
	MOVD m+0(FP), R14
	MOVD k+8(FP), R0
	MOVD a+16(FP), R19
	MOVD rowStride+24(FP), R20
	MOVD colStride+32(FP), R7
	MOVD b+40(FP), R21
	MOVD ldb+48(FP), R9
	MOVD c+56(FP), R22
	MOVD ldc+64(FP), R23
	MOVD mode+72(FP), R24
	CHAINS2(FMOVQ)

// func gemm2x2NEON(m, k int, a *float32, rowStride, colStride int, b *float32, ldb int, c *float32, ldc, mode int)
TEXT ·gemm2x2NEON(SB), NOSPLIT, $0-80
	MOVD m+0(FP), R14
	MOVD k+8(FP), R0
	MOVD a+16(FP), R19
	MOVD rowStride+24(FP), R20
	MOVD colStride+32(FP), R7
	MOVD b+40(FP), R21
	MOVD ldb+48(FP), R9
	MOVD c+56(FP), R22
	MOVD ldc+64(FP), R23
	MOVD mode+72(FP), R24
	CHAINS2(FMOVD)

// func gemm2x1NEON(m, k int, a *float32, rowStride, colStride int, b *float32, ldb int, c *float32, ldc, mode int)
TEXT ·gemm2x1NEON(SB), NOSPLIT, $0-80
	MOVD m+0(FP), R14
	MOVD k+8(FP), R0
	MOVD a+16(FP), R19
	MOVD rowStride+24(FP), R20
	MOVD colStride+32(FP), R7
	MOVD b+40(FP), R21
	MOVD ldb+48(FP), R9
	MOVD c+56(FP), R22
	MOVD ldc+64(FP), R23
	MOVD mode+72(FP), R24
	CHAINS2(FMOVS)

// The inner products of rows with one column. A row's 16 chains lie in V(s) to
// V(s+3), s from 16 to 28. EACH calls a macro for each row of a tile with the
// row's address, s, the number x of the register for its last k mod 4 elements,
// that register, and the one that gets the result.

#define EACH1(ROW) \
	ROW(R1, 16, 9, V9, F16)

#define EACH4(ROW) \
	ROW(R1, 16, 9, V9, F16)   \
	ROW(R2, 20, 10, V10, F20) \
	ROW(R3, 24, 11, V11, F24) \
	ROW(R4, 28, 12, V12, F28)

#define ADDRESSES1(base, stride) \
	MOVD base, R1

#define ADDRESSES4(base, stride) \
	ROWS3(base, stride) \
	NEXTROW(stride, 3, R3, R4)

// The last k mod 4 elements, which lie R12 bytes from the start, share their
// register with -0, those of B theirs with +0: the products are -0, which leaves
// any sum as it is.
#define CLEAR(row, s, x, v, f) \
	ZERO16(s)      \
	VDUP R15, v.S4

#define LASTPAIR(row, s, x, v, f) \
	ADD  R12, row, R13 \
	VLD1 (R13), v.D[0]

#define THIRD(row, s, x, v, f) \
	ADD  R12, row, R13 \
	ADD  $8, R13       \
	VLD1 (R13), v.S[2]

#define SINGLE(row, s, x, v, f) \
	ADD  R12, row, R13 \
	VLD1 (R13), v.S[0]

#define DOT16(row, s, x, v, f) \
	VLD1.P 64(row), [V4.S4, V5.S4, V6.S4, V7.S4] \
	FMLA4S(0, 4, s+0) \
	FMLA4S(1, 5, s+1) \
	FMLA4S(2, 6, s+2) \
	FMLA4S(3, 7, s+3)

#define DOT0(row, s, x, v, f) \
	FMOVQ.P 16(row), F4 \
	FMLA4S(0, 4, s+0)

#define DOT4(row, s, x, v, f) \
	FMOVQ.P 16(row), F4 \
	FMLA4S(0, 4, s+1)

#define DOT8(row, s, x, v, f) \
	FMOVQ.P 16(row), F4 \
	FMLA4S(0, 4, s+2)

#define LAST0(row, s, x, v, f) FMLA4S(8, x, s+0)
#define LAST4(row, s, x, v, f) FMLA4S(8, x, s+1)
#define LAST8(row, s, x, v, f) FMLA4S(8, x, s+2)
#define LAST12(row, s, x, v, f) FMLA4S(8, x, s+3)

// HALVES adds the chains by halves.
#define HALVES(row, s, x, v, f) \
	FADD4S(s+2, s+0, s+0) \
	FADD4S(s+3, s+1, s+1) \
	FADD4S(s+1, s+0, s+0) \
	EXT16B(8, s, s, 4)    \
	FADD4S(4, s, s)       \
	FADDP2S(s, s)

#define ADDC(row, s, x, v, f) \
	FMOVS (row), F4 \
	FADD4S(4, s, s)

#define STOREC(row, s, x, v, f) \
	FMOVS f, (row)

#define GEMVDOT(ADDRESSES, EACH, n) \
	MOVW $(1<<31), R15         \
	LSR  $2, R0, R12           \
	LSL  $4, R12               \
tile:                              \
	ADDRESSES(R19, R20)        \
	EACH(CLEAR)                \
	ZERO4S(8)                  \
	MOVD R21, R8               \
	MOVD R0, R11               \
	TBZ  $1, R0, odd           \
	LASTPAIR(R8, 0, 8, V8, F8) \
	EACH(LASTPAIR)             \
	TBZ  $0, R0, loop          \
	THIRD(R8, 0, 8, V8, F8)    \
	EACH(THIRD)                \
	B    loop                  \
odd:                               \
	TBZ  $0, R0, loop          \
	SINGLE(R8, 0, 8, V8, F8)   \
	EACH(SINGLE)               \
loop:                              \
	CMP  $16, R11              \
	BLT  last                  \
	VLD1.P 64(R8), [V0.S4, V1.S4, V2.S4, V3.S4] \
	EACH(DOT16)                \
	SUB  $16, R11              \
	B    loop                  \
last:                              \
	SUBS $4, R11               \
	BLT  last0                 \
	FMOVQ.P 16(R8), F0         \
	EACH(DOT0)                 \
	SUBS $4, R11               \
	BLT  last4                 \
	FMOVQ.P 16(R8), F0         \
	EACH(DOT4)                 \
	SUBS $4, R11               \
	BLT  last8                 \
	FMOVQ.P 16(R8), F0         \
	EACH(DOT8)                 \
	EACH(LAST12)               \
	B    sum                   \
last0:                             \
	EACH(LAST0)                \
	B    sum                   \
last4:                             \
	EACH(LAST4)                \
	B    sum                   \
last8:                             \
	EACH(LAST8)                \
sum:                               \
	EACH(HALVES)               \
	ADDRESSES(R22, R23)        \
	CMP  $2, R24               \
	BNE  store                 \
	EACH(ADDC)                 \
store:                             \
	EACH(STOREC)               \
	NEXTTILE(n)                \
	BGT  tile                  \
	RET

// func gemvDotNEON(m, k int, a *float32, rowStride int, b, c *float32, ldc, mode int)
TEXT ·gemvDotNEON(SB), NOSPLIT, $0-64
	MOVD m+0(FP), R14
	MOVD k+8(FP), R0
	MOVD a+16(FP), R19
	MOVD rowStride+24(FP), R20
	MOVD b+32(FP), R21
	MOVD c+40(FP), R22
	MOVD ldc+48(FP), R23
	MOVD mode+56(FP), R24
	GEMVDOT(ADDRESSES4, EACH4, 4)

// func gemvDot1NEON(m, k int, a *float32, rowStride int, b, c *float32, ldc, mode int)
TEXT ·gemvDot1NEON(SB), NOSPLIT, $0-64
	MOVD m+0(FP), R14
	MOVD k+8(FP), R0
	MOVD a+16(FP), R19
	MOVD rowStride+24(FP), R20
	MOVD b+32(FP), R21
	MOVD c+40(FP), R22
	MOVD ldc+48(FP), R23
	MOVD mode+56(FP), R24
	GEMVDOT(ADDRESSES1, EACH1, 1)

// One column again, where neighbours in A are of neighbouring rows: V16 to V31
// hold one chain each, of as many rows as MOVE loads. R1 is A's column, R8 the
// element of B.

#define COLUMN(MOVE, s) \
	MOVE  (R1), F0      \
	ADD   R7, R1        \
	FMOVS (R8), F1      \
	ADD   R9, R8        \
	FMLA4SE(0, 1, 0, s)

#define LASTCOLUMN(MOVE, s) \
	CBZ R11, sum    \
	SUB $1, R11     \
	COLUMN(MOVE, s)

#define GEMVCOLUMNS(MOVE, n) \
tile:                             \
	ZERO16(16)                \
	ZERO16(20)                \
	ZERO16(24)                \
	ZERO16(28)                \
	MOVD R19, R1              \
	MOVD R21, R8              \
	MOVD R0, R11              \
loop:                             \
	CMP  $16, R11             \
	BLT  last                 \
	COLUMN(MOVE, 16)          \
	COLUMN(MOVE, 17)          \
	COLUMN(MOVE, 18)          \
	COLUMN(MOVE, 19)          \
	COLUMN(MOVE, 20)          \
	COLUMN(MOVE, 21)          \
	COLUMN(MOVE, 22)          \
	COLUMN(MOVE, 23)          \
	COLUMN(MOVE, 24)          \
	COLUMN(MOVE, 25)          \
	COLUMN(MOVE, 26)          \
	COLUMN(MOVE, 27)          \
	COLUMN(MOVE, 28)          \
	COLUMN(MOVE, 29)          \
	COLUMN(MOVE, 30)          \
	COLUMN(MOVE, 31)          \
	SUB  $16, R11             \
	B    loop                 \
last:                             \
	LASTCOLUMN(MOVE, 16)      \
	LASTCOLUMN(MOVE, 17)      \
	LASTCOLUMN(MOVE, 18)      \
	LASTCOLUMN(MOVE, 19)      \
	LASTCOLUMN(MOVE, 20)      \
	LASTCOLUMN(MOVE, 21)      \
	LASTCOLUMN(MOVE, 22)      \
	LASTCOLUMN(MOVE, 23)      \
	LASTCOLUMN(MOVE, 24)      \
	LASTCOLUMN(MOVE, 25)      \
	LASTCOLUMN(MOVE, 26)      \
	LASTCOLUMN(MOVE, 27)      \
	LASTCOLUMN(MOVE, 28)      \
	LASTCOLUMN(MOVE, 29)      \
	LASTCOLUMN(MOVE, 30)      \
sum:                              \
	ADD16(24, 16)             \
	ADD16(28, 20)             \
	ADD16(20, 16)             \
	FADD4S(18, 16, 16)        \
	FADD4S(19, 17, 17)        \
	FADD4S(17, 16, 16)        \
	CMP  $2, R24              \
	BNE  store                \
	MOVE (R22), F0            \
	FADD4S(0, 16, 16)         \
store:                            \
	MOVE F16, (R22)           \
	ADD  $(4*n), R22          \
	ADD  $(4*n), R19          \
	SUBS $n, R14              \
	BGT  tile                 \
	RET

// func gemvColumns4NEON(m, k int, a *float32, colStride int, b *float32, ldb int, c *float32, mode int)
TEXT ·gemvColumns4NEON(SB), NOSPLIT, $0-64
	MOVD m+0(FP), R14
	MOVD k+8(FP), R0
	MOVD a+16(FP), R19
	MOVD colStride+24(FP), R7
	MOVD b+32(FP), R21
	MOVD ldb+40(FP), R9
	MOVD c+48(FP), R22
	MOVD mode+56(FP), R24
	GEMVCOLUMNS(FMOVQ, 4)

// func gemvColumns1NEON(m, k int, a *float32, colStride int, b *float32, ldb int, c *float32, mode int)
TEXT ·gemvColumns1NEON(SB), NOSPLIT, $0-64
	MOVD m+0(FP), R14
	MOVD k+8(FP), R0
	MOVD a+16(FP), R19
	MOVD colStride+24(FP), R7
	MOVD b+32(FP), R21
	MOVD ldb+40(FP), R9
	MOVD c+48(FP), R22
	MOVD mode+56(FP), R24
	GEMVCOLUMNS(FMOVS, 1)
