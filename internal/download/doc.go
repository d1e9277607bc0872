// Package download brings files from the network into a folder that all of linnet shares.
//
//	folder, err := download.Folder()
//	path, err := download.Fetch(ctx, folder, download.File{URL: url, Size: 84125825, SHA256: sum}, download.Options{})
//
// A file is there under its name only when it is whole: until then its bytes lie in NAME.part, which a later call goes
// on with, and NAME.part.json beside it says what they are the beginning of. Two processes that want the same file do
// not disturb each other: one downloads, the other waits and takes what it finds.
//
// Nothing that a server says is trusted: not the length it names, nor that the rest of a file belongs to its beginning.
package download
