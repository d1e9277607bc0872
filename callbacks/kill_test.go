package callbacks_test

import (
	"encoding/gob"
	"errors"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/linnet-ml/linnet/nn/plan"
)

// killFolder is set in the environment of a process that trains to be killed.
const killFolder = "LINNET_TEST_KILL_FOLDER"

// killTask is what such a process trains: some hundred batches, each of which takes a millisecond.
func killTask() task {
	k := tasks()["ReduceLROnPlateau"]
	k.rows, k.every = 60, 3
	k.last = plan.CallbackFunc(func(e plan.Event, _ plan.Training) error {
		if e == plan.BatchBegin {
			time.Sleep(time.Millisecond)
		}
		return nil
	})
	return k
}

// TestChildOfKills is the process that is killed. On its own it does nothing.
func TestChildOfKills(t *testing.T) {
	folder := os.Getenv(killFolder)
	if folder == "" {
		t.Skip("it is for the test of kills")
	}
	got, err := train(t.Context(), filepath.Join(folder, "training"), killTask())
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.Create(filepath.Join(folder, "outcome.tmp"))
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(gob.NewEncoder(f).Encode(got), f.Close(), os.Rename(f.Name(), filepath.Join(folder, "outcome"))); err != nil {
		t.Fatal(err)
	}
}

// A process that trains is killed (kill -9) at random moments, and the same command is started again until it ends. It ends
// as one that was never disturbed, to the bit.
func TestKilledProcessesGoOn(t *testing.T) {
	if testing.Short() {
		t.Skip("it starts many processes")
	}
	if runtime.GOOS == "js" || runtime.GOOS == "wasip1" {
		t.Skip("there are no processes")
	}
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	kills := 20
	if thorough() {
		kills = 200
	}
	// start starts the process, and kills it after a time unless that is 0. It reports whether the process ended by itself.
	start := func(folder string, after time.Duration) bool {
		t.Helper()
		c := exec.Command(program, "-test.run=^TestChildOfKills$", "-test.count=1")
		c.Env = append(os.Environ(), killFolder+"="+folder)
		out, err := os.Create(filepath.Join(folder, "output"))
		if err != nil {
			t.Fatal(err)
		}
		defer out.Close()
		c.Stdout, c.Stderr = out, out
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		killed := make(chan bool, 1)
		timer := time.AfterFunc(max(after, time.Nanosecond), func() { killed <- after > 0 && c.Process.Kill() == nil })
		err = c.Wait()
		dead := !timer.Stop() && <-killed
		if err != nil && !dead {
			text, _ := os.ReadFile(out.Name())
			t.Fatalf("%v\n%s", err, text)
		}
		return err == nil
	}
	folderOf := func() string {
		folder := t.TempDir()
		if err := os.Mkdir(filepath.Join(folder, "training"), 0o700); err != nil {
			t.Fatal(err)
		}
		return folder
	}
	read := func(folder string) (o outcome) {
		t.Helper()
		f, err := os.Open(filepath.Join(folder, "outcome"))
		if err == nil {
			err = errors.Join(gob.NewDecoder(f).Decode(&o), f.Close())
		}
		if err != nil {
			t.Fatal(err)
		}
		return o
	}
	whole := folderOf()
	begin := time.Now()
	if !start(whole, 0) {
		t.Fatal("it does not end")
	}
	takes := time.Since(begin)
	want := read(whole)
	random := rand.New(rand.NewPCG(7, 7))
	trainings, goneOn := 0, 0
	for n := 0; n < kills; trainings++ {
		folder := folderOf()
		for {
			after := time.Millisecond + time.Duration(random.Int64N(int64(takes)))
			if n >= kills {
				after = 0
			}
			if start(folder, after) {
				break
			}
			n++
			if _, err := os.Stat(filepath.Join(folder, "training", "backup")); err == nil {
				goneOn++
			}
		}
		got := read(folder)
		got.Files = withoutTemporary(got.Files)
		if d := cmp.Diff(want, got); d != "" {
			t.Fatalf("training %d, after %d kills: %s", trainings, n, d)
		}
	}
	if goneOn < kills/4 {
		t.Errorf("%d of %d kills came after a backup", goneOn, kills)
	}
	t.Logf("%d trainings, %d kills, %d of them after a backup", trainings, kills, goneOn)
}

// withoutTemporary leaves out the files that a process which was killed while it saved has left. The next file of the
// name replaces them here; a format may leave others.
func withoutTemporary(files []string) []string {
	return slices.DeleteFunc(files, func(name string) bool { return strings.Contains(name, ".tmp") })
}
