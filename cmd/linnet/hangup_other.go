//go:build !unix

package main

// ignoreHangup does nothing: there is no SIGHUP.
func ignoreHangup() {}
