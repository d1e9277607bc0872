// The loops of elementwise kernels. BODY works on four elements in one register
// each, whose numbers it gets; the loops call it on blocks of 16 elements, then
// on 4, then on one, whose register's other lanes hold 0. Each loop is the rest
// of a function. Inputs are read before outputs are written, so that they may be
// the same slice.

// MAP1: n elements, R2, from R1 to R0. BODY(x) turns x into the result. V0 to V3
// hold x.
#define MAP1(BODY) \
blocks: \
	CMP    $16, R2                                \
	BLT    vectors                                \
	VLD1.P 64(R1), [V0.S4, V1.S4, V2.S4, V3.S4]   \
	BODY(0)                                       \
	BODY(1)                                       \
	BODY(2)                                       \
	BODY(3)                                       \
	VST1.P [V0.S4, V1.S4, V2.S4, V3.S4], 64(R0)   \
	SUB    $16, R2                                \
	B      blocks                                 \
vectors: \
	CMP     $4, R2                                \
	BLT     singles                               \
	FMOVQ.P 16(R1), F0                            \
	BODY(0)                                       \
	FMOVQ.P F0, 16(R0)                            \
	SUB     $4, R2                                \
	B       vectors                               \
singles: \
	CBZ     R2, done                              \
	FMOVS.P 4(R1), F0                             \
	BODY(0)                                       \
	FMOVS.P F0, 4(R0)                             \
	SUB     $1, R2                                \
	B       singles                               \
done: \
	RET

// MAP2: n elements, R2, from R1 and R3 to R0. BODY(x, y) turns x into the
// result. V0 to V3 hold x, V4 to V7 y.
#define MAP2(BODY) \
blocks: \
	CMP    $16, R2                                \
	BLT    vectors                                \
	VLD1.P 64(R1), [V0.S4, V1.S4, V2.S4, V3.S4]   \
	VLD1.P 64(R3), [V4.S4, V5.S4, V6.S4, V7.S4]   \
	BODY(0, 4)                                    \
	BODY(1, 5)                                    \
	BODY(2, 6)                                    \
	BODY(3, 7)                                    \
	VST1.P [V0.S4, V1.S4, V2.S4, V3.S4], 64(R0)   \
	SUB    $16, R2                                \
	B      blocks                                 \
vectors: \
	CMP     $4, R2                                \
	BLT     singles                               \
	FMOVQ.P 16(R1), F0                            \
	FMOVQ.P 16(R3), F4                            \
	BODY(0, 4)                                    \
	FMOVQ.P F0, 16(R0)                            \
	SUB     $4, R2                                \
	B       vectors                               \
singles: \
	CBZ     R2, done                              \
	FMOVS.P 4(R1), F0                             \
	FMOVS.P 4(R3), F4                             \
	BODY(0, 4)                                    \
	FMOVS.P F0, 4(R0)                             \
	SUB     $1, R2                                \
	B       singles                               \
done: \
	RET

// UPDATE2: n elements, R2, from R1, R3 and R4 to R3 and R4. BODY(x, y, z)
// updates y and z. V0 to V3 hold x, V4 to V7 y, V8 to V11 z.
#define UPDATE2(BODY) \
blocks: \
	CMP    $16, R2                                \
	BLT    vectors                                \
	VLD1.P 64(R1), [V0.S4, V1.S4, V2.S4, V3.S4]   \
	VLD1   (R3), [V4.S4, V5.S4, V6.S4, V7.S4]     \
	VLD1   (R4), [V8.S4, V9.S4, V10.S4, V11.S4]   \
	BODY(0, 4, 8)                                 \
	BODY(1, 5, 9)                                 \
	BODY(2, 6, 10)                                \
	BODY(3, 7, 11)                                \
	VST1.P [V4.S4, V5.S4, V6.S4, V7.S4], 64(R3)   \
	VST1.P [V8.S4, V9.S4, V10.S4, V11.S4], 64(R4) \
	SUB    $16, R2                                \
	B      blocks                                 \
vectors: \
	CMP     $4, R2                                \
	BLT     singles                               \
	FMOVQ.P 16(R1), F0                            \
	FMOVQ   (R3), F4                              \
	FMOVQ   (R4), F8                              \
	BODY(0, 4, 8)                                 \
	FMOVQ.P F4, 16(R3)                            \
	FMOVQ.P F8, 16(R4)                            \
	SUB     $4, R2                                \
	B       vectors                               \
singles: \
	CBZ     R2, done                              \
	FMOVS.P 4(R1), F0                             \
	FMOVS   (R3), F4                              \
	FMOVS   (R4), F8                              \
	BODY(0, 4, 8)                                 \
	FMOVS.P F4, 4(R3)                             \
	FMOVS.P F8, 4(R4)                             \
	SUB     $1, R2                                \
	B       singles                               \
done: \
	RET

// UPDATE3: n elements, R2, from R1, R3, R4 and R5 to R3, R4 and R5.
// BODY(x, y, z, w) updates y, z and w. V0 to V3 hold x, V4 to V7 y, V8 to V11 z,
// V12 to V15 w.
#define UPDATE3(BODY) \
blocks: \
	CMP    $16, R2                                  \
	BLT    vectors                                  \
	VLD1.P 64(R1), [V0.S4, V1.S4, V2.S4, V3.S4]     \
	VLD1   (R3), [V4.S4, V5.S4, V6.S4, V7.S4]       \
	VLD1   (R4), [V8.S4, V9.S4, V10.S4, V11.S4]     \
	VLD1   (R5), [V12.S4, V13.S4, V14.S4, V15.S4]   \
	BODY(0, 4, 8, 12)                               \
	BODY(1, 5, 9, 13)                               \
	BODY(2, 6, 10, 14)                              \
	BODY(3, 7, 11, 15)                              \
	VST1.P [V4.S4, V5.S4, V6.S4, V7.S4], 64(R3)     \
	VST1.P [V8.S4, V9.S4, V10.S4, V11.S4], 64(R4)   \
	VST1.P [V12.S4, V13.S4, V14.S4, V15.S4], 64(R5) \
	SUB    $16, R2                                  \
	B      blocks                                   \
vectors: \
	CMP     $4, R2                                  \
	BLT     singles                                 \
	FMOVQ.P 16(R1), F0                              \
	FMOVQ   (R3), F4                                \
	FMOVQ   (R4), F8                                \
	FMOVQ   (R5), F12                               \
	BODY(0, 4, 8, 12)                               \
	FMOVQ.P F4, 16(R3)                              \
	FMOVQ.P F8, 16(R4)                              \
	FMOVQ.P F12, 16(R5)                             \
	SUB     $4, R2                                  \
	B       vectors                                 \
singles: \
	CBZ     R2, done                                \
	FMOVS.P 4(R1), F0                               \
	FMOVS   (R3), F4                                \
	FMOVS   (R4), F8                                \
	FMOVS   (R5), F12                               \
	BODY(0, 4, 8, 12)                               \
	FMOVS.P F4, 4(R3)                               \
	FMOVS.P F8, 4(R4)                               \
	FMOVS.P F12, 4(R5)                              \
	SUB     $1, R2                                  \
	B       singles                                 \
done: \
	RET
