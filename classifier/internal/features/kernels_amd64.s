//go:build !purego

#include "textflag.h"

// func siftAVX2(out *uint64, starts *uint32, grams, last *uint64, n int, words *uint64, sections *uint32, shift, known uint64, entries *uint32) (kept int)
TEXT ·siftAVX2(SB), NOSPLIT, $16-88
	MOVQ out+0(FP), DI
	MOVQ starts+8(FP), SI
	MOVQ grams+16(FP), R8
	MOVQ last+24(FP), R9
	MOVQ n+32(FP), CX
	MOVQ words+40(FP), R11
	MOVQ sections+48(FP), R12
	MOVQ shift+56(FP), R13
	MOVQ $0x3C6EF372FE94F82B, BX // prime2
	XORL DX, DX
	LEAQ -32(R13), R15
	LEAQ (R8)(CX*8), R8
	LEAQ (R9)(CX*8), R9
	NEGQ CX

// The words of 32 hashes are asked for before the first is used.
siftBlock:
	MOVQ    CX, begin-8(SP)
	LEAQ    32(CX), R10
	XORL    AX, AX
	TESTQ   R10, R10
	CMOVQGT AX, R10
	MOVQ    R10, end-16(SP)

siftHash:
	MOVQ       (R8)(CX*8), AX
	IMULQ      BX, AX
	ADDQ       (R9)(CX*8), AX
	MOVQ       AX, (R8)(CX*8)
	SHRXQ      R13, AX, AX
	PREFETCHT0 (R11)(AX*8)
	INCQ       CX
	CMPQ       CX, R10
	JNE        siftHash
	MOVQ       begin-8(SP), CX

siftLoop:
	MOVQ    (R8)(CX*8), AX
	ANDQ    known+64(FP), AX
	MOVQ    AX, (DI)(DX*8)
	SHRXQ   R13, AX, R10          // the number of the word
	SHRXQ   R15, AX, AX
	MOVL    AX, AX
	LEAQ    (AX)(AX*2), AX
	SHRQ    $28, AX               // the place: 48/2^32 of it
	MOVQ    (R11)(R10*8), R14
	SHRQ    $8, R10
	MOVL    (R12)(R10*4), R10
	BZHIQ   AX, R14, BP
	POPCNTQ BP, BP
	ADDL    BP, R10
	MOVQ    R14, BP
	SHRQ    $48, BP
	ADDL    BP, R10
	MOVL    R10, (SI)(DX*4)
	BTQ     AX, R14
	ADCQ    $0, DX
	MOVL    -4(SI)(DX*4), R10     // the last that is kept, or anything before
	MOVQ    entries+72(FP), R14
	PREFETCHT0 (R14)(R10*4)
	PREFETCHT0 28(R14)(R10*4)
	INCQ    CX
	CMPQ    CX, end-16(SP)
	JNE     siftLoop
	TESTQ   CX, CX
	JNE     siftBlock

	MOVQ DX, kept+80(FP)
	RET

// func findAVX2(ids *uint32, hashes *uint64, starts *uint32, n int, entries *uint32, tag, limit uint64) (found int)
TEXT ·findAVX2(SB), NOSPLIT, $0-64
	MOVQ  ids+0(FP), DI
	MOVQ  hashes+8(FP), SI
	MOVQ  starts+16(FP), R8
	MOVQ  n+24(FP), CX
	MOVQ  entries+32(FP), R9
	MOVQ  tag+40(FP), R10
	MOVQ  limit+48(FP), R11
	MOVL  $0x80000000, R12        // beyond every limit
	VPXOR Y1, Y1, Y1
	XORL  DX, DX
	LEAQ  (SI)(CX*8), SI
	LEAQ  (R8)(CX*4), R8
	NEGQ  CX

findLoop:
	SHRXQ        R10, (SI)(CX*8), AX
	SHLL         $8, AX
	MOVL         (R8)(CX*4), BX
	VMOVD        AX, X0
	VPBROADCASTD X0, Y0
	VPXOR        (R9)(BX*4), Y0, Y0
	VPSRLD       $8, Y0, Y0
	VPCMPEQD     Y1, Y0, Y0
	VMOVMSKPS    Y0, AX
	TZCNTL       AX, AX           // carry: no entry is equal
	CMOVLCS      R12, AX
	ADDQ         AX, BX
	MOVL         BX, (DI)(DX*4)
	CMPQ         BX, R11          // carry: below the limit
	ADCQ         $0, DX
	INCQ         CX
	JNZ          findLoop
	VZEROUPPER
	MOVQ         DX, found+56(FP)
	RET

DATA markBytes<>+0(SB)/8, $0x20
DATA markBytes<>+8(SB)/8, $0x61
DATA markBytes<>+16(SB)/8, $25
DATA markBytes<>+24(SB)/8, $0x30
DATA markBytes<>+32(SB)/8, $9
DATA markBytes<>+40(SB)/8, $0x7f
GLOBL markBytes<>(SB), RODATA|NOPTR, $48

// RUN sets the bits of words in run, of white space in space and of parts of characters of several bytes in multi.
#define RUN(at, run, space, multi) \
	VMOVDQU   at(SI), Y0     \
	VPOR      Y0, Y8, Y1     \
	VPSUBB    Y9, Y1, Y1     \
	VPMINUB   Y10, Y1, Y2    \
	VPCMPEQB  Y1, Y2, Y1     \
	VPSUBB    Y11, Y0, Y2    \
	VPMINUB   Y12, Y2, Y3    \
	VPCMPEQB  Y2, Y3, Y2     \
	VPOR      Y1, Y2, Y1     \
	VPOR      Y0, Y1, Y1     \
	VPMINUB   Y8, Y0, Y4     \
	VPCMPEQB  Y0, Y4, Y4     \
	VPCMPEQB  Y13, Y0, Y5    \
	VPOR      Y4, Y5, Y4     \
	VPMOVMSKB Y1, run        \
	VPMOVMSKB Y4, space      \
	VPMOVMSKB Y0, multi

// func markAVX2(masks *mask, text *byte, n int, marks uint64)
TEXT ·markAVX2(SB), NOSPLIT, $0-32
	MOVQ         masks+0(FP), DI
	MOVQ         text+8(FP), SI
	MOVQ         n+16(FP), CX
	MOVQ         marks+24(FP), DX
	VPBROADCASTB markBytes<>+0(SB), Y8
	VPBROADCASTB markBytes<>+8(SB), Y9
	VPBROADCASTB markBytes<>+16(SB), Y10
	VPBROADCASTB markBytes<>+24(SB), Y11
	VPBROADCASTB markBytes<>+32(SB), Y12
	VPBROADCASTB markBytes<>+40(SB), Y13

markLoop:
	RUN(0, AX, BX, R8)
	RUN(32, R9, R10, R11)
	SHLQ  $32, R9
	ORQ   R9, AX
	MOVQ  AX, 0(DI)
	SHLQ  $32, R10
	ORQ   R10, BX
	ORQ   AX, BX
	NOTQ  BX
	ANDQ  DX, BX
	MOVQ  BX, 8(DI)
	ORL   R11, R8
	SETNE 16(DI)
	ADDQ  $64, SI
	ADDQ  $24, DI
	DECQ  CX
	JNZ   markLoop
	VZEROUPPER
	RET

// func countAVX2(found *Count, slots *uint16, ids *uint32, n int, shift uint64) (distinct int)
TEXT ·countAVX2(SB), NOSPLIT, $0-48
	MOVQ found+0(FP), DI
	MOVQ slots+8(FP), R8
	MOVQ ids+16(FP), SI
	MOVQ n+24(FP), CX
	MOVQ shift+32(FP), R13
	MOVL $-1, R15
	SHRXL R13, R15, R15          // the last slot
	SUBQ $8, DI                  // numbered from 1 on: 0 is an empty slot
	MOVL $1, DX
	LEAQ (SI)(CX*4), SI
	NEGQ CX

countLoop:
	MOVL   (SI)(CX*4), AX
	IMUL3L $0x9E3779B9, AX, BX
	SHRXL  R13, BX, BX
	MOVQ   AX, (DI)(DX*8)        // a count of 0, which stays if the number is new

countProbe:
	MOVWLZX (R8)(BX*2), R10
	XORL    R11, R11
	TESTL   R10, R10
	SETEQ   R11
	CMOVLEQ DX, R10
	CMPL    AX, (DI)(R10*8)
	JNE     countNext
	MOVL    4(DI)(R10*8), R9
	CMPL    R9, $255
	ADCL    $0, R9
	MOVL    R9, 4(DI)(R10*8)
	MOVW    R10, (R8)(BX*2)
	ADDL    R11, DX
	INCQ    CX
	JNZ     countLoop
	DECL    DX
	MOVQ    DX, distinct+40(FP)
	RET

countNext:
	INCL BX
	ANDL R15, BX
	JMP  countProbe

// PLACE writes the place of the lowest bit of bits, counted from base, and clears it.
#define PLACE(bits, base, at) \
	TZCNTQ bits, BX    \
	ADDL   base, BX    \
	MOVL   BX, at(R15) \
	BLSRQ  bits, bits

#define PLACES(bits, base, at) PLACE(bits, base, at) \
	PLACE(bits, base, at+8)  \
	PLACE(bits, base, at+16) \
	PLACE(bits, base, at+24) \
	PLACE(bits, base, at+32) \
	PLACE(bits, base, at+40) \
	PLACE(bits, base, at+48) \
	PLACE(bits, base, at+56)

// func endsAVX2(out *[2]int32, masks *mask, n, before int) (began, ended int)
TEXT ·endsAVX2(SB), NOSPLIT, $0-48
	MOVQ out+0(FP), DI
	MOVQ masks+8(FP), SI
	MOVQ n+16(FP), CX
	MOVQ before+24(FP), R8
	MOVQ R8, DX            // how many began
	XORL R11, R11          // and ended
	XORL R9, R9            // the first place of the block
	MOVL $1, R12           // and the one after it

endsLoop:
	MOVQ    0(SI), R10
	MOVQ    8(SI), R13
	LEAQ    (R8)(R10*2), AX
	ANDNQ   R10, AX, AX
	ORQ     R13, AX         // first bytes
	MOVQ    24(SI), R14
	SHLQ    $63, R14
	MOVQ    R10, R8
	SHRQ    $1, R8
	ORQ     R8, R14
	ANDNQ   R10, R14, R14
	ORQ     R13, R14        // last bytes
	MOVQ    R10, R8
	SHRQ    $63, R8
	LEAQ    (DI)(DX*8), R15
	POPCNTQ AX, R10
	ADDQ    R10, DX
	PLACES(AX, R9, 0)
	PLACES(AX, R9, 64)
	TESTQ   AX, AX
	JNZ     endsFirst

endsLast:
	LEAQ    4(DI)(R11*8), R15
	POPCNTQ R14, R10
	ADDQ    R10, R11
	PLACES(R14, R12, 0)
	PLACES(R14, R12, 64)
	TESTQ   R14, R14
	JNZ     endsMany

endsNext:
	ADDQ $24, SI
	ADDL $64, R9
	ADDL $64, R12
	DECQ CX
	JNZ  endsLoop
	MOVQ DX, began+32(FP)
	MOVQ R11, ended+40(FP)
	RET

// More than 16 in one block.
endsFirst:
	ADDQ  $128, R15

endsFirstLoop:
	PLACES(AX, R9, 0)
	ADDQ  $64, R15
	TESTQ AX, AX
	JNZ   endsFirstLoop
	JMP   endsLast

endsMany:
	ADDQ $128, R15

endsManyLoop:
	PLACES(R14, R12, 0)
	ADDQ  $64, R15
	TESTQ R14, R14
	JNZ   endsManyLoop
	JMP   endsNext

// func wordsAVX2(out *uint64, text *byte, ends *[2]int32, n int, fold uint64)
TEXT ·wordsAVX2(SB), NOSPLIT, $0-40
	MOVQ out+0(FP), DI
	MOVQ text+8(FP), SI
	MOVQ ends+16(FP), R8
	MOVQ n+24(FP), CX
	MOVQ fold+32(FP), R9
	MOVQ $0x9E3779B97F4A7C15, R10 // prime0
	MOVQ $0xBB67AE8584CAA73B, DX  // prime1
	MOVL $0xF8000001, R14         // unfolded
	LEAQ (DI)(CX*8), DI
	LEAQ (R8)(CX*8), R8
	NEGQ CX

wordsLoop:
	MOVLQSX (R8)(CX*8), AX
	MOVLQSX 4(R8)(CX*8), BX
	MOVQ    R10, R13
	SUBQ    AX, BX          // the length
	MOVQ    (SI)(AX*1), R11
	ADDQ    SI, AX
	BTQ     R11, R14
	SBBQ    R15, R15        // all ones for a mark that is not folded
	ANDNQ   R9, R15, R15
	CMPQ    BX, $8
	JA      wordsLong

wordsLast:
	ORQ   R15, R11
	SHLL  $3, BX
	BZHIQ BX, R11, R11
	XORQ  R13, R11
	MULXQ R11, R11, R12
	XORQ  R12, R11
	MOVQ  R11, (DI)(CX*8)
	INCQ  CX
	JNZ   wordsLoop
	RET

wordsLong:
	ORQ   R15, R11
	XORQ  R13, R11
	MULXQ R11, R11, R13
	XORQ  R11, R13
	ADDQ  $8, AX
	SUBQ  $8, BX
	MOVQ  (AX), R11
	CMPQ  BX, $8
	JA    wordsLong
	JMP   wordsLast
