//go:build !purego

#include "textflag.h"
#include "neon_arm64.h"
#include "elementwise_arm64.h"

// Hyperparameters fill V26 to V29; V30 holds the size below which moments are
// flushed.

DATA tiny<>+0(SB)/4, $1e-30
GLOBL tiny<>(SB), RODATA|NOPTR, $4

#define FLUSHING \
	MOVD  $tiny<>(SB), R6 \
	VLD1R (R6), [V30.S4]

// FLUSH turns x into +0 where |x| is tiny. V16 is lost.
#define FLUSH(x) \
	FACGT4S(x, 30, 16) \
	BIC16B(16, x, x)

#define ADAM(g, m, v, w) \
	FSUB4S(m, g, 17)     \ // g - m
	FMUL4S(27, 17, 17)   \
	FADD4S(17, m, m)     \
	FLUSH(m)             \
	FMUL4S(g, g, 17)     \
	FSUB4S(v, 17, 17)    \ // g*g - v
	FMUL4S(28, 17, 17)   \
	FADD4S(17, v, v)     \
	FLUSH(v)             \
	FSQRT4S(v, 17)       \
	FADD4S(29, 17, 17)   \ // sqrt(v) + eps
	FMUL4S(26, m, 18)    \
	FDIV4S(17, 18, 18)   \
	FSUB4S(18, w, w)

// func adamNEON(w, m, v, grad []float32, alpha, c1, c2, eps float32)
TEXT ·adamNEON(SB), NOSPLIT, $0-112
	MOVD  w_base+0(FP), R5
	MOVD  w_len+8(FP), R2
	MOVD  m_base+24(FP), R3
	MOVD  v_base+48(FP), R4
	MOVD  grad_base+72(FP), R1
	FMOVS alpha+96(FP), F26
	FMOVS c1+100(FP), F27
	FMOVS c2+104(FP), F28
	FMOVS eps+108(FP), F29
	VDUP  V26.S[0], V26.S4
	VDUP  V27.S[0], V27.S4
	VDUP  V28.S[0], V28.S4
	VDUP  V29.S[0], V29.S4
	FLUSHING
	UPDATE3(ADAM)

#define DESCEND(g, w) \
	FMUL4S(26, g, g) \
	FSUB4S(g, w, g)

// func sgdNEON(w, grad []float32, lr float32)
TEXT ·sgdNEON(SB), NOSPLIT, $0-52
	MOVD  w_base+0(FP), R3
	MOVD  w_len+8(FP), R2
	MOVD  grad_base+24(FP), R1
	FMOVS lr+48(FP), F26
	VDUP  V26.S[0], V26.S4
	MOVD  R3, R0             // w is an input, and the output
	MAP2(DESCEND)

#define MOMENTUM(g, u, w) \
	FMUL4S(26, g, g) \
	FMUL4S(27, u, u) \
	FSUB4S(g, u, u)  \
	FLUSH(u)         \
	FADD4S(u, w, w)

// func momentumNEON(w, vel, grad []float32, lr, momentum float32)
TEXT ·momentumNEON(SB), NOSPLIT, $0-80
	MOVD  w_base+0(FP), R4
	MOVD  w_len+8(FP), R2
	MOVD  vel_base+24(FP), R3
	MOVD  grad_base+48(FP), R1
	FMOVS lr+72(FP), F26
	FMOVS momentum+76(FP), F27
	VDUP  V26.S[0], V26.S4
	VDUP  V27.S[0], V27.S4
	FLUSHING
	UPDATE2(MOMENTUM)

#define NESTEROV(g, u, w) \
	FMUL4S(26, g, g)   \
	FMUL4S(27, u, u)   \
	FSUB4S(g, u, u)    \
	FLUSH(u)           \
	FMUL4S(27, u, 17)  \
	FSUB4S(g, 17, 17)  \ // momentum*u - lr*g
	FADD4S(17, w, w)

// func nesterovNEON(w, vel, grad []float32, lr, momentum float32)
TEXT ·nesterovNEON(SB), NOSPLIT, $0-80
	MOVD  w_base+0(FP), R4
	MOVD  w_len+8(FP), R2
	MOVD  vel_base+24(FP), R3
	MOVD  grad_base+48(FP), R1
	FMOVS lr+72(FP), F26
	FMOVS momentum+76(FP), F27
	VDUP  V26.S[0], V26.S4
	VDUP  V27.S[0], V27.S4
	FLUSHING
	UPDATE2(NESTEROV)

#define RMSPROP(g, v, w) \
	FMUL4S(g, g, 17)    \
	FMUL4S(28, 17, 17)  \
	FMUL4S(27, v, v)    \
	FADD4S(17, v, v)    \
	FLUSH(v)            \
	FADD4S(29, v, 17)   \
	FSQRT4S(17, 17)     \ // sqrt(v + eps)
	FMUL4S(26, g, g)    \
	FDIV4S(17, g, g)    \
	FSUB4S(g, w, w)

// func rmspropNEON(w, v, grad []float32, lr, rho, c, eps float32)
TEXT ·rmspropNEON(SB), NOSPLIT, $0-88
	MOVD  w_base+0(FP), R4
	MOVD  w_len+8(FP), R2
	MOVD  v_base+24(FP), R3
	MOVD  grad_base+48(FP), R1
	FMOVS lr+72(FP), F26
	FMOVS rho+76(FP), F27
	FMOVS c+80(FP), F28
	FMOVS eps+84(FP), F29
	VDUP  V26.S[0], V26.S4
	VDUP  V27.S[0], V27.S4
	VDUP  V28.S[0], V28.S4
	VDUP  V29.S[0], V29.S4
	FLUSHING
	UPDATE2(RMSPROP)
