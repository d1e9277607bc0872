// Package plainfile opens the files that a user names. What lies under a name may be anything: a named pipe that nobody writes
// to, a device that never ends, a file of a terabyte without content. Here it is a plain file of a size that its reader can
// take, or an error at once.
//
// Every package that reads files opens them here, or maps them with package internal/mapfile, which opens them here:
//
//	f, err := plainfile.Open(ctx, path, maxIndex)
//	if err != nil {
//		return err // it names the path
//	}
//	defer f.Close()
package plainfile
