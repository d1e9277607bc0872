package plots

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"html"
	"image/png"
	"io"
	"path/filepath"
	"reflect"
	"strings"

	"gonum.org/v1/plot/vg/vgimg"
	"gonum.org/v1/plot/vg/vgsvg"

	"github.com/linnet-ml/linnet/internal/atomicfile"
	"github.com/linnet-ml/linnet/internal/shown"
)

// Format is a kind of picture.
type Format uint8

// The formats.
const (
	PNG Format = iota // with two pixels a point
	SVG
)

// resolution of a PNG in pixels an inch: two a point.
const resolution = 144

// FormatOf tells the format by the ending of a file's name, .png or .svg in small or capital letters.
func FormatOf(path string) (Format, error) {
	switch ext := filepath.Ext(path); strings.ToLower(ext) {
	case ".png":
		return PNG, nil
	case ".svg":
		return SVG, nil
	default:
		return 0, shown.Errorf("plots: %s ends neither in .png nor in .svg", path)
	}
}

// Write draws panels as one picture, in rows of two. A panel is 460 by 350 points, a point of PNG two pixels wide.
func Write(w io.Writer, f Format, panels ...Panel) error {
	if err := checkWriter(w); err != nil {
		return err
	}
	picture, err := render(f, panels)
	if err != nil {
		return err
	}
	if _, err := w.Write(picture); err != nil {
		return fmt.Errorf("plots: %w", err)
	}
	return nil
}

// WriteFile is [Write] into a file, in the format that [FormatOf] tells. At any moment there is the old file or the whole
// new one under the name.
func WriteFile(path string, panels ...Panel) error {
	f, err := FormatOf(path)
	if err != nil {
		return err
	}
	picture, err := render(f, panels)
	if err != nil {
		return err
	}
	err = atomicfile.Write(context.Background(), path, func(w io.Writer) error {
		_, err := w.Write(picture)
		return err
	})
	if err != nil {
		return fmt.Errorf("plots: %w", err)
	}
	return nil
}

// Terminal is what [Check] and [Draw] take for a file's name when text is wanted.
const Terminal = "-"

// Check finds out, before a training and not after it, whether [Draw] will find something wrong with a file's name: an
// ending that is no format, a folder that is missing or may not be written to.
func Check(path string) error {
	if path == Terminal {
		return nil
	}
	if _, err := FormatOf(path); err != nil {
		return err
	}
	if err := atomicfile.Check(path); err != nil {
		return fmt.Errorf("plots: %w", err)
	}
	return nil
}

// Draw does what a program's flag asks for: with the name of a file it is [WriteFile], with [Terminal] it is [WriteText]
// to stdout with the default settings.
func Draw(path string, stdout io.Writer, panels ...Panel) error {
	if path == Terminal {
		return WriteText(stdout, Text{}, panels...)
	}
	return WriteFile(path, panels...)
}

// checkWriter returns an error for a writer that is nil or a nil pointer.
func checkWriter(w io.Writer) error {
	if v := reflect.ValueOf(w); w == nil || v.Kind() == reflect.Pointer && v.IsNil() {
		return errors.New("plots: the writer is nil")
	}
	return nil
}

func render(f Format, panels []Panel) ([]byte, error) {
	if f > SVG {
		return nil, fmt.Errorf("plots: there is no format %d", f)
	}
	if err := check(panels); err != nil {
		return nil, err
	}
	l, err := newLetters()
	if err != nil {
		return nil, err
	}
	w, h := figureSize(len(panels))
	if f == SVG {
		c := vgsvg.New(w, h)
		drawFigure(c, l, panels)
		var b bytes.Buffer
		if _, err := c.WriteTo(&b); err != nil {
			return nil, fmt.Errorf("plots: %w", err)
		}
		return titled(b.Bytes(), panels), nil
	}
	c := vgimg.NewWith(vgimg.UseWH(w, h), vgimg.UseDPI(resolution))
	drawFigure(c, l, panels)
	var b bytes.Buffer
	if err := png.Encode(&b, c.Image()); err != nil {
		return nil, fmt.Errorf("plots: %w", err)
	}
	return withResolution(b.Bytes()), nil
}

// titled puts the panels' titles into an SVG, for those who search it or have it read to them: the letters are outlines.
func titled(svg []byte, panels []Panel) []byte {
	titles := make([]string, len(panels))
	for i, p := range panels {
		titles[i] = plain(p.Title)
	}
	end := bytes.Index(svg, []byte("<svg"))
	end += bytes.IndexByte(svg[end:], '>') + 1
	out := bytes.Clone(svg[:end])
	out = fmt.Appendf(out, "\n<title>%s</title>", html.EscapeString(strings.Join(titles, "; ")))
	return append(out, svg[end:]...)
}

// withResolution puts a PNG's resolution after its first chunk, so that documents show it in its right size.
func withResolution(image []byte) []byte {
	const header = 8 + 4 + 4 + 13 + 4 // the signature, and the chunk IHDR: length, name, content, check sum
	const perMetre = (resolution*10000 + 127) / 254
	chunk := []byte{0, 0, 0, 9}
	chunk = append(chunk, "pHYs"...)
	chunk = binary.BigEndian.AppendUint32(chunk, perMetre)
	chunk = binary.BigEndian.AppendUint32(chunk, perMetre)
	chunk = append(chunk, 1) // metres
	chunk = binary.BigEndian.AppendUint32(chunk, crc32.ChecksumIEEE(chunk[4:]))
	out := append(bytes.Clone(image[:header]), chunk...)
	return append(out, image[header:]...)
}
