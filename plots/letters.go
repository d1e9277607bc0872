package plots

import (
	"fmt"
	"math"

	"codeberg.org/go-fonts/liberation/liberationsansregular"
	"golang.org/x/image/font"
	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"
	"gonum.org/v1/plot/vg"
)

// letters turns texts into outlines. Drawn so they are the same in every picture and need no font in who looks at it.
// One goroutine may use it.
type letters struct {
	font *sfnt.Font
	unit fixed.Int26_6 // of the outlines: an em
	buf  sfnt.Buffer
}

func newLetters() (*letters, error) {
	f, err := sfnt.Parse(liberationsansregular.TTF)
	if err != nil {
		return nil, fmt.Errorf("plots: font: %w", err)
	}
	return &letters{font: f, unit: fixed.I(int(f.UnitsPerEm()))}, nil
}

// each calls f with every letter of s and where it begins, in ems, and returns where the last one ends.
func (l *letters) each(s string, f func(g sfnt.GlyphIndex, x float64)) float64 {
	var x fixed.Int26_6
	var before sfnt.GlyphIndex
	for i, r := range s {
		// Errors here mean that the font lacks a table or a letter, and the letter is left out.
		g, err := l.font.GlyphIndex(&l.buf, r)
		if err != nil {
			continue
		}
		if i > 0 {
			if kern, err := l.font.Kern(&l.buf, before, g, l.unit, font.HintingNone); err == nil {
				x += kern
			}
		}
		if f != nil {
			f(g, float64(x)/float64(l.unit))
		}
		if advance, err := l.font.GlyphAdvance(&l.buf, g, l.unit, font.HintingNone); err == nil {
			x += advance
		}
		before = g
	}
	return float64(x) / float64(l.unit)
}

// width is how wide s is in a size, in points.
func (l *letters) width(s string, size vg.Length) vg.Length { return size * vg.Length(l.each(s, nil)) }

// fit is s, shortened with an ellipsis until it is no wider than a length.
func (l *letters) fit(s string, size, most vg.Length) string {
	if l.width(s, size) <= most {
		return s
	}
	runes := []rune(s)
	n := min(len(runes), 1000)
	for ; n > 0 && l.width(string(runes[:n])+"…", size) > most; n-- {
	}
	return string(runes[:n]) + "…"
}

// outline is the path of s, beginning at a place on its base line. Upwards it is turned by a quarter to the left.
func (l *letters) outline(s string, size vg.Length, at vg.Point, upwards bool) vg.Path {
	var path vg.Path
	l.each(s, func(g sfnt.GlyphIndex, x float64) {
		segments, err := l.font.LoadGlyph(&l.buf, g, l.unit, nil)
		if err != nil {
			return
		}
		place := func(p fixed.Point26_6) vg.Point {
			along := size * vg.Length(x+float64(p.X)/float64(l.unit))
			up := -size * vg.Length(float64(p.Y)/float64(l.unit)) // fonts count downwards
			if upwards {
				return round(vg.Point{X: at.X - up, Y: at.Y + along})
			}
			return round(vg.Point{X: at.X + along, Y: at.Y + up})
		}
		for i, s := range segments {
			switch s.Op {
			case sfnt.SegmentOpMoveTo:
				if i > 0 {
					path.Close()
				}
				path.Move(place(s.Args[0]))
			case sfnt.SegmentOpLineTo:
				path.Line(place(s.Args[0]))
			case sfnt.SegmentOpQuadTo:
				path.QuadTo(place(s.Args[0]), place(s.Args[1]))
			case sfnt.SegmentOpCubeTo:
				path.CubeTo(place(s.Args[0]), place(s.Args[1]), place(s.Args[2]))
			}
		}
		if len(segments) > 0 {
			path.Close()
		}
	})
	return path
}

// round keeps a hundredth of a point: enough for the eye, and SVG files stay small.
func round(p vg.Point) vg.Point {
	return vg.Point{X: vg.Length(math.Round(float64(p.X)*100) / 100), Y: vg.Length(math.Round(float64(p.Y)*100) / 100)}
}
