//go:build linux

package main

import (
	"bufio"
	_ "embed"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/cpu"
)

//go:embed c/peers.c
var source []byte

// peers is the running C program.
type peers struct {
	cmd              *exec.Cmd
	in               io.WriteCloser
	out              *bufio.Reader
	openblas, onednn string // versions and kernels
}

func (p *peers) names() []string { return []string{p.openblas, p.onednn} }

// findOpenBLAS is the library inside NumPy's wheel, which knows processors that
// distributions' packages do not.
func findOpenBLAS(venv string) (string, error) {
	if venv == "" {
		cache, err := os.UserCacheDir()
		if err != nil {
			return "", fmt.Errorf("%w: name a folder with -venv", err)
		}
		venv = filepath.Join(cache, "linnet", "peers-venv")
	}
	found, err := filepath.Glob(filepath.Join(venv, "lib", "python3*", "site-packages", "numpy.libs", "libscipy_openblas64_*.so"))
	if err != nil {
		return "", err
	}
	if len(found) != 1 {
		return "", fmt.Errorf("%d OpenBLAS libraries of NumPy in %s, want 1: name a virtual environment with -venv or the file with -openblas", len(found), venv)
	}
	return found[0], nil
}

// startPeers compiles and starts the C program.
func startPeers(openblas, onednn string) (*peers, error) {
	dir, err := os.MkdirTemp("", "linnet-gemm-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	program := filepath.Join(dir, "peers")
	cc := exec.Command("cc", "-O2", "-x", "c", "-", "-o", program, "-ldl")
	cc.Stdin = strings.NewReader(string(source))
	if message, err := cc.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("cc: %w\n%s", err, message)
	}
	p := &peers{cmd: exec.Command(program, openblas, onednn)}
	p.cmd.Env = environment()
	p.cmd.Stderr = os.Stderr
	if p.in, err = p.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	p.out = bufio.NewReader(out)
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	if err := p.versions(); err != nil {
		p.stop()
		return nil, err
	}
	return p, nil
}

// environment is the caller's without whatever would make the libraries take
// other kernels than they choose, and with one thread.
func environment() []string {
	env := slices.DeleteFunc(os.Environ(), func(v string) bool {
		for _, prefix := range []string{"OPENBLAS_", "GOTO_", "MKL_", "OMP_", "DNNL_", "ONEDNN_", "KMP_", "GOMP_", "BLIS_"} {
			if strings.HasPrefix(v, prefix) {
				return true
			}
		}
		return false
	})
	return append(env, "OPENBLAS_NUM_THREADS=1", "OMP_NUM_THREADS=1")
}

// versions reads what the program says first, and refuses peers that do not
// use the AVX-512 that the processor has.
func (p *peers) versions() error {
	var lines [4]string
	for i := range lines {
		line, err := p.line()
		if err != nil {
			return err
		}
		lines[i] = line
	}
	config, core, version := lines[0], lines[1], lines[2]
	isa, err := strconv.Atoi(lines[3])
	if err != nil {
		return err
	}
	if fields := strings.Fields(config); len(fields) > 1 {
		config = strings.Join(fields[:2], " ")
	}
	p.openblas = fmt.Sprintf("%s, %s kernels", config, core)
	p.onednn = fmt.Sprintf("oneDNN %s, instruction set %#x", version, isa)
	if cpu.X86.HasAVX512F && cpu.X86.HasAVX512VL && cpu.X86.HasAVX512DQ && cpu.X86.HasAVX512BW {
		if !slices.Contains([]string{"SkylakeX", "Cooperlake", "Sapphirerapids"}, core) {
			return fmt.Errorf("this processor has AVX-512, and OpenBLAS takes its %s kernels", core)
		}
		const avx512 = 0x20 // of dnnl_cpu_isa_t
		if isa&avx512 == 0 {
			return fmt.Errorf("this processor has AVX-512, and oneDNN takes kernels of instruction set %#x", isa)
		}
	}
	return nil
}

func (p *peers) line() (string, error) {
	line, err := p.out.ReadString('\n')
	if err != nil {
		return "", fmt.Errorf("the C program ended: %w", err)
	}
	return strings.TrimSpace(line), nil
}

func (p *peers) ask(format string, args ...any) (string, error) {
	if _, err := fmt.Fprintf(p.in, format+"\n", args...); err != nil {
		return "", err
	}
	return p.line()
}

// shape makes the matrices and returns each library's weighted sum of C.
func (p *peers) shape(s Shape) (sums [2]float64, err error) {
	answer, err := p.ask("shape %s %d %d %d", s.Form, s.M, s.N, s.K)
	if err == nil {
		_, err = fmt.Sscan(answer, &sums[0], &sums[1])
	}
	return sums, err
}

// time returns the nanoseconds of one product of a library, 0 for OpenBLAS and
// 1 for oneDNN.
func (p *peers) time(library, count int) (float64, error) {
	answer, err := p.ask("time %d %d", library, count)
	if err != nil {
		return 0, err
	}
	ns, err := strconv.ParseFloat(answer, 64)
	return ns / float64(count), err
}

// stop ends the program, which reads commands until there are no more.
func (p *peers) stop() {
	p.in.Close()
	p.cmd.Wait()
}
