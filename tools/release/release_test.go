package main

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/linnet-ml/linnet/tools/internal/platforms"
)

// repository makes one with a commit, a tag and a CHANGELOG.md that has the tag's version.
func repository(t *testing.T, tag string) (folder string, git func(args ...string)) {
	t.Helper()
	folder = t.TempDir()
	git = func(args ...string) {
		t.Helper()
		cmd := exec.Command("git", append([]string{"-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false", "-c", "tag.gpgsign=false"}, args...)...)
		cmd.Dir = folder
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("git %v: %v\n%s", args, err, out)
		}
	}
	if err := os.WriteFile(filepath.Join(folder, "CHANGELOG.md"), []byte("# Changes\n\n## "+tag+" (2026-12-01)\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	git("init", "--quiet")
	git("add", ".")
	git("commit", "--quiet", "--message", "a")
	git("tag", tag)
	return folder, git
}

// What must not be released is refused before anything is built.
func TestCheck(t *testing.T) {
	folder, git := repository(t, "v1.2.3")
	check := func(tag string) error { return (&release{root: folder, tag: tag}).check(t.Context()) }
	refused := func(tag, want string) {
		t.Helper()
		if err := check(tag); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", tag, err, want)
		}
	}
	r := release{root: folder, tag: "v1.2.3"}
	if err := r.check(t.Context()); err != nil || len(r.commit) != 40 || r.time.IsZero() {
		t.Errorf("%v: commit %q of %v", err, r.commit, r.time)
	}
	for _, tag := range []string{"", "1.2.3", "v1.2", "v1.2.3-rc.1", "v1.2.3+a", "v01.2.3", "v1.2.3 ", "v1.2.3\n", "latest"} {
		refused(tag, "not of the form")
	}
	refused("v1.2.4", "there is no tag v1.2.4")
	git("tag", "v1.2.4")
	refused("v1.2.4", "no section")
	git("branch", "v9.9.9")
	refused("v9.9.9", "there is no tag v9.9.9")

	stray := filepath.Join(folder, "stray")
	if err := os.WriteFile(stray, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	refused("v1.2.3", "not committed:\n?? stray")
	git("add", ".")
	git("commit", "--quiet", "--message", "b")
	refused("v1.2.3", "is checked out")
}

// An archive depends on its files and the time given, not on when, where and by whom it is made, and has all of them.
func TestArchives(t *testing.T) {
	at := time.Unix(1_700_000_001, 0)
	elsewhere := at.In(time.FixedZone("elsewhere", 5*3600))
	files := []file{{"linnet", []byte("program"), 0o755}, {"LICENSE", []byte("text"), 0o644}}
	for name, pack := range map[string]func(string, []file, time.Time) ([]byte, error){"tar": tarGz, "zip": zipped} {
		first, err := pack("f", files, at)
		if err != nil {
			t.Fatal(err)
		}
		second, err := pack("f", files, elsewhere)
		if err != nil || !bytes.Equal(first, second) {
			t.Errorf("%s: %v; two archives differ", name, err)
		}
		if other, err := pack("f", files, at.Add(2*time.Second)); err != nil || bytes.Equal(first, other) {
			t.Errorf("%s: %v; the time given is not in it", name, err)
		}
	}

	b, _ := tarGz("f", files, at)
	z, err := gzip.NewReader(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	r := tar.NewReader(z)
	for _, f := range files {
		h, err := r.Next()
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(r)
		if err != nil || h.Name != "f/"+f.name || h.FileInfo().Mode() != f.mode || !h.ModTime.Equal(at) || !bytes.Equal(content, f.content) || h.Uid != 0 || h.Uname != "" {
			t.Errorf("%v: %+v %q", err, h, content)
		}
	}
	if _, err := r.Next(); err != io.EOF {
		t.Errorf("after the last file: %v", err)
	}

	b, _ = zipped("f", files, at)
	list, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
	if err != nil || len(list.File) != len(files) {
		t.Fatalf("%v: %d files", err, len(list.File))
	}
	for i, f := range files {
		h := list.File[i]
		from, err := h.Open()
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(from)
		if err != nil || h.Name != "f/"+f.name || h.Mode() != f.mode || !h.Modified.Equal(at) || !bytes.Equal(content, f.content) {
			t.Errorf("%v: %+v %q", err, h.FileHeader, content)
		}
	}
}

// Binaries that differ say where.
func TestSame(t *testing.T) {
	for _, v := range []struct{ a, b, want string }{
		{"abc", "abc", ""},
		{"abc", "abd", "offset 2 of 3 and 3 bytes"},
		{"abc", "ab", "offset 2 of 3 and 2 bytes"},
	} {
		if err := same([]byte(v.a), []byte(v.b)); v.want == "" && err != nil || v.want != "" && (err == nil || !strings.Contains(err.Error(), v.want)) {
			t.Errorf("%q and %q: %v", v.a, v.b, err)
		}
	}
}

// A bill of materials names the platform of the binary, whichever one the release is made on.
func TestBill(t *testing.T) {
	if testing.Short() {
		t.Skip("it builds a program")
	}
	r := release{work: t.TempDir()}
	if err := r.buildBiller(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, p := range []platforms.Platform{{OS: "windows", Arch: "arm64"}, {OS: "linux", Arch: "386"}} {
		b, err := r.bill(t.Context(), p, r.biller) // any binary of Go has one
		if err != nil {
			t.Fatal(err)
		}
		var bill struct {
			BOMFormat string
			Metadata  struct {
				Tools     []map[string]any
				Component struct{ Purl string }
			}
			Components []struct{ Purl string }
		}
		if err := json.Unmarshal(b, &bill); err != nil {
			t.Fatal(err)
		}
		if bill.BOMFormat != "CycloneDX" || len(bill.Components) < 3 || len(bill.Metadata.Tools) != 1 {
			t.Fatalf("%s: %.500s", p, b)
		}
		if tool := bill.Metadata.Tools[0]; tool["version"] == nil || tool["hashes"] != nil {
			t.Errorf("%s: written by %v", p, tool)
		}
		platform := "goarch=" + p.Arch + "&goos=" + p.OS
		for _, c := range bill.Components {
			if !strings.Contains(c.Purl, platform) {
				t.Errorf("%s: %s", p, c.Purl)
			}
		}
	}
}

// SHA256SUMS is in the form that sha256sum reads.
func TestSums(t *testing.T) {
	folder := t.TempDir()
	for name, content := range map[string]string{"b": "", "a": "abc"} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := writeSums(folder); err != nil {
		t.Fatal(err)
	}
	const want = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad  a\n" +
		"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855  b\n"
	if b, err := os.ReadFile(filepath.Join(folder, sumsName)); err != nil || string(b) != want {
		t.Errorf("%v: %q", err, b)
	}
}
