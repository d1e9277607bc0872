//go:build !purego

#include "textflag.h"
#include "neon_arm64.h"
#include "elementwise_arm64.h"

// V31 holds the number a.
#define AXPY(x, y) \
	FMUL4S(31, x, x) \
	FADD4S(x, y, x)

// func axpyNEON(a float32, x, y []float32)
TEXT ·axpyNEON(SB), NOSPLIT, $0-56
	FMOVS a+0(FP), F31
	VDUP  V31.S[0], V31.S4
	MOVD  x_base+8(FP), R1
	MOVD  x_len+16(FP), R2
	MOVD  y_base+32(FP), R3
	MOVD  R3, R0                 // y is an input, and the output
	MAP2(AXPY)

#define TOTAL(x, y) FADD4S(y, x, x)

// func addNEON(dst, x, y []float32)
TEXT ·addNEON(SB), NOSPLIT, $0-72
	MOVD dst_base+0(FP), R0
	MOVD x_base+24(FP), R1
	MOVD x_len+32(FP), R2
	MOVD y_base+48(FP), R3
	MAP2(TOTAL)

#define PRODUCT(x, y) FMUL4S(y, x, x)

// func mulNEON(dst, x, y []float32)
TEXT ·mulNEON(SB), NOSPLIT, $0-72
	MOVD dst_base+0(FP), R0
	MOVD x_base+24(FP), R1
	MOVD x_len+32(FP), R2
	MOVD y_base+48(FP), R3
	MAP2(PRODUCT)

#define SCALE(x) FMUL4S(31, x, x)

// func scaleNEON(dst, x []float32, a float32)
TEXT ·scaleNEON(SB), NOSPLIT, $0-52
	MOVD  dst_base+0(FP), R0
	MOVD  x_base+24(FP), R1
	MOVD  x_len+32(FP), R2
	FMOVS a+48(FP), F31
	VDUP  V31.S[0], V31.S4
	MAP1(SCALE)

// V31 holds the number i.
#define MAXAT(x, best, at) \
	FCMGT4S(best, x, 17)   \
	BIT16B(17, x, best)    \
	BIT16B(17, 31, at)

// func maxAtNEON(best, at, x []float32, i float32)
TEXT ·maxAtNEON(SB), NOSPLIT, $0-76
	MOVD  best_base+0(FP), R3
	MOVD  at_base+24(FP), R4
	MOVD  x_base+48(FP), R1
	MOVD  x_len+56(FP), R2
	FMOVS i+72(FP), F31
	VDUP  V31.S[0], V31.S4
	UPDATE2(MAXAT)

#define SHIFT(x) FADD4S(31, x, x)

// func shiftNEON(dst, x []float32, a float32)
TEXT ·shiftNEON(SB), NOSPLIT, $0-52
	MOVD  dst_base+0(FP), R0
	MOVD  x_base+24(FP), R1
	MOVD  x_len+32(FP), R2
	FMOVS a+48(FP), F31
	VDUP  V31.S[0], V31.S4
	MAP1(SHIFT)

#define DIVIDE(x) FDIV4S(31, x, x)

// func divideNEON(dst, x []float32, a float32)
TEXT ·divideNEON(SB), NOSPLIT, $0-52
	MOVD  dst_base+0(FP), R0
	MOVD  x_base+24(FP), R1
	MOVD  x_len+32(FP), R2
	FMOVS a+48(FP), F31
	VDUP  V31.S[0], V31.S4
	MAP1(DIVIDE)

// Reductions keep lanes 4j to 4j+3 of their 32 in V(16+j).

#define ZEROLANES \
	ZERO4S(16) \
	ZERO4S(17) \
	ZERO4S(18) \
	ZERO4S(19) \
	ZERO4S(20) \
	ZERO4S(21) \
	ZERO4S(22) \
	ZERO4S(23)

#define ADDLANES(x, s) \
	FADD4S(x+0, s+0, s+0) \
	FADD4S(x+1, s+1, s+1) \
	FADD4S(x+2, s+2, s+2) \
	FADD4S(x+3, s+3, s+3)

// MINUS0 fills V(d) with -0, which leaves any sum as it is, the sum -0 too.
#define MINUS0(d) \
	MOVW $(1<<31), R5 \
	VDUP R5, d.S4

// LASTLANES is the rest of a reduction. R2 elements, at most 31, are left.
// TERM makes V0 of the next four; V8 holds the terms of the last R2 mod 4, the
// other lanes -0. Then each half of the lanes is added to the
// other; V16 ends with the result.
#define LASTLANES(TERM) \
	SUBS $4, R2, R2     \
	BLT  last0          \
	TERM                \
	FADD4S(0, 16, 16)   \
	SUBS $4, R2, R2     \
	BLT  last1          \
	TERM                \
	FADD4S(0, 17, 17)   \
	SUBS $4, R2, R2     \
	BLT  last2          \
	TERM                \
	FADD4S(0, 18, 18)   \
	SUBS $4, R2, R2     \
	BLT  last3          \
	TERM                \
	FADD4S(0, 19, 19)   \
	SUBS $4, R2, R2     \
	BLT  last4          \
	TERM                \
	FADD4S(0, 20, 20)   \
	SUBS $4, R2, R2     \
	BLT  last5          \
	TERM                \
	FADD4S(0, 21, 21)   \
	SUBS $4, R2, R2     \
	BLT  last6          \
	TERM                \
	FADD4S(0, 22, 22)   \
	FADD4S(8, 23, 23)   \
	B    tree           \
last0:                  \
	FADD4S(8, 16, 16)   \
	B    tree           \
last1:                  \
	FADD4S(8, 17, 17)   \
	B    tree           \
last2:                  \
	FADD4S(8, 18, 18)   \
	B    tree           \
last3:                  \
	FADD4S(8, 19, 19)   \
	B    tree           \
last4:                  \
	FADD4S(8, 20, 20)   \
	B    tree           \
last5:                  \
	FADD4S(8, 21, 21)   \
	B    tree           \
last6:                  \
	FADD4S(8, 22, 22)   \
tree:                   \
	ADDLANES(20, 16)    \
	FADD4S(18, 16, 16)  \
	FADD4S(19, 17, 17)  \
	FADD4S(17, 16, 16)  \
	VEXT $8, V16.B16, V16.B16, V17.B16 \
	FADD4S(17, 16, 16)  \
	FADDP2S(16, 16)

#define SUMTERM FMOVQ.P 16(R1), F0

// func sumNEON(x []float32) float32
TEXT ·sumNEON(SB), NOSPLIT, $0-28
	MOVD x_base+0(FP), R1
	MOVD x_len+8(FP), R2
	ZEROLANES

loop:
	CMP    $32, R2
	BLT    last
	VLD1.P 64(R1), [V0.S4, V1.S4, V2.S4, V3.S4]
	VLD1.P 64(R1), [V4.S4, V5.S4, V6.S4, V7.S4]
	ADDLANES(0, 16)
	ADDLANES(4, 20)
	SUB    $32, R2
	B      loop

last:
	MINUS0(V8)
	AND  $28, R2, R4
	ADD  R4<<2, R1, R4             // the last R2 mod 4 elements
	TBZ  $1, R2, odd
	FMOVD.P 8(R4), F0
	VMOV V0.D[0], V8.D[0]
	TBZ  $0, R2, whole
	VLD1 (R4), V8.S[2]
	B    whole

odd:
	TBZ  $0, R2, whole
	VLD1 (R4), V8.S[0]

whole:
	LASTLANES(SUMTERM)
	FMOVS F16, ret+24(FP)
	RET

#define DOTTERM \
	FMOVQ.P 16(R1), F0 \
	FMOVQ.P 16(R3), F4 \
	FMUL4S(4, 0, 0)

// func dotNEON(x, y []float32) float32
TEXT ·dotNEON(SB), NOSPLIT, $0-52
	MOVD x_base+0(FP), R1
	MOVD x_len+8(FP), R2
	MOVD y_base+24(FP), R3
	ZEROLANES

loop:
	CMP    $32, R2
	BLT    last
	VLD1.P 64(R1), [V0.S4, V1.S4, V2.S4, V3.S4]
	VLD1.P 64(R3), [V4.S4, V5.S4, V6.S4, V7.S4]
	FMUL4S(4, 0, 0)
	FMUL4S(5, 1, 1)
	FMUL4S(6, 2, 2)
	FMUL4S(7, 3, 3)
	ADDLANES(0, 16)
	VLD1.P 64(R1), [V0.S4, V1.S4, V2.S4, V3.S4]
	VLD1.P 64(R3), [V4.S4, V5.S4, V6.S4, V7.S4]
	FMUL4S(4, 0, 0)
	FMUL4S(5, 1, 1)
	FMUL4S(6, 2, 2)
	FMUL4S(7, 3, 3)
	ADDLANES(0, 20)
	SUB    $32, R2
	B      loop

last:
	MINUS0(V8)
	ZERO4S(9)                      // -0 * +0 is -0
	AND  $28, R2, R4
	ADD  R4<<2, R3, R6
	ADD  R4<<2, R1, R4             // the last R2 mod 4 elements
	TBZ  $1, R2, odd
	FMOVD.P 8(R4), F0
	FMOVD.P 8(R6), F9
	VMOV V0.D[0], V8.D[0]
	TBZ  $0, R2, product
	VLD1 (R4), V8.S[2]
	VLD1 (R6), V9.S[2]
	B    product

odd:
	TBZ  $0, R2, product
	VLD1 (R4), V8.S[0]
	VLD1 (R6), V9.S[0]

product:
	FMUL4S(9, 8, 8)
	LASTLANES(DOTTERM)
	FMOVS F16, ret+48(FP)
	RET

// func transpose4NEON(dst, src *float32, dstStride, srcStride, squares int)
TEXT ·transpose4NEON(SB), NOSPLIT, $0-40
	MOVD dst+0(FP), R0
	MOVD src+8(FP), R1
	MOVD dstStride+16(FP), R2
	MOVD srcStride+24(FP), R3
	MOVD squares+32(FP), R4
	LSL  $2, R2                    // strides in bytes
	LSL  $2, R3
	ADD  R3, R1, R5                // rows 1, 2 and 3
	ADD  R3, R5, R6
	ADD  R3, R6, R7

loop:
	CBZ     R4, done
	FMOVQ.P 16(R1), F0             // a0 a1 a2 a3
	FMOVQ.P 16(R5), F1             // b0 b1 b2 b3
	FMOVQ.P 16(R6), F2             // c0 c1 c2 c3
	FMOVQ.P 16(R7), F3             // d0 d1 d2 d3
	VTRN1   V1.S4, V0.S4, V4.S4    // a0 b0 a2 b2
	VTRN2   V1.S4, V0.S4, V5.S4    // a1 b1 a3 b3
	VTRN1   V3.S4, V2.S4, V6.S4    // c0 d0 c2 d2
	VTRN2   V3.S4, V2.S4, V7.S4    // c1 d1 c3 d3
	VTRN1   V6.D2, V4.D2, V0.D2    // a0 b0 c0 d0
	VTRN1   V7.D2, V5.D2, V1.D2
	VTRN2   V6.D2, V4.D2, V2.D2
	VTRN2   V7.D2, V5.D2, V3.D2
	FMOVQ   F0, (R0)
	ADD     R2, R0
	FMOVQ   F1, (R0)
	ADD     R2, R0
	FMOVQ   F2, (R0)
	ADD     R2, R0
	FMOVQ   F3, (R0)
	ADD     R2, R0
	SUB     $1, R4
	B       loop

done:
	RET
