// Release builds the program linnet for all platforms of a release, from a tag of this repository, and writes what is
// published: an archive and a bill of materials (CycloneDX) for each platform, and SHA256SUMS. It publishes nothing.
//
//	go run -C tools ./release -tag v1.2.3 -o /tmp/linnet-v1.2.3
//
// It refuses a tag that is not vMAJOR.MINOR.PATCH or not the commit that is checked out, a tree with changes, and a
// CHANGELOG.md without that version. Each binary is built twice, from clones in two folders and with two build caches, and
// must be the same to the bit. The archives depend on the commit and the version of Go alone.
package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"debug/buildinfo"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"log"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/linnet-ml/linnet/tools/internal/platforms"
)

func main() {
	log.SetFlags(log.Ltime)
	var r release
	flag.StringVar(&r.tag, "tag", "", "the tag to release, vMAJOR.MINOR.PATCH")
	flag.StringVar(&r.to, "o", "", "a new folder for what is published")
	flag.IntVar(&r.parallel, "p", 0, "how many compilers run at a time; 0 is one for each processor")
	flag.Parse()
	if r.tag == "" || r.to == "" || flag.NArg() > 0 {
		flag.Usage()
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	r.root = ".." // the program runs in the module tools
	if err := r.run(ctx); err != nil {
		log.Fatal("release: ", err)
	}
}

// A release is made from a tag.
type release struct {
	root, tag, to string
	parallel      int

	commit string    // of the tag
	time   time.Time // of the commit
	work   string    // a temporary folder
	biller string    // the program that writes bills of materials
}

func (r *release) run(ctx context.Context) (err error) {
	if err := r.check(ctx); err != nil {
		return err
	}
	if r.work, err = os.MkdirTemp("", "linnet-release-"); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(r.work)) }()
	if r.to, err = filepath.Abs(r.to); err != nil {
		return err
	}
	if err := os.Mkdir(r.to, 0o755); err != nil {
		return err
	}
	if err := r.buildBiller(ctx); err != nil {
		return err
	}
	builders, err := r.builders(ctx)
	if err != nil {
		return err
	}
	for _, p := range platforms.Released {
		start := time.Now()
		if err := r.platform(ctx, builders, p); err != nil {
			return fmt.Errorf("%s: %w", p, err)
		}
		log.Printf("%s: built twice, the same to the bit, in %d s", p, int(time.Since(start).Seconds()))
	}
	return writeSums(r.to)
}

// buildBiller builds the program that writes bills of materials.
func (r *release) buildBiller(ctx context.Context) error {
	r.biller = filepath.Join(r.work, "cyclonedx-gomod.exe")
	_, err := output(ctx, "", nil, "go", "build", "-o", r.biller, "github.com/CycloneDX/cyclonedx-gomod/cmd/cyclonedx-gomod")
	return err
}

// bill returns the bill of materials of a binary. It is the same whichever platform the release is made on: package URLs name the
// platform of the binary, not of this machine, and the hashes of the program that wrote the bill are left out.
func (r *release) bill(ctx context.Context, p platforms.Platform, binary string) ([]byte, error) {
	text, err := output(ctx, "", p.Environ(), r.biller, "bin", "-json", "-std", "-noserial", "-notimestamp", binary)
	if err != nil {
		return nil, err
	}
	var bill map[string]any
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	if err := d.Decode(&bill); err != nil {
		return nil, fmt.Errorf("the bill of materials: %w", err)
	}
	metadata, _ := bill["metadata"].(map[string]any)
	writers, _ := metadata["tools"].([]any)
	if len(writers) == 0 {
		return nil, errors.New("the bill of materials does not name the program that wrote it")
	}
	for _, w := range writers {
		if w, ok := w.(map[string]any); ok {
			delete(w, "hashes")
		}
	}
	b, err := json.MarshalIndent(bill, "", "  ")
	return append(b, '\n'), err
}

// output runs a command and returns what it prints.
func output(ctx context.Context, folder string, environ []string, name string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = folder
	cmd.Env = append(os.Environ(), environ...)
	if runtime.GOOS != "windows" {
		cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) } // the go command then removes what is temporary
		cmd.WaitDelay = 10 * time.Second
	}
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("%s %s: %w\n%s", name, strings.Join(args, " "), err, stderr.String())
	}
	return strings.TrimSpace(stdout.String()), nil
}

func (r *release) git(ctx context.Context, args ...string) (string, error) {
	return output(ctx, r.root, nil, "git", args...)
}

// versions are the tags that may be released. A number has no leading zero, as Go demands.
var versions = regexp.MustCompile(`^v(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)$`)

// check says what is wrong with the tag or the tree, and finds the commit.
func (r *release) check(ctx context.Context) error {
	if !versions.MatchString(r.tag) {
		return fmt.Errorf("the tag %q is not of the form v1.2.3", r.tag)
	}
	changes, err := r.git(ctx, "status", "--porcelain")
	if err != nil {
		return err
	}
	if changes != "" {
		return fmt.Errorf("the tree has changes that are not committed:\n%s", changes)
	}
	head, err := r.git(ctx, "rev-parse", "HEAD")
	if err != nil {
		return err
	}
	if r.commit, err = r.git(ctx, "rev-parse", "--verify", "refs/tags/"+r.tag+"^{commit}"); err != nil {
		return fmt.Errorf("there is no tag %s: %w", r.tag, err)
	}
	if r.commit != head {
		return fmt.Errorf("the tag %s is %s, and %s is checked out", r.tag, r.commit, head)
	}
	changelog, err := os.ReadFile(filepath.Join(r.root, "CHANGELOG.md"))
	if err != nil {
		return err
	}
	if !regexp.MustCompile(`(?m)^## ` + regexp.QuoteMeta(r.tag) + `( |$)`).Match(changelog) {
		return fmt.Errorf("CHANGELOG.md has no section \"## %s\"", r.tag)
	}
	seconds, err := r.git(ctx, "show", "-s", "--format=%ct", r.commit)
	if err != nil {
		return err
	}
	n, err := strconv.ParseInt(seconds, 10, 64)
	if err != nil {
		return err
	}
	r.time = time.Unix(n, 0).UTC()
	return nil
}

// A builder builds in a clone of its own.
type builder struct {
	clone    string
	cache    string // of builds; "" is the user's
	parallel int
}

// builders makes the two clones. Their paths have different lengths, so that a path in a binary shows.
func (r *release) builders(ctx context.Context) ([2]builder, error) {
	b := [2]builder{
		{filepath.Join(r.work, "a", "linnet"), "", r.parallel},
		{filepath.Join(r.work, "another-folder", "clone"), filepath.Join(r.work, "cache"), r.parallel},
	}
	for _, b := range b {
		if _, err := r.git(ctx, "-c", "advice.detachedHead=false", "clone", "--quiet", "--branch", r.tag, ".", b.clone); err != nil {
			return [2]builder{}, err
		}
	}
	return b, nil
}

// build builds the program for a platform. Loose settings of the caller do not decide what is built.
func (b builder) build(ctx context.Context, p platforms.Platform, to string) error {
	environ := append(p.Environ(), "GOFLAGS=-mod=readonly", "GOWORK=off", "GOTOOLCHAIN=local", "GODEBUG=", "GOEXPERIMENT=",
		"GOAMD64=v1", "GO386=sse2", "GOARM64=v8.0", "GOFIPS140=off")
	if b.cache != "" {
		environ = append(environ, "GOCACHE="+b.cache)
	}
	args := []string{"build", "-trimpath", "-buildvcs=true", "-ldflags=-s -w", "-o", to}
	if b.parallel > 0 {
		args = append(args, "-p", strconv.Itoa(b.parallel))
	}
	_, err := output(ctx, b.clone, environ, "go", append(args, "./cmd/linnet")...)
	return err
}

// platform builds, compares and packs the program for a platform.
func (r *release) platform(ctx context.Context, builders [2]builder, p platforms.Platform) error {
	program := "linnet"
	if p.OS == "windows" {
		program += ".exe"
	}
	var paths [2]string
	var binaries [2][]byte
	for i, b := range builders {
		paths[i] = filepath.Join(r.work, strconv.Itoa(i), p.OS, p.Arch, program)
		if err := b.build(ctx, p, paths[i]); err != nil {
			return err
		}
		if err := r.checkBinary(paths[i], p); err != nil {
			return err
		}
		var err error
		if binaries[i], err = os.ReadFile(paths[i]); err != nil {
			return err
		}
	}
	if err := same(binaries[0], binaries[1]); err != nil {
		return err
	}
	name := fmt.Sprintf("linnet-%s-%s-%s", r.tag, p.OS, p.Arch)
	bill, err := r.bill(ctx, p, paths[0])
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(r.to, name+".cdx.json"), bill, 0o644); err != nil {
		return err
	}
	files := []file{{program, binaries[0], 0o755}}
	for _, from := range packed {
		b, err := os.ReadFile(filepath.Join(builders[0].clone, filepath.FromSlash(from)))
		if err != nil {
			return err
		}
		files = append(files, file{filepath.Base(from), b, 0o644})
	}
	pack, suffix := tarGz, ".tar.gz"
	if p.OS == "windows" {
		pack, suffix = zipped, ".zip"
	}
	b, err := pack(name, files, r.time)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(r.to, name+suffix), b, 0o644)
}

// packed are the files of the repository that an archive has beside the program.
var packed = []string{"CHANGELOG.md", "LICENSE", "README.md", "cmd/linnet/THIRD_PARTY_LICENSES"}

// same says where two builds differ first.
func same(a, b []byte) error {
	if bytes.Equal(a, b) {
		return nil
	}
	i := 0
	for i < min(len(a), len(b)) && a[i] == b[i] {
		i++
	}
	return fmt.Errorf("two builds differ, first at offset %d of %d and %d bytes", i, len(a), len(b))
}

// checkBinary compares what a binary says of itself with what it should be.
func (r *release) checkBinary(path string, p platforms.Platform) error {
	info, err := buildinfo.ReadFile(path)
	if err != nil {
		return err
	}
	has := map[string]string{"version": info.Main.Version}
	for _, s := range info.Settings {
		has[s.Key] = s.Value
	}
	for key, want := range map[string]string{
		"version": r.tag, "vcs.revision": r.commit, "vcs.modified": "false", "GOOS": p.OS, "GOARCH": p.Arch, "CGO_ENABLED": "0", "-trimpath": "true",
	} {
		if has[key] != want {
			return fmt.Errorf("the binary says %s %q, not %q", key, has[key], want)
		}
	}
	for _, m := range info.Deps {
		if m.Replace != nil {
			return fmt.Errorf("the module %s is replaced", m.Path)
		}
	}
	return nil
}

// sumsName is the file that sha256sum -c reads.
const sumsName = "SHA256SUMS"

// writeSums writes the hash of each file in a folder.
func writeSums(folder string) error {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return err
	}
	slices.SortFunc(entries, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	var sums strings.Builder
	for _, e := range entries {
		b, err := os.ReadFile(filepath.Join(folder, e.Name()))
		if err != nil {
			return err
		}
		sum := sha256.Sum256(b)
		fmt.Fprintf(&sums, "%s  %s\n", hex.EncodeToString(sum[:]), e.Name())
	}
	return os.WriteFile(filepath.Join(folder, sumsName), []byte(sums.String()), 0o644)
}
