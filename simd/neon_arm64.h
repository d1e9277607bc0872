// The NEON instructions that Go's assembler lacks, as macros. Arguments are
// numbers of V registers (i: of a lane, or a shift), in Go's order: sources, then
// destination. 4S: four float32 or int32; 16B: 128 bits. All belong to the
// first version of the 64-bit architecture, which every arm64 processor has.
// neon_test.go compares each with GNU as.
//
// The logical instructions that the assembler has stand here once more so that
// macros can be made of them whose arguments are numbers.

// d = n op m
#define FADD4S(m, n, d) WORD $(0x4E20D400 | (m)<<16 | (n)<<5 | (d))
#define FSUB4S(m, n, d) WORD $(0x4EA0D400 | (m)<<16 | (n)<<5 | (d))
#define FMUL4S(m, n, d) WORD $(0x6E20DC00 | (m)<<16 | (n)<<5 | (d))
#define FDIV4S(m, n, d) WORD $(0x6E20FC00 | (m)<<16 | (n)<<5 | (d))
#define FMAX4S(m, n, d) WORD $(0x4E20F400 | (m)<<16 | (n)<<5 | (d))
#define FMIN4S(m, n, d) WORD $(0x4EA0F400 | (m)<<16 | (n)<<5 | (d))
#define AND16B(m, n, d) WORD $(0x4E201C00 | (m)<<16 | (n)<<5 | (d))
#define ORR16B(m, n, d) WORD $(0x4EA01C00 | (m)<<16 | (n)<<5 | (d))

// d = n &^ m
#define BIC16B(m, n, d) WORD $(0x4E601C00 | (m)<<16 | (n)<<5 | (d))

// d = d&n | m&^d: d selects n where it is set, else m
#define BSL16B(m, n, d) WORD $(0x6E601C00 | (m)<<16 | (n)<<5 | (d))

// d = n&m | d&^m: n where m is set
#define BIT16B(m, n, d) WORD $(0x6EA01C00 | (m)<<16 | (n)<<5 | (d))

// d = all ones where n > m, n >= m, |n| > |m|, else 0; a NaN gives 0
#define FCMGT4S(m, n, d) WORD $(0x6EA0E400 | (m)<<16 | (n)<<5 | (d))
#define FCMGE4S(m, n, d) WORD $(0x6E20E400 | (m)<<16 | (n)<<5 | (d))
#define FACGT4S(m, n, d) WORD $(0x6EA0EC00 | (m)<<16 | (n)<<5 | (d))

// d = all ones where n > 0, n < 0, n == 0, else 0; a NaN gives 0
#define FCMGTZ4S(n, d) WORD $(0x4EA0C800 | (n)<<5 | (d))
#define FCMLTZ4S(n, d) WORD $(0x4EA0E800 | (n)<<5 | (d))
#define FCMEQZ4S(n, d) WORD $(0x4EA0D800 | (n)<<5 | (d))

// d = f(n)
#define FABS4S(n, d) WORD $(0x4EA0F800 | (n)<<5 | (d))
#define FNEG4S(n, d) WORD $(0x6EA0F800 | (n)<<5 | (d))
#define FSQRT4S(n, d) WORD $(0x6EA1F800 | (n)<<5 | (d))
#define SCVTF4S(n, d) WORD $(0x4E21D800 | (n)<<5 | (d))

// d[0] = the largest lane of n
#define FMAXV4S(n, d) WORD $(0x6E30F800 | (n)<<5 | (d))

// d[0] = n[0] + n[1]
#define FADDP2S(n, d) WORD $(0x7E30D800 | (n)<<5 | (d))

// d = n >> i, arithmetic, i from 1 to 32
#define SSHR4S(i, n, d) WORD $(0x4F000400 | (64-(i))<<16 | (n)<<5 | (d))

// d = 0
#define ZERO4S(d) WORD $(0x4F000400 | (d))

// d = bytes i to i+15 of n followed by m
#define EXT16B(i, m, n, d) WORD $(0x6E000000 | (m)<<16 | (i)<<11 | (n)<<5 | (d))

// d += n * m, fused
#define FMLA4S(m, n, d) WORD $(0x4E20CC00 | (m)<<16 | (n)<<5 | (d))

// d += n * m[i], fused; d = n * m[i]
#define FMLA4SE(i, m, n, d) WORD $(0x4F801000 | ((i)&1)<<21 | ((i)>>1)<<11 | (m)<<16 | (n)<<5 | (d))
#define FMUL4SE(i, m, n, d) WORD $(0x4F809000 | ((i)&1)<<21 | ((i)>>1)<<11 | (m)<<16 | (n)<<5 | (d))
