// Package platforms lists the platforms that a release has binaries for.
package platforms

// A Platform is an operating system and an architecture, as Go names them.
type Platform struct{ OS, Arch string }

func (p Platform) String() string { return p.OS + "/" + p.Arch }

// Environ returns the variables that make the go command build for p, without cgo.
func (p Platform) Environ() []string {
	return []string{"GOOS=" + p.OS, "GOARCH=" + p.Arch, "CGO_ENABLED=0"}
}

// Released are the platforms of a release.
var Released = []Platform{
	{"linux", "amd64"}, {"linux", "arm64"}, {"linux", "386"},
	{"darwin", "amd64"}, {"darwin", "arm64"},
	{"windows", "amd64"}, {"windows", "arm64"},
	{"freebsd", "amd64"},
}
