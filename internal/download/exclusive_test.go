package download

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// One holds the lock, the other waits for it and can give up.
func TestLock(t *testing.T) {
	name := filepath.Join(t.TempDir(), "x.lock")
	release, err := Lock(t.Context(), name, func() { t.Error("the first has to wait") })
	if errors.Is(err, errors.ErrUnsupported) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	if _, err := Lock(ctx, name, cancel); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	waited, free := make(chan bool, 1), make(chan error)
	go func() {
		again, err := Lock(t.Context(), name, func() {
			select {
			case waited <- true:
			default:
			}
		})
		if err == nil {
			again()
		}
		free <- err
	}()
	<-waited
	release()
	if err := <-free; err != nil {
		t.Error(err)
	}
	wantNames(t, filepath.Dir(name))
	if _, err := Lock(t.Context(), filepath.Join(name, "none", "x.lock"), nil); err == nil {
		t.Error("no error without the folder")
	}
}

func TestArrived(t *testing.T) {
	file := filepath.Join(t.TempDir(), "x")
	if n, ok := Arrived(file); n != 0 || ok {
		t.Error(n, ok)
	}
	if err := os.WriteFile(file+".part", []byte("hello"), 0o666); err != nil {
		t.Fatal(err)
	}
	if n, ok := Arrived(file); n != 5 || !ok {
		t.Error(n, ok)
	}
}
