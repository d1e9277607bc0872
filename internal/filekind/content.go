package filekind

import (
	"bytes"
	"strings"
)

// signatures are the first bytes of kinds of files that nobody takes for text, with what an error calls them.
var signatures = []struct{ magic, name string }{
	{"PK\x03\x04", "a zip archive"},
	{"PK\x05\x06", "a zip archive without files"},
	{"\x1f\x8b", "data packed by gzip"},
	{"\x28\xb5\x2f\xfd", "data packed by zstd"},
	{"BZh", "data packed by bzip2"}, // see IsBzip2
	{"\xfd7zXZ\x00", "data packed by xz; unpack it first"},
	{"7z\xbc\xaf\x27\x1c", "a 7z archive; unpack it first"},
	{"Rar!\x1a\x07", "a RAR archive; unpack it first"},
	{"\x04\x22\x4d\x18", "data packed by lz4; unpack it first"},
	{"\x1f\x9d", "data packed by compress (.Z); unpack it first"},
	{"\x93NUMPY", "an array of NumPy (.npy)"},
	{"\x89HDF\r\n\x1a\n", "an HDF5 file (.h5)"},
	{"SQLite format 3\x00", "an SQLite database"},
	{"GGUF", "a GGUF file"},
	{"PAR1", "a Parquet file"},
	{"ARROW1\x00\x00", "an Arrow file"},
	{"%PDF-", "a PDF document"},
	{"\x89PNG\r\n\x1a\n", "a PNG picture"},
	{"\xff\xd8\xff", "a JPEG picture"},
	{"GIF87a", "a GIF picture"},
	{"GIF89a", "a GIF picture"},
	{"\x7fELF", "a program (ELF)"},
	{"\xcf\xfa\xed\xfe", "a program (Mach-O)"},
	{"MZ\x90\x00", "a program (Windows)"},
}

// Content says what the content of a file that should have been another is, by its first bytes, for errors: "a zip
// archive", "a web page". It returns "" for what it does not know, and for every text that is not a web page or a pointer
// of Git LFS. Of head 512 bytes are enough.
func Content(head []byte) string {
	for _, s := range signatures {
		if strings.HasPrefix(string(head[:min(len(head), len(s.magic))]), s.magic) && (s.magic != "BZh" || IsBzip2(head)) {
			return s.name
		}
	}
	switch {
	case len(head) >= 262 && string(head[257:262]) == "ustar":
		return "a tar archive; unpack it first"
	case len(head) >= 3 && head[0] == 0x80 && 2 <= head[1] && head[1] <= 5 && isPickleCode(head[2]):
		return "a pickle of Python"
	case len(head) >= 4 && (head[0] == 0xff && head[1] == 0xfe && head[3] == 0 || head[0] == 0xfe && head[1] == 0xff && head[2] == 0):
		return "a text in UTF-16; convert it to UTF-8"
	case bytes.HasPrefix(head, []byte("version https://git-lfs.github.com/spec/")):
		return "a pointer of Git LFS, which stands for a file that was not downloaded; git lfs pull brings it"
	case isPage(head):
		return "a web page, maybe one that says why there is no download"
	}
	return ""
}

// IsBzip2 tells whether a file that begins with head is packed by bzip2.
func IsBzip2(head []byte) bool {
	return len(head) >= 10 && string(head[:3]) == "BZh" && '1' <= head[3] && head[3] <= '9' &&
		(string(head[4:10]) == "1AY&SY" || string(head[4:10]) == "\x17rE8P\x90") // a block, or the end of nothing
}

// isPickleCode tells whether a pickle of protocol 2 or later may begin with a code: a frame, or what objects begin with.
func isPickleCode(c byte) bool { return strings.IndexByte("\x95}](cXCBUNKGJMq\x8a\x8c\x8f)", c) >= 0 }

// isPage tells whether a file begins as a page of HTML does.
func isPage(head []byte) bool {
	head = bytes.TrimLeft(bytes.TrimPrefix(head, []byte("\xef\xbb\xbf")), " \t\r\n")
	begins := func(s string) bool { return len(head) >= len(s) && strings.EqualFold(string(head[:len(s)]), s) }
	return begins("<!doctype html") || begins("<html>") || begins("<html ") || begins("<head>") || begins("<?xml ")
}
