//go:build !unix

package linnet_test

import "errors"

func makePipe(string) error { return errors.ErrUnsupported }
