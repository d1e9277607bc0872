//go:build !purego

#include "textflag.h"
#include "neon_arm64.h"
#include "bag_arm64.h"

// ROW finds the row of id R6 and leaves if that lies outside the table. An id
// below 0 is large when taken without its sign.
#define ROW(outside) \
	MOVW (R4)(R6<<2), R8 \
	CMP  R3, R8          \
	BHS  outside         \
	MADD R7, R1, R8, R9

// func gatherNEON(dst, table []float32, dim, rows int, ids []int32) int
TEXT ·gatherNEON(SB), NOSPLIT, $0-96
	MOVD dst_base+0(FP), R0
	MOVD table_base+24(FP), R1
	MOVD dim+48(FP), R2
	MOVD rows+56(FP), R3
	MOVD ids_base+64(FP), R4
	MOVD ids_len+72(FP), R5
	MOVD $0, R6
	LSL  $2, R2, R7              // bytes of a row

loop:
	CMP  R5, R6
	BGE  done
	ROW(done)
	MOVD R2, R10

columns16:
	CMP    $16, R10
	BLT    columns4
	VLD1.P 64(R9), [V0.S4, V1.S4, V2.S4, V3.S4]
	VST1.P [V0.S4, V1.S4, V2.S4, V3.S4], 64(R0)
	SUB    $16, R10
	B      columns16

columns4:
	CMP     $4, R10
	BLT     columns1
	FMOVQ.P 16(R9), F0
	FMOVQ.P F0, 16(R0)
	SUB     $4, R10
	B       columns4

columns1:
	CBZ     R10, next
	FMOVS.P 4(R9), F0
	FMOVS.P F0, 4(R0)
	SUB     $1, R10
	B       columns1

next:
	ADD $1, R6
	B   loop

done:
	MOVD R6, ret+88(FP)
	RET

// func scatterAddNEON(table, src []float32, dim, rows int, ids []int32) int
TEXT ·scatterAddNEON(SB), NOSPLIT, $0-96
	MOVD table_base+0(FP), R1
	MOVD src_base+24(FP), R0
	MOVD dim+48(FP), R2
	MOVD rows+56(FP), R3
	MOVD ids_base+64(FP), R4
	MOVD ids_len+72(FP), R5
	MOVD $0, R6
	LSL  $2, R2, R7              // bytes of a row

loop:
	CMP  R5, R6
	BGE  done
	ROW(done)
	MOVD R2, R10

columns16:
	CMP    $16, R10
	BLT    columns4
	VLD1   (R9), [V0.S4, V1.S4, V2.S4, V3.S4]
	VLD1.P 64(R0), [V4.S4, V5.S4, V6.S4, V7.S4]
	FADD4S(4, 0, 0)
	FADD4S(5, 1, 1)
	FADD4S(6, 2, 2)
	FADD4S(7, 3, 3)
	VST1.P [V0.S4, V1.S4, V2.S4, V3.S4], 64(R9)
	SUB    $16, R10
	B      columns16

columns4:
	CMP     $4, R10
	BLT     columns1
	FMOVQ   (R9), F0
	FMOVQ.P 16(R0), F4
	FADD4S(4, 0, 0)
	FMOVQ.P F0, 16(R9)
	SUB     $4, R10
	B       columns4

columns1:
	CBZ     R10, next
	FMOVS   (R9), F0
	FMOVS.P 4(R0), F4
	FADDS   F4, F0
	FMOVS.P F0, 4(R9)
	SUB     $1, R10
	B       columns1

next:
	ADD $1, R6
	B   loop

done:
	MOVD R6, ret+88(FP)
	RET

// COUNTED is ROW with the id's count, in F4. It goes on to the next id.
#define COUNTED \
	ROW(outside)           \
	FMOVS (R11)(R6<<2), F4 \
	ADD   $1, R6

// func bagMeanNEON(dst, table []float32, rows int, ids []int32, counts []float32, n float32) int
TEXT ·bagMeanNEON(SB), NOSPLIT, $0-120
	MOVD  dst_base+0(FP), R0
	MOVD  dst_len+8(FP), R2
	MOVD  table_base+24(FP), R1
	MOVD  rows+48(FP), R3
	MOVD  ids_base+56(FP), R4
	MOVD  ids_len+64(FP), R5
	MOVD  counts_base+80(FP), R11
	FMOVS n+104(FP), F8
	LSL   $2, R2, R7             // bytes of a row
	MOVD  $0, R12
	BAGMEAN(COUNTED)
	MOVD  R5, ret+112(FP)
	RET

outside:
	MOVD R6, ret+112(FP)
	RET

// func bagScatterNEON(table, grad []float32, rows int, ids []int32, counts []float32) int
TEXT ·bagScatterNEON(SB), NOSPLIT, $0-112
	MOVD table_base+0(FP), R1
	MOVD grad_base+24(FP), R0
	MOVD grad_len+32(FP), R2
	MOVD rows+48(FP), R3
	MOVD ids_base+56(FP), R4
	MOVD ids_len+64(FP), R5
	MOVD counts_base+80(FP), R11
	LSL  $2, R2, R7              // bytes of a row
	MOVD $0, R6
	BAGSCATTER(COUNTED)
	MOVD R5, ret+104(FP)
	RET

outside:
	MOVD R6, ret+104(FP)
	RET

// func prefetchNEON(x []float32)
TEXT ·prefetchNEON(SB), NOSPLIT, $0-24
	MOVD x_base+0(FP), R0
	MOVD x_len+8(FP), R1
	ADD  R1<<2, R0, R1 // the end
	AND  $~63, R0

loop:
	CMP  R1, R0
	BHS  done
	PRFM (R0), PLDL1KEEP
	ADD  $64, R0
	B    loop

done:
	RET
