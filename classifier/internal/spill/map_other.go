//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd)

package spill

import (
	"errors"
	"os"
)

const canMap = false

func unnamed() (*os.File, error) { return nil, errors.ErrUnsupported }

func mapFile(*os.File, int) ([]byte, error) { return nil, errors.ErrUnsupported }

func unmap([]byte) error { return errors.ErrUnsupported }
