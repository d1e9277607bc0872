package callbacks_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/linnet-ml/linnet/callbacks"
	"github.com/linnet-ml/linnet/loss"
	"github.com/linnet-ml/linnet/nn"
	"github.com/linnet-ml/linnet/nn/plan"
	"github.com/linnet-ml/linnet/optim"
)

// A path that cannot be written is found before the first batch, not after an epoch.
func TestPathsThatCannotBeWritten(t *testing.T) {
	checkpoint := func(path string) nn.Callback { return callbacks.ModelCheckpoint{Path: path, Format: format} }
	backup := func(path string) nn.Callback { return callbacks.BackupAndRestore{Path: path, Format: format} }
	for name, c := range map[string]struct {
		callback   func(path string) nn.Callback
		path, want string // DIR is the folder
		locked     bool   // nothing can be made in DIR/locked
	}{
		"a folder":                          {checkpoint, "DIR", "callbacks: ModelCheckpoint: DIR is a folder", false},
		"a backup at a folder":              {backup, "DIR", "callbacks: BackupAndRestore: the backup DIR: DIR is a folder", false},
		"in a file":                         {checkpoint, "DIR/file/x", "callbacks: ModelCheckpoint: ", false},
		"a backup in a file":                {backup, "DIR/file/x", "callbacks: BackupAndRestore: the backup DIR/file/x: ", false},
		"fields, in a file":                 {checkpoint, "DIR/file/{epoch}-{loss:.2f}", "callbacks: ModelCheckpoint: ", false},
		"folders with fields, in a file":    {checkpoint, "DIR/file/{epoch}/x", "callbacks: ModelCheckpoint: ", false},
		"braces":                            {checkpoint, "DIR/{{braces}}", "callbacks: ModelCheckpoint: DIR/{braces} is a folder", false},
		"a locked folder":                   {checkpoint, "DIR/locked/x", "callbacks: ModelCheckpoint: DIR/locked/x cannot be written: no permission", true},
		"a backup in a locked folder":       {backup, "DIR/locked/x", "callbacks: BackupAndRestore: the backup DIR/locked/x: DIR/locked/x cannot be written: no permission", true},
		"fields in a locked folder":         {checkpoint, "DIR/locked/{epoch}", "callbacks: ModelCheckpoint: DIR/locked cannot be written: no permission", true},
		"a folder to make in a locked one":  {checkpoint, "DIR/locked/new/{epoch}", "callbacks: ModelCheckpoint: mkdir DIR/locked/new: permission denied", true},
		"a name that is longer than a name": {checkpoint, "DIR/" + strings.Repeat("x", 300), "callbacks: ModelCheckpoint: ", false},
	} {
		t.Run(name, func(t *testing.T) {
			folder := t.TempDir()
			in := func(s string) string { return strings.ReplaceAll(filepath.FromSlash(s), "DIR", folder) }
			for _, err := range []error{os.WriteFile(in("DIR/file"), []byte("old"), 0o600), os.Mkdir(in("DIR/{braces}"), 0o777), os.Mkdir(in("DIR/locked"), 0o555)} {
				if err != nil {
					t.Fatal(err)
				}
			}
			if probe := in("DIR/locked/probe"); c.locked && os.WriteFile(probe, nil, 0o600) == nil {
				t.Skip("this user may write everywhere")
			}
			batches := 0
			model, data := line()
			_, err := model.Fit(t.Context(), data, nn.FitOptions{Optimizer: optim.SGD{LearningRate: 0.1}, Loss: loss.MeanSquaredError{}, Epochs: 2,
				Callbacks: []nn.Callback{c.callback(in(c.path)), plan.CallbackFunc(func(e plan.Event, _ plan.Training) error {
					if e == plan.BatchBegin {
						batches++
					}
					return nil
				})}})
			if err == nil || !strings.HasPrefix(err.Error(), in(c.want)) || batches > 0 {
				t.Errorf("after %d batches: %v", batches, err)
			}
			if names, err := os.ReadDir(folder); err != nil || len(names) != 3 {
				t.Errorf("the folder has %v, %v", names, err)
			}
		})
	}
}
