//go:build race

package exampletest

// Race tells whether the race detector is on, under which nobody trains for long.
const Race = true
