//go:build !purego

#include "textflag.h"
#include "neon_arm64.h"

// These kernels walk down 16 columns at a time, then 4, then one. R0 is the
// address of the columns in dst, R2 the number of columns left, R5 the bytes
// from one row to the next, R6 the row, R7 the rows left.

// func addBiasNEON(dst, bias []float32)
TEXT ·addBiasNEON(SB), NOSPLIT, $0-48
	MOVD dst_base+0(FP), R0
	MOVD dst_len+8(FP), R4
	MOVD bias_base+24(FP), R1
	MOVD bias_len+32(FP), R2
	ADD  R4<<2, R0, R4           // the end of dst
	LSL  $2, R2, R5

columns16:
	CMP    $16, R2
	BLT    columns4
	VLD1.P 64(R1), [V4.S4, V5.S4, V6.S4, V7.S4]
	MOVD   R0, R6

rows16:
	CMP    R4, R6
	BHS    next16
	VLD1   (R6), [V0.S4, V1.S4, V2.S4, V3.S4]
	FADD4S(4, 0, 0)
	FADD4S(5, 1, 1)
	FADD4S(6, 2, 2)
	FADD4S(7, 3, 3)
	VST1.P [V0.S4, V1.S4, V2.S4, V3.S4], (R6)(R5)
	B      rows16

next16:
	ADD $64, R0
	SUB $16, R2
	B   columns16

columns4:
	CMP     $4, R2
	BLT     columns1
	FMOVQ.P 16(R1), F4
	MOVD    R0, R6

rows4:
	CMP   R4, R6
	BHS   next4
	FMOVQ (R6), F0
	FADD4S(4, 0, 0)
	FMOVQ F0, (R6)
	ADD   R5, R6
	B     rows4

next4:
	ADD $16, R0
	SUB $4, R2
	B   columns4

columns1:
	CBZ     R2, done
	FMOVS.P 4(R1), F4
	MOVD    R0, R6

rows1:
	CMP   R4, R6
	BHS   next1
	FMOVS (R6), F0
	FADDS F4, F0
	FMOVS F0, (R6)
	ADD   R5, R6
	B     rows1

next1:
	ADD $4, R0
	SUB $1, R2
	B   columns1

done:
	RET

// func sumRowsNEON(dst, x []float32, rows, stride int, accumulate bool)
TEXT ·sumRowsNEON(SB), NOSPLIT, $0-65
	MOVD  dst_base+0(FP), R0
	MOVD  dst_len+8(FP), R2
	MOVD  x_base+24(FP), R1
	MOVD  rows+48(FP), R3
	MOVD  stride+56(FP), R5
	MOVBU accumulate+64(FP), R4
	LSL   $2, R5

columns16:
	CMP  $16, R2
	BLT  columns4
	ZERO4S(16)
	ZERO4S(17)
	ZERO4S(18)
	ZERO4S(19)
	CBNZ R4, start16
	VLD1 (R0), [V16.S4, V17.S4, V18.S4, V19.S4]

start16:
	MOVD R1, R6
	MOVD R3, R7

rows16:
	CBZ    R7, summed16
	VLD1.P (R6)(R5), [V0.S4, V1.S4, V2.S4, V3.S4]
	FADD4S(0, 16, 16)
	FADD4S(1, 17, 17)
	FADD4S(2, 18, 18)
	FADD4S(3, 19, 19)
	SUB    $1, R7
	B      rows16

summed16:
	CBZ  R4, store16
	VLD1 (R0), [V0.S4, V1.S4, V2.S4, V3.S4]
	FADD4S(0, 16, 16)
	FADD4S(1, 17, 17)
	FADD4S(2, 18, 18)
	FADD4S(3, 19, 19)

store16:
	VST1.P [V16.S4, V17.S4, V18.S4, V19.S4], 64(R0)
	ADD    $64, R1
	SUB    $16, R2
	B      columns16

columns4:
	CMP   $4, R2
	BLT   columns1
	ZERO4S(16)
	CBNZ  R4, start4
	FMOVQ (R0), F16

start4:
	MOVD R1, R6
	MOVD R3, R7

rows4:
	CBZ   R7, summed4
	FMOVQ (R6), F0
	ADD   R5, R6
	FADD4S(0, 16, 16)
	SUB   $1, R7
	B     rows4

summed4:
	CBZ   R4, store4
	FMOVQ (R0), F0
	FADD4S(0, 16, 16)

store4:
	FMOVQ.P F16, 16(R0)
	ADD     $16, R1
	SUB     $4, R2
	B       columns4

columns1:
	CBZ   R2, done
	ZERO4S(16)
	CBNZ  R4, start1
	FMOVS (R0), F16

start1:
	MOVD R1, R6
	MOVD R3, R7

rows1:
	CBZ   R7, summed1
	FMOVS (R6), F0
	ADD   R5, R6
	FADDS F0, F16
	SUB   $1, R7
	B     rows1

summed1:
	CBZ   R4, store1
	FMOVS (R0), F0
	FADDS F0, F16

store1:
	FMOVS.P F16, 4(R0)
	ADD     $4, R1
	SUB     $1, R2
	B       columns1

done:
	RET

// Four accumulators of up to 16 columns: V(s) to V(s+3), s from 16 to 28.

#define TAKE16(s) \
	VLD1.P (R6)(R5), [V0.S4, V1.S4, V2.S4, V3.S4] \
	FADD4S(0, s+0, s+0) \
	FADD4S(1, s+1, s+1) \
	FADD4S(2, s+2, s+2) \
	FADD4S(3, s+3, s+3)

// TAKE is TAKE16 with one vector, which MOVE loads: four elements or one.
#define TAKE(MOVE, s) \
	MOVE (R6), F0 \
	ADD  R5, R6   \
	FADD4S(0, s, s)

// MEAN leaves ((s0+s1) + (s2+s3)) / n of vector v in V16+v. V8 holds n.
#define MEAN(v) \
	FADD4S(20+v, 16+v, 16+v) \
	FADD4S(28+v, 24+v, 24+v) \
	FADD4S(24+v, 16+v, 16+v) \
	FDIV4S(8, 16+v, 16+v)

// func meanRowsNEON(dst, x []float32, rows, stride int, n float32)
TEXT ·meanRowsNEON(SB), NOSPLIT, $0-68
	MOVD  dst_base+0(FP), R0
	MOVD  dst_len+8(FP), R2
	MOVD  x_base+24(FP), R1
	MOVD  rows+48(FP), R3
	MOVD  stride+56(FP), R5
	LSL   $2, R5
	FMOVS n+64(FP), F8
	VDUP  V8.S[0], V8.S4

columns16:
	CMP  $16, R2
	BLT  columns4
	ZERO4S(16)
	ZERO4S(17)
	ZERO4S(18)
	ZERO4S(19)
	ZERO4S(20)
	ZERO4S(21)
	ZERO4S(22)
	ZERO4S(23)
	ZERO4S(24)
	ZERO4S(25)
	ZERO4S(26)
	ZERO4S(27)
	ZERO4S(28)
	ZERO4S(29)
	ZERO4S(30)
	ZERO4S(31)
	MOVD R1, R6
	MOVD R3, R7

rows16:
	CMP $4, R7
	BLT last16
	TAKE16(16)
	TAKE16(20)
	TAKE16(24)
	TAKE16(28)
	SUB $4, R7
	B   rows16

last16:
	CBZ R7, mean16
	TAKE16(16)
	CMP $1, R7
	BEQ mean16
	TAKE16(20)
	CMP $2, R7
	BEQ mean16
	TAKE16(24)

mean16:
	MEAN(0)
	MEAN(1)
	MEAN(2)
	MEAN(3)
	VST1.P [V16.S4, V17.S4, V18.S4, V19.S4], 64(R0)
	ADD    $64, R1
	SUB    $16, R2
	B      columns16

columns4:
	CMP  $4, R2
	BLT  columns1
	ZERO4S(16)
	ZERO4S(20)
	ZERO4S(24)
	ZERO4S(28)
	MOVD R1, R6
	MOVD R3, R7

rows4:
	CMP $4, R7
	BLT last4
	TAKE(FMOVQ, 16)
	TAKE(FMOVQ, 20)
	TAKE(FMOVQ, 24)
	TAKE(FMOVQ, 28)
	SUB $4, R7
	B   rows4

last4:
	CBZ R7, mean4
	TAKE(FMOVQ, 16)
	CMP $1, R7
	BEQ mean4
	TAKE(FMOVQ, 20)
	CMP $2, R7
	BEQ mean4
	TAKE(FMOVQ, 24)

mean4:
	MEAN(0)
	FMOVQ.P F16, 16(R0)
	ADD     $16, R1
	SUB     $4, R2
	B       columns4

columns1:
	CBZ  R2, done
	ZERO4S(16)
	ZERO4S(20)
	ZERO4S(24)
	ZERO4S(28)
	MOVD R1, R6
	MOVD R3, R7

rows1:
	CMP $4, R7
	BLT last1
	TAKE(FMOVS, 16)
	TAKE(FMOVS, 20)
	TAKE(FMOVS, 24)
	TAKE(FMOVS, 28)
	SUB $4, R7
	B   rows1

last1:
	CBZ R7, mean1
	TAKE(FMOVS, 16)
	CMP $1, R7
	BEQ mean1
	TAKE(FMOVS, 20)
	CMP $2, R7
	BEQ mean1
	TAKE(FMOVS, 24)

mean1:
	MEAN(0)
	FMOVS.P F16, 4(R0)
	ADD     $4, R1
	SUB     $1, R2
	B       columns1

done:
	RET
