//go:build race

package classifier

func init() { raceDetector = true }
