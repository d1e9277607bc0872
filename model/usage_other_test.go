//go:build !unix

package model_test

import "time"

var began = time.Now()

// spent stands for the processor time that this process has used.
func spent() time.Duration { return time.Since(began) }
