//go:build !purego

#include "textflag.h"
#include "neon_arm64.h"
#include "elementwise_arm64.h"

// The constants of scalar.go, in the order of the registers that take them. A
// difference would show in the tests, which compare bits.

// V10 to V23: EXP.
DATA exp<>+0(SB)/4, $89.0                  // V10 expHigh
DATA exp<>+4(SB)/4, $(-104.0)              // V11 expLow
DATA exp<>+8(SB)/4, $1.44269504088896341   // V12 log2e
DATA exp<>+12(SB)/4, $0x4b400000           // V13 roundMagic
DATA exp<>+16(SB)/4, $0.693359375          // V14 ln2High
DATA exp<>+20(SB)/4, $(-2.12194440e-4)     // V15 ln2Low
DATA exp<>+24(SB)/4, $1.9875691500e-4      // V16 exp0
DATA exp<>+28(SB)/4, $1.3981999507e-3
DATA exp<>+32(SB)/4, $8.3334519073e-3
DATA exp<>+36(SB)/4, $4.1665795894e-2
DATA exp<>+40(SB)/4, $1.6666665459e-1
DATA exp<>+44(SB)/4, $5.0000001201e-1
DATA exp<>+48(SB)/4, $1.0                  // V22
DATA exp<>+52(SB)/4, $127                  // V23
GLOBL exp<>(SB), RODATA|NOPTR, $56

#define EXPCONSTANTS \
	MOVD    $exp<>(SB), R6  \
	VLD1R.P 4(R6), [V10.S4] \
	VLD1R.P 4(R6), [V11.S4] \
	VLD1R.P 4(R6), [V12.S4] \
	VLD1R.P 4(R6), [V13.S4] \
	VLD1R.P 4(R6), [V14.S4] \
	VLD1R.P 4(R6), [V15.S4] \
	VLD1R.P 4(R6), [V16.S4] \
	VLD1R.P 4(R6), [V17.S4] \
	VLD1R.P 4(R6), [V18.S4] \
	VLD1R.P 4(R6), [V19.S4] \
	VLD1R.P 4(R6), [V20.S4] \
	VLD1R.P 4(R6), [V21.S4] \
	VLD1R.P 4(R6), [V22.S4] \
	VLD1R   (R6), [V23.S4]

// EXP turns x into Exp32(x). V4, V5 and V6 are lost. FMIN and FMAX keep a NaN.
#define EXP(x) \
	FMIN4S(10, x, x)  \
	FMAX4S(11, x, x)  \
	FMUL4S(12, x, 4)  \
	FADD4S(13, 4, 4)  \ // t: n in its low bits
	FSUB4S(13, 4, 5)  \ // n
	FMUL4S(14, 5, 6)  \
	FSUB4S(6, x, x)   \
	FMUL4S(15, 5, 6)  \
	FSUB4S(6, x, x)   \ // r
	FMUL4S(16, x, 5)  \
	FADD4S(17, 5, 5)  \
	FMUL4S(x, 5, 5)   \
	FADD4S(18, 5, 5)  \
	FMUL4S(x, 5, 5)   \
	FADD4S(19, 5, 5)  \
	FMUL4S(x, 5, 5)   \
	FADD4S(20, 5, 5)  \
	FMUL4S(x, 5, 5)   \
	FADD4S(21, 5, 5)  \
	FMUL4S(x, x, 6)   \
	FMUL4S(6, 5, 5)   \
	FADD4S(x, 5, 5)   \
	FADD4S(22, 5, 5)  \ // p
	VSUB V13.S4, V4.S4, V4.S4 \ // i: roundBits are the bits of roundMagic
	SSHR4S(1, 4, 6)           \ // h
	VSUB V6.S4, V4.S4, V4.S4  \ // i - h
	VADD V23.S4, V6.S4, V6.S4 \
	VADD V23.S4, V4.S4, V4.S4 \
	VSHL $23, V6.S4, V6.S4    \
	VSHL $23, V4.S4, V4.S4    \
	FMUL4S(6, 5, 5)   \
	FMUL4S(4, 5, x)

// V24 to V31: TANH.
DATA tanh<>+0(SB)/4, $(-5.70498872745e-3)  // V24 tanh0
DATA tanh<>+4(SB)/4, $2.06390887954e-2
DATA tanh<>+8(SB)/4, $(-5.37397155531e-2)
DATA tanh<>+12(SB)/4, $1.33314422036e-1
DATA tanh<>+16(SB)/4, $(-3.33332819422e-1)
DATA tanh<>+20(SB)/4, $2.0                 // V29
DATA tanh<>+24(SB)/4, $0.625               // V30 tanhPolynomial
DATA tanh<>+28(SB)/4, $0x80000000          // V31 sign bit
GLOBL tanh<>(SB), RODATA|NOPTR, $32

#define TANH(x) \
	FABS4S(x, 7)       \ // a
	FMUL4S(7, 7, 8)    \ // z
	FMUL4S(24, 8, 9)   \
	FADD4S(25, 9, 9)   \
	FMUL4S(8, 9, 9)    \
	FADD4S(26, 9, 9)   \
	FMUL4S(8, 9, 9)    \
	FADD4S(27, 9, 9)   \
	FMUL4S(8, 9, 9)    \
	FADD4S(28, 9, 9)   \
	FMUL4S(8, 9, 9)    \
	FMUL4S(7, 9, 9)    \
	FADD4S(7, 9, 9)    \ // the polynomial
	FADD4S(7, 7, 8)    \
	EXP(8)             \
	FADD4S(22, 8, 8)   \
	FDIV4S(8, 29, 8)   \
	FSUB4S(8, 22, 8)   \ // 1 - 2/(e^2a + 1)
	FCMGT4S(7, 30, 4)  \ // a < 0.625
	BSL16B(8, 9, 4)    \
	BIT16B(31, x, 4)   \ // the sign of x
	ORR16B(4, 4, x)

// func tanhNEON(dst, x []float32)
TEXT ·tanhNEON(SB), NOSPLIT, $0-48
	MOVD    dst_base+0(FP), R0
	MOVD    x_base+24(FP), R1
	MOVD    x_len+32(FP), R2
	EXPCONSTANTS
	MOVD    $tanh<>(SB), R6
	VLD1R.P 4(R6), [V24.S4]
	VLD1R.P 4(R6), [V25.S4]
	VLD1R.P 4(R6), [V26.S4]
	VLD1R.P 4(R6), [V27.S4]
	VLD1R.P 4(R6), [V28.S4]
	VLD1R.P 4(R6), [V29.S4]
	VLD1R.P 4(R6), [V30.S4]
	VLD1R   (R6), [V31.S4]
	MAP1(TANH)

// func expNEON(dst, x []float32)
TEXT ·expNEON(SB), NOSPLIT, $0-48
	MOVD dst_base+0(FP), R0
	MOVD x_base+24(FP), R1
	MOVD x_len+32(FP), R2
	EXPCONSTANTS
	MAP1(EXP)

#define EXPSHIFT(x) \
	FSUB4S(31, x, x) \
	EXP(x)

// func expShiftNEON(dst, x []float32, shift float32)
TEXT ·expShiftNEON(SB), NOSPLIT, $0-52
	MOVD  dst_base+0(FP), R0
	MOVD  x_base+24(FP), R1
	MOVD  x_len+32(FP), R2
	FMOVS shift+48(FP), F31
	VDUP  V31.S[0], V31.S4
	EXPCONSTANTS
	MAP1(EXPSHIFT)

// SIGMOID turns x into Sigmoid32(x). It leaves e^-|x| in V7; V4, V5, V6, V8 and
// V9 are lost.
#define SIGMOID(x) \
	FCMLTZ4S(x, 9)    \
	FABS4S(x, 7)      \
	FNEG4S(7, 7)      \
	EXP(7)            \
	FADD4S(22, 7, 8)  \
	BSL16B(22, 7, 9)  \ // e where x < 0, else 1
	FDIV4S(8, 9, x)

// func sigmoidNEON(dst, x []float32)
TEXT ·sigmoidNEON(SB), NOSPLIT, $0-48
	MOVD dst_base+0(FP), R0
	MOVD x_base+24(FP), R1
	MOVD x_len+32(FP), R2
	EXPCONSTANTS
	MAP1(SIGMOID)

// V24 to V29: log1p.
DATA log1p<>+0(SB)/4, $0.00011340004857629538 // V24 log1p0
DATA log1p<>+4(SB)/4, $0.0004239565460011363
DATA log1p<>+8(SB)/4, $0.002233777893707156
DATA log1p<>+12(SB)/4, $0.012499907985329628
DATA log1p<>+16(SB)/4, $0.0833333358168602
DATA log1p<>+20(SB)/4, $2.0                   // V29
GLOBL log1p<>(SB), RODATA|NOPTR, $24

// LOGISTICLOSS turns logits in V0 into the gradient and labels in V1 into the
// loss.
#define LOGISTICLOSS \
	FCMLTZ4S(0, 3)      \
	BIC16B(3, 0, 3)     \ // relu(z)
	FMUL4S(1, 0, 2)     \
	FSUB4S(2, 3, 3)     \ // relu(z) - z*y
	SIGMOID(0)          \
	FSUB4S(1, 0, 0)     \ // the gradient
	FADD4S(7, 7, 4)     \
	FADD4S(29, 7, 5)    \
	FDIV4S(5, 4, 4)     \ // t = 2e / (2+e)
	FMUL4S(4, 4, 5)     \ // w
	FMUL4S(24, 5, 6)    \
	FADD4S(25, 6, 6)    \
	FMUL4S(5, 6, 6)     \
	FADD4S(26, 6, 6)    \
	FMUL4S(5, 6, 6)     \
	FADD4S(27, 6, 6)    \
	FMUL4S(5, 6, 6)     \
	FADD4S(28, 6, 6)    \
	FMUL4S(5, 6, 6)     \
	FMUL4S(4, 6, 6)     \
	FADD4S(4, 6, 6)     \ // log1p(e)
	FADD4S(6, 3, 1)

// func logisticLossNEON(loss, grad, z, y []float32)
TEXT ·logisticLossNEON(SB), NOSPLIT, $0-96
	MOVD    loss_base+0(FP), R0
	MOVD    grad_base+24(FP), R1
	MOVD    grad_len+32(FP), R5
	MOVD    z_base+48(FP), R3
	MOVD    z_len+56(FP), R2
	MOVD    y_base+72(FP), R4
	EXPCONSTANTS
	MOVD    $log1p<>(SB), R6
	VLD1R.P 4(R6), [V24.S4]
	VLD1R.P 4(R6), [V25.S4]
	VLD1R.P 4(R6), [V26.S4]
	VLD1R.P 4(R6), [V27.S4]
	VLD1R.P 4(R6), [V28.S4]
	VLD1R   (R6), [V29.S4]

vectors:
	CMP     $4, R2
	BLT     singles
	FMOVQ.P 16(R3), F0
	FMOVQ.P 16(R4), F1
	LOGISTICLOSS
	FMOVQ.P F1, 16(R0)
	SUB     $4, R2
	CBZ     R5, vectors          // no gradient wanted
	FMOVQ.P F0, 16(R1)
	B       vectors

singles:
	CBZ     R2, done
	FMOVS.P 4(R3), F0
	FMOVS.P 4(R4), F1
	LOGISTICLOSS
	FMOVS.P F1, 4(R0)
	SUB     $1, R2
	CBZ     R5, singles
	FMOVS.P F0, 4(R1)
	B       singles

done:
	RET

// V11 to V31: LOG.
DATA log<>+0(SB)/4, $0x00800000            // V11 smallestNormal
DATA log<>+4(SB)/4, $8388608.0             // V12 2^23
DATA log<>+8(SB)/4, $0x3f3504f3            // V13 sqrtHalfBits
DATA log<>+12(SB)/4, $0xffffffe9           // V14 -23
DATA log<>+16(SB)/4, $0x007fffff           // V15 mantissa
DATA log<>+20(SB)/4, $1.0                  // V16
DATA log<>+24(SB)/4, $7.0376836292e-2      // V17 log0
DATA log<>+28(SB)/4, $(-1.1514610310e-1)
DATA log<>+32(SB)/4, $1.1676998740e-1
DATA log<>+36(SB)/4, $(-1.2420140846e-1)
DATA log<>+40(SB)/4, $1.4249322787e-1
DATA log<>+44(SB)/4, $(-1.6668057665e-1)
DATA log<>+48(SB)/4, $2.0000714765e-1
DATA log<>+52(SB)/4, $(-2.4999993993e-1)
DATA log<>+56(SB)/4, $3.3333331174e-1
DATA log<>+60(SB)/4, $(-2.12194440e-4)     // V26 ln2Low
DATA log<>+64(SB)/4, $0.5                  // V27
DATA log<>+68(SB)/4, $0.693359375          // V28 ln2High
DATA log<>+72(SB)/4, $0x7f7fffff           // V29 MaxFloat32
DATA log<>+76(SB)/4, $0x7fc00000           // V30 NaN
DATA log<>+80(SB)/4, $0xff800000           // V31 -Inf
GLOBL log<>(SB), RODATA|NOPTR, $84

#define LOG(x) \
	FCMGT4S(x, 11, 4)  \ // subnormal; what is 0 or less is put right below
	AND16B(14, 4, 5)   \ // -23 there
	FMUL4S(12, x, 6)   \
	BSL16B(x, 6, 4)    \
	VSUB V13.S4, V4.S4, V4.S4 \ // u
	SSHR4S(23, 4, 6)          \
	VADD V6.S4, V5.S4, V5.S4  \
	SCVTF4S(5, 5)      \ // e
	AND16B(15, 4, 4)   \
	VADD V13.S4, V4.S4, V4.S4 \
	FSUB4S(16, 4, 4)   \ // f
	FMUL4S(4, 4, 6)    \ // z
	FMUL4S(17, 4, 7)   \
	FADD4S(18, 7, 7)   \
	FMUL4S(4, 7, 7)    \
	FADD4S(19, 7, 7)   \
	FMUL4S(4, 7, 7)    \
	FADD4S(20, 7, 7)   \
	FMUL4S(4, 7, 7)    \
	FADD4S(21, 7, 7)   \
	FMUL4S(4, 7, 7)    \
	FADD4S(22, 7, 7)   \
	FMUL4S(4, 7, 7)    \
	FADD4S(23, 7, 7)   \
	FMUL4S(4, 7, 7)    \
	FADD4S(24, 7, 7)   \
	FMUL4S(4, 7, 7)    \
	FADD4S(25, 7, 7)   \
	FMUL4S(4, 7, 7)    \
	FMUL4S(6, 7, 7)    \ // p
	FMUL4S(26, 5, 8)   \
	FADD4S(8, 7, 7)    \
	FMUL4S(27, 6, 8)   \
	FSUB4S(8, 7, 7)    \
	FADD4S(4, 7, 7)    \
	FMUL4S(28, 5, 8)   \
	FADD4S(8, 7, 7)    \
	FCMGE4S(x, 29, 8)  \ // NaN and +Inf stay,
	BSL16B(x, 7, 8)    \
	FCMLTZ4S(x, 9)     \ // below 0 is NaN,
	BIT16B(9, 30, 8)   \
	FCMEQZ4S(x, 9)     \ // 0 is -Inf
	BIT16B(9, 31, 8)   \
	ORR16B(8, 8, x)

// func logNEON(dst, x []float32)
TEXT ·logNEON(SB), NOSPLIT, $0-48
	MOVD    dst_base+0(FP), R0
	MOVD    x_base+24(FP), R1
	MOVD    x_len+32(FP), R2
	MOVD    $log<>(SB), R6
	VLD1R.P 4(R6), [V11.S4]
	VLD1R.P 4(R6), [V12.S4]
	VLD1R.P 4(R6), [V13.S4]
	VLD1R.P 4(R6), [V14.S4]
	VLD1R.P 4(R6), [V15.S4]
	VLD1R.P 4(R6), [V16.S4]
	VLD1R.P 4(R6), [V17.S4]
	VLD1R.P 4(R6), [V18.S4]
	VLD1R.P 4(R6), [V19.S4]
	VLD1R.P 4(R6), [V20.S4]
	VLD1R.P 4(R6), [V21.S4]
	VLD1R.P 4(R6), [V22.S4]
	VLD1R.P 4(R6), [V23.S4]
	VLD1R.P 4(R6), [V24.S4]
	VLD1R.P 4(R6), [V25.S4]
	VLD1R.P 4(R6), [V26.S4]
	VLD1R.P 4(R6), [V27.S4]
	VLD1R.P 4(R6), [V28.S4]
	VLD1R.P 4(R6), [V29.S4]
	VLD1R.P 4(R6), [V30.S4]
	VLD1R   (R6), [V31.S4]
	MAP1(LOG)

#define RELU(x) \
	FCMLTZ4S(x, 16) \
	BIC16B(16, x, x)

// func reluNEON(dst, x []float32)
TEXT ·reluNEON(SB), NOSPLIT, $0-48
	MOVD dst_base+0(FP), R0
	MOVD x_base+24(FP), R1
	MOVD x_len+32(FP), R2
	MAP1(RELU)

#define RELUGRAD(dy, y) \
	FCMGTZ4S(y, y) \
	AND16B(y, dy, dy)

// func reluGradNEON(dst, dy, y []float32)
TEXT ·reluGradNEON(SB), NOSPLIT, $0-72
	MOVD dst_base+0(FP), R0
	MOVD dy_base+24(FP), R1
	MOVD y_base+48(FP), R3
	MOVD y_len+56(FP), R2
	MAP2(RELUGRAD)

#define SIGMOIDGRAD(dy, y) \
	FMUL4S(y, dy, dy) \
	FSUB4S(y, 31, y)  \ // 1 - y
	FMUL4S(y, dy, dy)

#define ONES(d) \
	FMOVS $1.0, F31 \
	VDUP  V31.S[0], d.S4

// func sigmoidGradNEON(dst, dy, y []float32)
TEXT ·sigmoidGradNEON(SB), NOSPLIT, $0-72
	MOVD dst_base+0(FP), R0
	MOVD dy_base+24(FP), R1
	MOVD y_base+48(FP), R3
	MOVD y_len+56(FP), R2
	ONES(V31)
	MAP2(SIGMOIDGRAD)

#define TANHGRAD(dy, y) \
	FMUL4S(y, y, y)  \
	FSUB4S(y, 31, y) \ // 1 - y*y
	FMUL4S(y, dy, dy)

// func tanhGradNEON(dst, dy, y []float32)
TEXT ·tanhGradNEON(SB), NOSPLIT, $0-72
	MOVD dst_base+0(FP), R0
	MOVD dy_base+24(FP), R1
	MOVD y_base+48(FP), R3
	MOVD y_len+56(FP), R2
	ONES(V31)
	MAP2(TANHGRAD)

#define SOFTMAXGRAD(dy, y) \
	FSUB4S(31, dy, dy) \
	FMUL4S(y, dy, dy)

// func softmaxGradNEON(dst, dy, y []float32, s float32)
TEXT ·softmaxGradNEON(SB), NOSPLIT, $0-76
	MOVD  dst_base+0(FP), R0
	MOVD  dy_base+24(FP), R1
	MOVD  y_base+48(FP), R3
	MOVD  y_len+56(FP), R2
	FMOVS s+72(FP), F31
	VDUP  V31.S[0], V31.S4
	MAP2(SOFTMAXGRAD)

// func maxNEON(x []float32) float32
TEXT ·maxNEON(SB), NOSPLIT, $0-28
	MOVD x_base+0(FP), R1
	MOVD x_len+8(FP), R2
	MOVW $0xff800000, R3           // -Inf
	VDUP R3, V16.S4
	VDUP R3, V17.S4
	VDUP R3, V18.S4
	VDUP R3, V19.S4

blocks:
	CMP    $16, R2
	BLT    vectors
	VLD1.P 64(R1), [V0.S4, V1.S4, V2.S4, V3.S4]
	FMAX4S(0, 16, 16)
	FMAX4S(1, 17, 17)
	FMAX4S(2, 18, 18)
	FMAX4S(3, 19, 19)
	SUB    $16, R2
	B      blocks

vectors:
	CMP     $4, R2
	BLT     singles
	FMOVQ.P 16(R1), F0
	FMAX4S(0, 16, 16)
	SUB     $4, R2
	B       vectors

singles:
	CBZ     R2, done
	VLD1R.P 4(R1), [V0.S4]
	FMAX4S(0, 17, 17)
	SUB     $1, R2
	B       singles

done:
	FMAX4S(17, 16, 16)
	FMAX4S(19, 18, 18)
	FMAX4S(18, 16, 16)
	FMAXV4S(16, 16)
	FMOVS F16, ret+24(FP)
	RET
