package simd

import (
	"go/constant"
	"go/token"
	"go/types"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// neonWords holds calls of the macros in neon_arm64.h, the instructions that
// they stand for, and what GNU as makes of those with -march=armv8-a, the
// instruction set that every 64-bit ARM processor has. The registers of a
// macro's calls have each bit both set and clear.
var neonWords = []struct {
	call, instruction string
	word              uint32
}{
	{"FADD4S(21, 10, 3)", "fadd v3.4s, v10.4s, v21.4s", 0x4e35d543},
	{"FADD4S(10, 21, 28)", "fadd v28.4s, v21.4s, v10.4s", 0x4e2ad6bc},
	{"FSUB4S(21, 10, 3)", "fsub v3.4s, v10.4s, v21.4s", 0x4eb5d543},
	{"FSUB4S(10, 21, 28)", "fsub v28.4s, v21.4s, v10.4s", 0x4eaad6bc},
	{"FMUL4S(21, 10, 3)", "fmul v3.4s, v10.4s, v21.4s", 0x6e35dd43},
	{"FMUL4S(10, 21, 28)", "fmul v28.4s, v21.4s, v10.4s", 0x6e2adebc},
	{"FDIV4S(21, 10, 3)", "fdiv v3.4s, v10.4s, v21.4s", 0x6e35fd43},
	{"FDIV4S(10, 21, 28)", "fdiv v28.4s, v21.4s, v10.4s", 0x6e2afebc},
	{"FMAX4S(21, 10, 3)", "fmax v3.4s, v10.4s, v21.4s", 0x4e35f543},
	{"FMAX4S(10, 21, 28)", "fmax v28.4s, v21.4s, v10.4s", 0x4e2af6bc},
	{"FMIN4S(21, 10, 3)", "fmin v3.4s, v10.4s, v21.4s", 0x4eb5f543},
	{"FMIN4S(10, 21, 28)", "fmin v28.4s, v21.4s, v10.4s", 0x4eaaf6bc},
	{"AND16B(21, 10, 3)", "and v3.16b, v10.16b, v21.16b", 0x4e351d43},
	{"AND16B(10, 21, 28)", "and v28.16b, v21.16b, v10.16b", 0x4e2a1ebc},
	{"ORR16B(21, 10, 3)", "orr v3.16b, v10.16b, v21.16b", 0x4eb51d43},
	{"ORR16B(10, 21, 28)", "orr v28.16b, v21.16b, v10.16b", 0x4eaa1ebc},
	{"BIC16B(21, 10, 3)", "bic v3.16b, v10.16b, v21.16b", 0x4e751d43},
	{"BIC16B(10, 21, 28)", "bic v28.16b, v21.16b, v10.16b", 0x4e6a1ebc},
	{"BSL16B(21, 10, 3)", "bsl v3.16b, v10.16b, v21.16b", 0x6e751d43},
	{"BSL16B(10, 21, 28)", "bsl v28.16b, v21.16b, v10.16b", 0x6e6a1ebc},
	{"BIT16B(21, 10, 3)", "bit v3.16b, v10.16b, v21.16b", 0x6eb51d43},
	{"BIT16B(10, 21, 28)", "bit v28.16b, v21.16b, v10.16b", 0x6eaa1ebc},
	{"FCMGT4S(21, 10, 3)", "fcmgt v3.4s, v10.4s, v21.4s", 0x6eb5e543},
	{"FCMGT4S(10, 21, 28)", "fcmgt v28.4s, v21.4s, v10.4s", 0x6eaae6bc},
	{"FCMGE4S(21, 10, 3)", "fcmge v3.4s, v10.4s, v21.4s", 0x6e35e543},
	{"FCMGE4S(10, 21, 28)", "fcmge v28.4s, v21.4s, v10.4s", 0x6e2ae6bc},
	{"FACGT4S(21, 10, 3)", "facgt v3.4s, v10.4s, v21.4s", 0x6eb5ed43},
	{"FACGT4S(10, 21, 28)", "facgt v28.4s, v21.4s, v10.4s", 0x6eaaeebc},
	{"FCMGTZ4S(10, 3)", "fcmgt v3.4s, v10.4s, #0.0", 0x4ea0c943},
	{"FCMGTZ4S(21, 28)", "fcmgt v28.4s, v21.4s, #0.0", 0x4ea0cabc},
	{"FCMLTZ4S(10, 3)", "fcmlt v3.4s, v10.4s, #0.0", 0x4ea0e943},
	{"FCMLTZ4S(21, 28)", "fcmlt v28.4s, v21.4s, #0.0", 0x4ea0eabc},
	{"FCMEQZ4S(10, 3)", "fcmeq v3.4s, v10.4s, #0.0", 0x4ea0d943},
	{"FCMEQZ4S(21, 28)", "fcmeq v28.4s, v21.4s, #0.0", 0x4ea0dabc},
	{"FABS4S(10, 3)", "fabs v3.4s, v10.4s", 0x4ea0f943},
	{"FABS4S(21, 28)", "fabs v28.4s, v21.4s", 0x4ea0fabc},
	{"FNEG4S(10, 3)", "fneg v3.4s, v10.4s", 0x6ea0f943},
	{"FNEG4S(21, 28)", "fneg v28.4s, v21.4s", 0x6ea0fabc},
	{"FSQRT4S(10, 3)", "fsqrt v3.4s, v10.4s", 0x6ea1f943},
	{"FSQRT4S(21, 28)", "fsqrt v28.4s, v21.4s", 0x6ea1fabc},
	{"SCVTF4S(10, 3)", "scvtf v3.4s, v10.4s", 0x4e21d943},
	{"SCVTF4S(21, 28)", "scvtf v28.4s, v21.4s", 0x4e21dabc},
	{"FMAXV4S(10, 3)", "fmaxv s3, v10.4s", 0x6e30f943},
	{"FMAXV4S(21, 28)", "fmaxv s28, v21.4s", 0x6e30fabc},
	{"FADDP2S(10, 3)", "faddp s3, v10.2s", 0x7e30d943},
	{"FADDP2S(21, 28)", "faddp s28, v21.2s", 0x7e30dabc},
	{"SSHR4S(1, 10, 3)", "sshr v3.4s, v10.4s, #1", 0x4f3f0543},
	{"SSHR4S(22, 10, 3)", "sshr v3.4s, v10.4s, #22", 0x4f2a0543},
	{"SSHR4S(9, 21, 28)", "sshr v28.4s, v21.4s, #9", 0x4f3706bc},
	{"SSHR4S(32, 21, 28)", "sshr v28.4s, v21.4s, #32", 0x4f2006bc},
	{"ZERO4S(3)", "movi v3.4s, #0", 0x4f000403},
	{"ZERO4S(28)", "movi v28.4s, #0", 0x4f00041c},
	{"EXT16B(5, 21, 10, 3)", "ext v3.16b, v10.16b, v21.16b, #5", 0x6e152943},
	{"EXT16B(10, 10, 21, 28)", "ext v28.16b, v21.16b, v10.16b, #10", 0x6e0a52bc},
	{"FMLA4S(21, 10, 3)", "fmla v3.4s, v10.4s, v21.4s", 0x4e35cd43},
	{"FMLA4S(10, 21, 28)", "fmla v28.4s, v21.4s, v10.4s", 0x4e2acebc},
	{"FMLA4SE(0, 21, 10, 3)", "fmla v3.4s, v10.4s, v21.s[0]", 0x4f951143},
	{"FMLA4SE(3, 21, 10, 3)", "fmla v3.4s, v10.4s, v21.s[3]", 0x4fb51943},
	{"FMLA4SE(1, 10, 21, 28)", "fmla v28.4s, v21.4s, v10.s[1]", 0x4faa12bc},
	{"FMLA4SE(2, 10, 21, 28)", "fmla v28.4s, v21.4s, v10.s[2]", 0x4f8a1abc},
	{"FMUL4SE(0, 21, 10, 3)", "fmul v3.4s, v10.4s, v21.s[0]", 0x4f959143},
	{"FMUL4SE(3, 21, 10, 3)", "fmul v3.4s, v10.4s, v21.s[3]", 0x4fb59943},
	{"FMUL4SE(1, 10, 21, 28)", "fmul v28.4s, v21.4s, v10.s[1]", 0x4faa92bc},
	{"FMUL4SE(2, 10, 21, 28)", "fmul v28.4s, v21.4s, v10.s[2]", 0x4f8a9abc},
}

var (
	macroDefinition = regexp.MustCompile(`^#define (\w+)\(([^)]*)\)`)
	macroCall       = regexp.MustCompile(`^(\w+)\(([^)]*)\)$`)
)

// neonMacros returns the parameters and the bodies of the macros in a file.
func neonMacros(t *testing.T, file string) (parameters map[string][]string, bodies map[string]string) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	parameters, bodies = map[string][]string{}, map[string]string{}
	for _, line := range strings.Split(string(text), "\n") {
		m := macroDefinition.FindStringSubmatch(line)
		if m == nil {
			continue
		}
		if _, ok := bodies[m[1]]; ok {
			t.Errorf("%s: %s is defined twice", file, m[1])
		}
		parameters[m[1]] = strings.Split(m[2], ", ")
		bodies[m[1]] = strings.TrimSpace(line[len(m[0]):])
	}
	return parameters, bodies
}

// TestNEONWords protects the NEON kernels from macros that are not the
// instructions they are named for.
func TestNEONWords(t *testing.T) {
	parameters, bodies := neonMacros(t, "neon_arm64.h")
	calls := map[string]int{}
	for _, w := range neonWords {
		m := macroCall.FindStringSubmatch(w.call)
		name, arguments := m[1], strings.Split(m[2], ", ")
		calls[name]++
		expression, ok := strings.CutPrefix(bodies[name], "WORD $")
		if !ok || len(arguments) != len(parameters[name]) {
			t.Errorf("%s: defined as %q of %v", w.call, bodies[name], parameters[name])
			continue
		}
		for i, p := range parameters[name] {
			expression = regexp.MustCompile(`\b`+p+`\b`).ReplaceAllString(expression, arguments[i])
		}
		value, err := types.Eval(token.NewFileSet(), nil, token.NoPos, expression)
		if err != nil {
			t.Errorf("%s: %v", w.call, err)
			continue
		}
		if word, exact := constant.Uint64Val(constant.ToInt(value.Value)); !exact || word != uint64(w.word) {
			t.Errorf("%s is %#08x, but %s is %#08x", w.call, word, w.instruction, w.word)
		}
	}
	for name := range bodies {
		if calls[name] < 2 {
			t.Errorf("%s: compared with GNU as in %d calls, want 2 or more", name, calls[name])
		}
	}
}

// TestNEONWordsAssembled protects the recorded encodings, where GNU as is
// installed.
func TestNEONWordsAssembled(t *testing.T) {
	as, err := exec.LookPath("aarch64-linux-gnu-as")
	if err != nil {
		t.Skip("no aarch64-linux-gnu-as")
	}
	listing := filepath.Join(t.TempDir(), "words.o")
	var source strings.Builder
	for _, w := range neonWords {
		source.WriteString(w.instruction + "\n")
	}
	command := exec.Command(as, "-march=armv8-a", "-aln", "-o", listing, "-")
	command.Stdin = strings.NewReader(source.String())
	out, err := command.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	// A line of the listing: its number, the offset, the bytes, the source.
	var words []uint32
	for _, line := range strings.Split(string(out), "\n") {
		fields := strings.Fields(line)
		if len(fields) < 4 || len(fields[2]) != 8 {
			continue
		}
		bytes, err := strconv.ParseUint(fields[2], 16, 32)
		if err != nil {
			continue
		}
		b := uint32(bytes)
		words = append(words, b>>24|b>>8&0xff00|b<<8&0xff0000|b<<24)
	}
	if len(words) != len(neonWords) {
		t.Fatalf("GNU as made %d words of %d instructions:\n%s", len(words), len(neonWords), out)
	}
	for i, w := range neonWords {
		if words[i] != w.word {
			t.Errorf("%s is %#08x, recorded as %#08x", w.instruction, words[i], w.word)
		}
	}
}

// neonInstructions are those that NEON kernels may use, as the disassembler
// calls them: all belong to the first version of the 64-bit architecture.
var neonInstructions = strings.Fields(`
	ADD ADRP AND B BCC BCS BEQ BGE BGT BHI BHS BLE BLO BLS BLT BNE CBNZ CBZ CMP CMPW CSEL JMP LSL LSR
	MADD MOVBU MOVD MOVHU MOVW MOVWU ORR PRFM RET SUB SUBS TBNZ TBZ UBFX
	FABS FADD FADDP FADDS FDIV FLDPQ FMAX FMAXV FMIN FMOVD FMOVQ FMOVS FMUL FNEG FSQRT FSUB SCVTF SCVTFWS
	VADD VAND VBIC VBIT VBSL VDUP VEXT VFACGT VFCMEQ VFCMGE VFCMGT VFCMLT VLD1 VLD1R VMOV VMOVI VSHL VSSHR
	VST1 VSUB VTRN1 VTRN2
`)

// TestNEONInstructions protects processors and bits from an instruction that
// does not belong: the assembled kernels consist of the above, and of fused
// multiply-adds in the matrix product alone.
func TestNEONInstructions(t *testing.T) {
	seen := 0
	for _, line := range disassemble(t) {
		file, _, _ := strings.Cut(line.place, ":")
		if !strings.HasSuffix(file, "_neon_arm64.s") {
			continue
		}
		seen++
		name, _, _ := strings.Cut(line.instruction, ".")
		switch {
		case slices.Contains(neonInstructions, name):
		case name == "?" && line.word == "00000000": // between functions
		case name == "VFMLA" && file == "gemm_neon_arm64.s":
		default:
			t.Errorf("%s: %s (%s) does not belong to the NEON kernels", line.place, line.instruction, line.word)
		}
	}
	if seen < 1000 {
		t.Errorf("saw %d instructions: the test looks in the wrong place", seen)
	}
}

// machineCode is one instruction of the package's arm64 build.
type machineCode struct {
	place       string // file:line
	word        string
	instruction string // its name, as the disassembler calls it
}

// disassemble builds the package for arm64 and returns its code.
func disassemble(t *testing.T) []machineCode {
	t.Helper()
	if testing.Short() {
		t.Skip("builds the package for arm64")
	}
	goTool, err := exec.LookPath("go")
	if err != nil {
		t.Skip("no go command")
	}
	binary := filepath.Join(t.TempDir(), "simd.test")
	build := exec.Command(goTool, "test", "-c", "-o", binary, ".")
	build.Env = append(os.Environ(), "GOOS=linux", "GOARCH=arm64", "CGO_ENABLED=0", "GOFLAGS=")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	out, err := exec.Command(goTool, "tool", "objdump", "-s", `/linnet/simd\.`, binary).Output()
	if err != nil {
		t.Fatal(err)
	}
	var code []machineCode
	for _, line := range strings.Split(string(out), "\n") {
		if f := strings.Fields(line); len(f) >= 4 && strings.HasPrefix(f[1], "0x") {
			code = append(code, machineCode{place: f[0], word: f[2], instruction: f[3]})
		}
	}
	return code
}
