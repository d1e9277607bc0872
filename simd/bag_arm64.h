// The work on one bag, for kernels that differ in where they find its ids and
// counts. NEXT takes entry R6: it leaves for the label outside if the id lies
// outside the table, else it puts the address of the row in R9 and the count in
// F4, and adds 1 to R6. It may change R8 and R10.
//
// R1 is the table, R2 the number of columns, R5 the end of the bag's entries.

#define TAKE16(s) \
	VLD1 (R9), [V0.S4, V1.S4, V2.S4, V3.S4] \
	FMUL4SE(0, 4, 0, 0) \
	FMUL4SE(0, 4, 1, 1) \
	FMUL4SE(0, 4, 2, 2) \
	FMUL4SE(0, 4, 3, 3) \
	FADD4S(0, s+0, s+0) \
	FADD4S(1, s+1, s+1) \
	FADD4S(2, s+2, s+2) \
	FADD4S(3, s+3, s+3)

// TAKE is TAKE16 with one vector, which MOVE loads: four elements or one.
#define TAKE(MOVE, s) \
	MOVE (R9), F0       \
	FMUL4SE(0, 4, 0, 0) \
	FADD4S(0, s, s)

// MEAN leaves ((s0+s1) + (s2+s3)) / n of vector v in V16+v, or 0 if n is.
#define MEAN(v) \
	FADD4S(20+v, 16+v, 16+v) \
	FADD4S(28+v, 24+v, 24+v) \
	FADD4S(24+v, 16+v, 16+v) \
	FDIV4S(8, 16+v, 16+v)    \
	BIC16B(9, 16+v, 16+v)

// BAGMEAN writes the average of entries R12 to R5 to R0, which it moves to the
// end of the row; n is in F8. It walks through the bag for 16 columns, then for
// 4, then for one: R1 and R2 follow. Four accumulators take turns, V(s) to
// V(s+3), s from 16 to 28.
#define BAGMEAN(NEXT) \
	VDUP V8.S[0], V8.S4  \
	FCMEQZ4S(8, 9)       \
mean16:                      \
	CMP  $16, R2         \
	BLT  mean4           \
	ZERO4S(16)           \
	ZERO4S(17)           \
	ZERO4S(18)           \
	ZERO4S(19)           \
	ZERO4S(20)           \
	ZERO4S(21)           \
	ZERO4S(22)           \
	ZERO4S(23)           \
	ZERO4S(24)           \
	ZERO4S(25)           \
	ZERO4S(26)           \
	ZERO4S(27)           \
	ZERO4S(28)           \
	ZERO4S(29)           \
	ZERO4S(30)           \
	ZERO4S(31)           \
	MOVD R12, R6         \
loop16:                      \
	ADD  $4, R6, R8      \
	CMP  R5, R8          \
	BGT  last16          \
	NEXT                 \
	TAKE16(16)           \
	NEXT                 \
	TAKE16(20)           \
	NEXT                 \
	TAKE16(24)           \
	NEXT                 \
	TAKE16(28)           \
	B    loop16          \
last16:                      \
	CMP  R5, R6          \
	BGE  store16         \
	NEXT                 \
	TAKE16(16)           \
	CMP  R5, R6          \
	BGE  store16         \
	NEXT                 \
	TAKE16(20)           \
	CMP  R5, R6          \
	BGE  store16         \
	NEXT                 \
	TAKE16(24)           \
store16:                     \
	MEAN(0)              \
	MEAN(1)              \
	MEAN(2)              \
	MEAN(3)              \
	VST1.P [V16.S4, V17.S4, V18.S4, V19.S4], 64(R0) \
	ADD  $64, R1         \
	SUB  $16, R2         \
	B    mean16          \
mean4:                       \
	CMP  $4, R2          \
	BLT  mean1           \
	ZERO4S(16)           \
	ZERO4S(20)           \
	ZERO4S(24)           \
	ZERO4S(28)           \
	MOVD R12, R6         \
loop4:                       \
	ADD  $4, R6, R8      \
	CMP  R5, R8          \
	BGT  last4           \
	NEXT                 \
	TAKE(FMOVQ, 16)      \
	NEXT                 \
	TAKE(FMOVQ, 20)      \
	NEXT                 \
	TAKE(FMOVQ, 24)      \
	NEXT                 \
	TAKE(FMOVQ, 28)      \
	B    loop4           \
last4:                       \
	CMP  R5, R6          \
	BGE  store4          \
	NEXT                 \
	TAKE(FMOVQ, 16)      \
	CMP  R5, R6          \
	BGE  store4          \
	NEXT                 \
	TAKE(FMOVQ, 20)      \
	CMP  R5, R6          \
	BGE  store4          \
	NEXT                 \
	TAKE(FMOVQ, 24)      \
store4:                      \
	MEAN(0)              \
	FMOVQ.P F16, 16(R0)  \
	ADD  $16, R1         \
	SUB  $4, R2          \
	B    mean4           \
mean1:                       \
	CBZ  R2, averaged    \
	ZERO4S(16)           \
	ZERO4S(20)           \
	ZERO4S(24)           \
	ZERO4S(28)           \
	MOVD R12, R6         \
loop1:                       \
	ADD  $4, R6, R8      \
	CMP  R5, R8          \
	BGT  last1           \
	NEXT                 \
	TAKE(FMOVS, 16)      \
	NEXT                 \
	TAKE(FMOVS, 20)      \
	NEXT                 \
	TAKE(FMOVS, 24)      \
	NEXT                 \
	TAKE(FMOVS, 28)      \
	B    loop1           \
last1:                       \
	CMP  R5, R6          \
	BGE  store1          \
	NEXT                 \
	TAKE(FMOVS, 16)      \
	CMP  R5, R6          \
	BGE  store1          \
	NEXT                 \
	TAKE(FMOVS, 20)      \
	CMP  R5, R6          \
	BGE  store1          \
	NEXT                 \
	TAKE(FMOVS, 24)      \
store1:                      \
	MEAN(0)              \
	FMOVS.P F16, 4(R0)   \
	ADD  $4, R1          \
	SUB  $1, R2          \
	B    mean1           \
averaged:

// ADDROW adds a gradient in V(g), times the count, to V(w). V(g) is lost.
#define ADDROW(g, w) \
	FMUL4SE(0, 4, g, g) \
	FADD4S(g, w, w)

// BAGSCATTER adds the gradient at R0, times a count, to the rows of entries R6
// to R5.
#define BAGSCATTER(NEXT) \
	CMP  $16, R2         \
	BNE  scatter         \
	VLD1 (R0), [V16.S4, V17.S4, V18.S4, V19.S4] \
scatter16:                   \
	CMP  R5, R6          \
	BGE  scattered       \
	NEXT                 \
	VLD1 (R9), [V0.S4, V1.S4, V2.S4, V3.S4] \
	FMUL4SE(0, 4, 16, 20) \
	FMUL4SE(0, 4, 17, 21) \
	FMUL4SE(0, 4, 18, 22) \
	FMUL4SE(0, 4, 19, 23) \
	FADD4S(20, 0, 0)     \
	FADD4S(21, 1, 1)     \
	FADD4S(22, 2, 2)     \
	FADD4S(23, 3, 3)     \
	VST1 [V0.S4, V1.S4, V2.S4, V3.S4], (R9) \
	B    scatter16       \
scatter:                     \
	CMP  R5, R6          \
	BGE  scattered       \
	NEXT                 \
	MOVD R0, R8          \
	MOVD R2, R10         \
columns16:                   \
	CMP  $16, R10        \
	BLT  columns4        \
	VLD1.P 64(R8), [V16.S4, V17.S4, V18.S4, V19.S4] \
	VLD1 (R9), [V0.S4, V1.S4, V2.S4, V3.S4] \
	ADDROW(16, 0)        \
	ADDROW(17, 1)        \
	ADDROW(18, 2)        \
	ADDROW(19, 3)        \
	VST1.P [V0.S4, V1.S4, V2.S4, V3.S4], 64(R9) \
	SUB  $16, R10        \
	B    columns16       \
columns4:                    \
	CMP  $4, R10         \
	BLT  columns1        \
	FMOVQ.P 16(R8), F16  \
	FMOVQ (R9), F0       \
	ADDROW(16, 0)        \
	FMOVQ.P F0, 16(R9)   \
	SUB  $4, R10         \
	B    columns4        \
columns1:                    \
	CBZ  R10, scatter    \
	FMOVS.P 4(R8), F16   \
	FMOVS (R9), F0       \
	ADDROW(16, 0)        \
	FMOVS.P F0, 4(R9)    \
	SUB  $1, R10         \
	B    columns1        \
scattered:
