package atomicfile

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// text returns a function that writes a text.
func text(s string) func(io.Writer) error {
	return func(w io.Writer) error {
		_, err := io.WriteString(w, s)
		return err
	}
}

func wantContent(t *testing.T, path, want string) {
	t.Helper()
	if got, err := os.ReadFile(path); err != nil || string(got) != want {
		t.Errorf("%s has %q, %v; want %q", path, got, err, want)
	}
}

// wantNames checks what is in a folder.
func wantNames(t *testing.T, folder string, want ...string) {
	t.Helper()
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range entries {
		got = append(got, e.Name())
	}
	if slices.Sort(want); !slices.Equal(got, want) {
		t.Errorf("the folder has %q, want %q", got, want)
	}
}

// wantError checks an error's text and that the temporary file is not in it.
func wantError(t *testing.T, err error, want string) {
	t.Helper()
	if err == nil || err.Error() != want {
		t.Errorf("error %v\nwant  %s", err, want)
	}
	if err != nil && strings.Contains(err.Error(), suffix) {
		t.Errorf("%v names the temporary file", err)
	}
}

func oldFile(t *testing.T) (folder, path string) {
	t.Helper()
	folder = t.TempDir()
	path = filepath.Join(folder, "file")
	if err := os.WriteFile(path, []byte("old"), 0o666); err != nil {
		t.Fatal(err)
	}
	return folder, path
}

// Small and large contents arrive whole, in a new file and over an old one, whatever the length of the name.
func TestWrite(t *testing.T) {
	folder := t.TempDir()
	long := strings.Repeat("ü", 120) // 240 bytes
	for _, name := range []string{"file", long} {
		path := filepath.Join(folder, name)
		for _, size := range []int{0, 1, bufferSize, 2*chunk + 3} {
			content := bytes.Repeat([]byte{byte(size), 7, 9}, size/3+1)[:size]
			err := Write(t.Context(), path, func(w io.Writer) error {
				w.Write(content[:size/2])
				n, err := w.Write(content[size/2:])
				if n != size-size/2 {
					t.Errorf("%d bytes were written, want %d", n, size-size/2)
				}
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			if got, err := os.ReadFile(path); err != nil || !bytes.Equal(got, content) {
				t.Errorf("%d bytes, %v; want %d", len(got), err, size)
			}
		}
	}
	wantNames(t, folder, "file", long)
}

// A file is found relative to the working folder.
func TestWriteRelative(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := Write(t.Context(), "file", text("new")); err != nil {
		t.Fatal(err)
	}
	wantContent(t, "file", "new")
	wantError(t, Write(t.Context(), "none/file", text("new")), "none/file cannot be written: there is no folder none")
	wantNames(t, ".", "file")
}

// Whatever the function does other than to return nil, the old file stays as it is and nothing else is left.
func TestWriteFails(t *testing.T) {
	own := errors.New("own error")
	part := func(w io.Writer) { w.Write(make([]byte, 3*bufferSize)) }
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	for name, c := range map[string]struct {
		ctx   context.Context
		write func(io.Writer) error
		want  error
	}{
		"error":               {t.Context(), func(w io.Writer) error { part(w); return own }, own},
		"error before a byte": {t.Context(), func(w io.Writer) error { return own }, own},
		"cancelled while writing": {ctx, func(w io.Writer) error {
			part(w)
			cancel()
			for {
				if _, err := w.Write(make([]byte, bufferSize)); err != nil {
					return errors.New("not the context's error") // the writer's comes first
				}
			}
		}, context.Canceled},
		"cancelled after writing": {ctx, func(w io.Writer) error { cancel(); return nil }, context.Canceled},
	} {
		t.Run(name, func(t *testing.T) {
			folder, path := oldFile(t)
			if err := Write(c.ctx, path, c.write); err != c.want {
				t.Errorf("error %v, want %v", err, c.want)
			}
			wantContent(t, path, "old")
			wantNames(t, folder, "file")
		})
	}
	t.Run("panic", func(t *testing.T) {
		folder, path := oldFile(t)
		func() {
			defer func() {
				if p := recover(); p != own {
					t.Errorf("panic %v, want %v", p, own)
				}
			}()
			Write(t.Context(), path, func(w io.Writer) error { part(w); panic(own) })
		}()
		wantContent(t, path, "old")
		wantNames(t, folder, "file")
	})
	t.Run("goexit", func(t *testing.T) {
		folder, path := oldFile(t)
		done := make(chan bool)
		go func() {
			defer close(done)
			Write(t.Context(), path, func(w io.Writer) error { part(w); runtime.Goexit(); return nil })
		}()
		<-done
		wantContent(t, path, "old")
		wantNames(t, folder, "file")
	})
}

// A writer that is kept does not reach the file, nor one that has got its file descriptor since.
func TestWriterOutlivesWrite(t *testing.T) {
	folder, path := oldFile(t)
	var kept io.Writer
	if err := Write(t.Context(), path, func(w io.Writer) error { kept = w; return text("new")(w) }); err != nil {
		t.Fatal(err)
	}
	if _, err := kept.Write(make([]byte, 2*bufferSize)); err != fs.ErrClosed {
		t.Errorf("error %v, want %v", err, fs.ErrClosed)
	}
	wantContent(t, path, "new")
	wantNames(t, folder, "file")
}

// What cannot be a file is told before anything is written, by Check too.
func TestNotAFile(t *testing.T) {
	folder, file := oldFile(t)
	join := func(name string) string { return filepath.Join(folder, name) }
	long := join(strings.Repeat("x", 300))
	for _, c := range []struct {
		path, want string
		is         error
	}{
		{"", "a file without a name cannot be written", fs.ErrInvalid},
		{folder, folder + " is a folder", ErrNotRegular},
		{folder + string(filepath.Separator), folder + string(filepath.Separator) + " is a folder", ErrNotRegular},
		{".", ". is a folder", ErrNotRegular},
		{join("none/file"), join("none/file") + " cannot be written: there is no folder " + join("none"), fs.ErrNotExist},
		{join("none") + "/", join("none") + "/ cannot be written: there is no folder " + join("none"), fs.ErrNotExist},
		{join("file/x"), join("file/x") + " cannot be written: " + file + " is not a folder", nil},
		{long, "", nil},
	} {
		for name, err := range map[string]error{"Check": Check(c.path), "Write": Write(t.Context(), c.path, func(io.Writer) error {
			t.Error("write is called")
			return nil
		})} {
			if c.want == "" && err != nil {
				continue // the system's words
			}
			if c.is != nil && !errors.Is(err, c.is) {
				t.Errorf("%s: %v is not %v", name, err, c.is)
			}
			wantError(t, err, c.want)
		}
	}
	wantContent(t, file, "old")
	wantNames(t, folder, "file")
}

// Check finds nothing wrong with a file that is there and one that is not, and changes nothing.
func TestCheck(t *testing.T) {
	folder, path := oldFile(t)
	if err := errors.Join(Check(path), Check(filepath.Join(folder, "new"))); err != nil {
		t.Error(err)
	}
	wantContent(t, path, "old")
	wantNames(t, folder, "file")
}

// CheckFolder finds a folder in which files can be made, and leaves nothing there, not even of a check that was killed.
func TestCheckFolder(t *testing.T) {
	folder, file := oldFile(t)
	if locking && runtime.GOOS != "js" && runtime.GOOS != "plan9" {
		if err := os.WriteFile(filepath.Join(folder, ".folder.0123456789abcdef"+suffix), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := CheckFolder(folder); err != nil {
		t.Error(err)
	}
	wantNames(t, folder, "file")
	t.Chdir(folder)
	for _, path := range []string{".", ""} {
		if err := CheckFolder(path); err != nil {
			t.Error(err)
		}
	}
	wantError(t, CheckFolder(file), file+" cannot be written: "+file+" is not a folder")
	none := filepath.Join(folder, "none")
	wantError(t, CheckFolder(none), none+" cannot be written: there is no folder "+none)
	wantNames(t, folder, "file")
}

// A Write removes what earlier ones of the same file left behind, nobody else's files, and nothing that is being written.
func TestStale(t *testing.T) {
	if !locking || runtime.GOOS == "js" || runtime.GOOS == "plan9" {
		t.Skip("no locks")
	}
	folder, path := oldFile(t)
	for _, name := range []string{".file.0123456789abcdef" + suffix, ".file.fedcba9876543210" + suffix} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte("part"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	others := []string{
		"file",
		".file.0123456789abcde" + suffix,
		".file.0123456789abcdeg" + suffix,
		".file.0123456789ABCDEF" + suffix,
		".file.0123456789abcdef" + suffix + "~",
		".file2.0123456789abcdef" + suffix,
		"file.0123456789abcdef" + suffix,
		".file.x.0123456789abcdef" + suffix,
	}
	for _, name := range others[1:] {
		if err := os.WriteFile(filepath.Join(folder, name), []byte("other"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	aFolder := ".file.0000000000000000" + suffix
	if err := os.Mkdir(filepath.Join(folder, aFolder), 0o777); err != nil {
		t.Fatal(err)
	}
	others = append(others, aFolder)
	err := Write(t.Context(), path, func(w io.Writer) error {
		w.Write(make([]byte, 2*bufferSize))
		// A second one begins and ends while the first is at it.
		if err := Write(t.Context(), path, text("second")); err != nil {
			return err
		}
		wantContent(t, path, "second")
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(path); err != nil || len(got) != 2*bufferSize {
		t.Errorf("%d bytes, %v", len(got), err)
	}
	wantNames(t, folder, others...)
}

// Many goroutines that write one file leave one of their contents.
func TestConcurrent(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("a file cannot be replaced there in the moment in which another call replaces it")
	}
	folder, path := oldFile(t)
	done := make(chan error)
	for i := range 8 {
		go func() {
			for range 10 {
				if err := Write(t.Context(), path, text(strings.Repeat(string(rune('a'+i)), 1000))); err != nil {
					done <- err
					return
				}
			}
			done <- nil
		}()
	}
	for range 8 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	got, err := os.ReadFile(path)
	if err != nil || len(got) != 1000 || strings.Trim(string(got), string(got[:1])) != "" {
		t.Errorf("%.20q…, %v", got, err)
	}
	wantNames(t, folder, "file")
}
