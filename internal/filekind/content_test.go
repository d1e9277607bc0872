package filekind

import (
	"strings"
	"testing"
)

// heads are the first bytes of files of each kind that Content knows.
var heads = map[string]string{
	"a zip archive":                                 "PK\x03\x04\x14\x00",
	"a zip archive without files":                   "PK\x05\x06\x00\x00",
	"data packed by gzip":                           "\x1f\x8b\x08\x00",
	"data packed by zstd":                           "\x28\xb5\x2f\xfd\x04\x00",
	"data packed by bzip2":                          "BZh91AY&SY\x00",
	"data packed by xz; unpack it first":            "\xfd7zXZ\x00\x00\x04",
	"a 7z archive; unpack it first":                 "7z\xbc\xaf\x27\x1c\x00",
	"a RAR archive; unpack it first":                "Rar!\x1a\x07\x01",
	"data packed by lz4; unpack it first":           "\x04\x22\x4d\x18\x64",
	"data packed by compress (.Z); unpack it first": "\x1f\x9d\x90",
	"an array of NumPy (.npy)":                      "\x93NUMPY\x01\x00v\x00{'descr'",
	"an HDF5 file (.h5)":                            "\x89HDF\r\n\x1a\n\x00",
	"an SQLite database":                            "SQLite format 3\x00\x10",
	"a GGUF file":                                   "GGUF\x03\x00",
	"a Parquet file":                                "PAR1\x15",
	"an Arrow file":                                 "ARROW1\x00\x00",
	"a PDF document":                                "%PDF-1.7\n",
	"a PNG picture":                                 "\x89PNG\r\n\x1a\n\x00",
	"a JPEG picture":                                "\xff\xd8\xff\xe0\x00\x10JFIF",
	"a GIF picture":                                 "GIF89a\x01\x00",
	"a program (ELF)":                               "\x7fELF\x02",
	"a program (Mach-O)":                            "\xcf\xfa\xed\xfe\x07",
	"a program (Windows)":                           "MZ\x90\x00\x03",
	"a tar archive; unpack it first":                "glove.txt" + strings.Repeat("\x00", 248) + "ustar\x0000",
	"a pickle of Python":                            "\x80\x04\x95\x10\x00\x00\x00\x00\x00\x00\x00}",
	"a text in UTF-16; convert it to UTF-8":         "\xff\xfet\x00h\x00",
	"a web page, maybe one that says why there is no download":                                      "\xef\xbb\xbf\r\n<!DOCTYPE html>\n<html>",
	"a pointer of Git LFS, which stands for a file that was not downloaded; git lfs pull brings it": "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n",
}

func TestContent(t *testing.T) {
	for want, head := range heads {
		if got := Content([]byte(head)); got != want {
			t.Errorf("%.20q is %q, want %q", head, got, want)
		}
		for n := range head { // no part of a head makes it fail
			Content([]byte(head[:n]))
		}
	}
	for _, s := range signatures { // each has its row above
		if _, ok := heads[s.name]; !ok {
			t.Errorf("no test for %s", s.name)
		}
	}
	for _, text := range []string{
		"", "the 0.1 0.2\n", "3 2\nthe 1 2\n", "BZh 1 2\n", "PK 1 2\n", "\xff\xfe 1 2\n", "\x80 1 2\n", "<html_tag> 1 2\n", "version 1 2\n",
		"Rar! 1 2\n", "7z 1 2\n", "PAR 1 2\n", strings.Repeat("x", 300), "\xef\xbb\xbfthe 1 2\n",
	} {
		if got := Content([]byte(text)); got != "" {
			t.Errorf("%.20q is taken for %s", text, got)
		}
	}
}
