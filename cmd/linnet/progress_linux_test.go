package main

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/sys/unix"
)

// terminal opens a terminal of 40 columns: what is written to the second file is read from the first.
func terminal(t *testing.T) (control, tty *os.File) {
	t.Helper()
	control, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skip(err)
	}
	t.Cleanup(func() { control.Close() })
	fd := int(control.Fd())
	n, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err == nil {
		err = unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0)
	}
	if err == nil {
		err = unix.IoctlSetWinsize(fd, unix.TIOCSWINSZ, &unix.Winsize{Row: 24, Col: 40})
	}
	if err == nil {
		tty, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	}
	if err != nil {
		t.Skip(err)
	}
	return control, tty
}

// On a terminal of 40 columns the line is drawn in its place and is gone at the end; with --json nothing is drawn.
func TestTerminal(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.WriteFile("slow.csv", []byte(slow()), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, asJSON := range []bool{false, true} {
		control, tty := terminal(t)
		args := []string{"train", "slow.csv", "-o", "out.linnet"}
		if asJSON {
			args = append(args, "--json")
		}
		cmd := exec.Command("linnet", args...)
		cmd.Env = append(os.Environ(), "TERM=xterm")
		cmd.Stderr = tty
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		tty.Close()
		read := make(chan string)
		go func() {
			var b strings.Builder
			buffer := make([]byte, 4096)
			for {
				n, err := control.Read(buffer)
				b.Write(buffer[:n])
				if strings.Count(b.String(), "\rcomparing ") >= 3 {
					cmd.Process.Signal(os.Interrupt) // enough was drawn
				}
				if err != nil {
					read <- b.String()
					return
				}
			}
		}()
		enough := time.Minute // for the slowest machine
		if asJSON {
			enough = 2 * time.Second
		}
		timer := time.AfterFunc(enough, func() { cmd.Process.Signal(os.Interrupt) })
		cmd.Wait()
		timer.Stop()
		said := <-read
		drawn := 0
		for line := range strings.SplitSeq(strings.ReplaceAll(said, "\r\n", "\n"), "\n") {
			for i, part := range strings.Split(line, "\r") {
				if strings.ContainsFunc(part, func(r rune) bool { return !unicode.IsPrint(r) }) {
					t.Errorf("control characters in %q", part)
				}
				if i > 0 && (strings.HasPrefix(part, "reading ") || strings.HasPrefix(part, "comparing ")) {
					drawn++
					if n := utf8.RuneCountInString(part); n > 39 {
						t.Errorf("%d characters on a terminal of 40: %q", n, part)
					}
				}
			}
		}
		if asJSON {
			if drawn > 0 {
				t.Errorf("drawn with --json: %q", said)
			}
			continue
		}
		if !strings.Contains(said, "\rcomparing recipes 1 of ~") || drawn < 3 {
			t.Errorf("%q", said)
		}
	}
}
