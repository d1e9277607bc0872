package plots

import (
	"fmt"
	"io"
	"math"
	"os"
	"runtime"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/linnet-ml/linnet/internal/budget"
	"golang.org/x/term"
)

// Text says how [WriteText] draws. The zero value suits where it writes to.
type Text struct {
	// Width is that of the whole in characters. The default is the terminal's, but at most 120, and 80 where the writer is
	// no terminal. Less than 40 is as 40.
	// A width for which the memory is too small is an error that wraps [tensor.ErrTooLarge].
	Width int
	// Characters are those of the locale by default.
	Characters Characters
	// Colour is Auto by default.
	Colour Colour
}

// Characters are what a diagram is made of. Either way training is o, and the best epoch X.
type Characters uint8

// The characters.
const (
	// LocaleCharacters are Braille where $LC_ALL, $LC_CTYPE or $LANG, the first of them that is set, names UTF-8. Where
	// none is set they are Braille in Windows Terminal. Else they are ASCII.
	LocaleCharacters Characters = iota
	// Braille draws the line with the dots of Unicode's Braille patterns, eight to a character.
	Braille
	// ASCII draws the line with + signs.
	ASCII
)

// Colour says whether a diagram has colours. It can be read without.
type Colour uint8

// When there are colours.
const (
	// AutoColour is WithColour on a terminal, unless $NO_COLOR is set or $TERM is "dumb", and WithoutColour elsewhere.
	AutoColour Colour = iota
	WithoutColour
	WithColour
)

const (
	textHeight             = 13 // rows of a diagram, those of whole labels apart
	labelEvery             = 4
	widthElsewhere         = 80
	widthLeast, widthMost  = 40, 120
	brailleWide, brailleUp = 2, 4 // dots of a character
	// columnBytes is about what a column of a panel takes while it is drawn, and in the text that is written.
	columnBytes = 128
)

// WriteText draws panels in characters, one below the other.
func WriteText(w io.Writer, t Text, panels ...Panel) error {
	if err := checkWriter(w); err != nil {
		return err
	}
	if t.Characters > ASCII || t.Colour > WithColour || t.Width < 0 {
		return fmt.Errorf("plots: %+v is no way to draw text", t)
	}
	if err := check(panels); err != nil {
		return err
	}
	t = t.settle(w, os.Getenv)
	if err := budget.Check("plots: panels by characters a line", columnBytes, len(panels), t.Width); err != nil {
		return err
	}
	left := 0
	for i := range panels {
		for _, l := range textLabels(&panels[i]) {
			left = max(left, len(l))
		}
	}
	var b strings.Builder
	for i := range panels {
		if i > 0 {
			b.WriteByte('\n')
		}
		t.draw(&b, &panels[i], left)
	}
	if _, err := io.WriteString(w, b.String()); err != nil {
		return fmt.Errorf("plots: %w", err)
	}
	return nil
}

// settle replaces the defaults by what the writer and the environment call for.
func (t Text) settle(w io.Writer, getenv func(string) string) Text {
	terminal, width := false, 0
	if f, ok := w.(*os.File); ok {
		terminal = term.IsTerminal(int(f.Fd()))
		if terminal {
			width, _, _ = term.GetSize(int(f.Fd()))
		}
	}
	windowsTerminal := getenv("WT_SESSION") != ""
	if t.Width == 0 {
		if t.Width = widthElsewhere; width > 0 {
			t.Width = min(width, widthMost)
		}
	}
	t.Width = max(t.Width, widthLeast)
	if t.Characters == LocaleCharacters {
		utf8, known := utf8Locale(getenv)
		if t.Characters = ASCII; utf8 || !known && windowsTerminal {
			t.Characters = Braille
		}
	}
	if t.Colour == AutoColour {
		t.Colour = WithoutColour
		// The older console of Windows shows the codes of colours as they are.
		if terminal && getenv("NO_COLOR") == "" && getenv("TERM") != "dumb" && (runtime.GOOS != "windows" || windowsTerminal) {
			t.Colour = WithColour
		}
	}
	return t
}

// utf8Locale tells whether the locale's characters are UTF-8, and whether there is a locale at all.
func utf8Locale(getenv func(string) string) (utf8, known bool) {
	for _, name := range []string{"LC_ALL", "LC_CTYPE", "LANG"} {
		if v := strings.ToUpper(getenv(name)); v != "" {
			return strings.Contains(v, "UTF-8") || strings.Contains(v, "UTF8"), true
		}
	}
	return false, false
}

// paint is what a character shows, from what is drawn below to what is drawn above.
type paint uint8

const (
	nothing paint = iota
	lineCell
	dotCell
	bothCell
	markCell
)

// grid is a diagram's characters, row by row.
type grid struct {
	columns int
	ascii   bool
	paints  []paint
	braille []uint8 // the dots of each character
}

// dots is how many dots lie in the whole grid.
func (g *grid) dots() (wide, high int) {
	if g.ascii {
		return g.columns, textHeight
	}
	return g.columns * brailleWide, textHeight * brailleUp
}

// place is the dot in which a value lies, both counted from 0 at the lower left.
func (g *grid) place(xs, ys interval, p point) (x, y int) {
	wide, high := g.dots()
	return int(math.Round(xs.at(p.x) * float64(wide-1))), int(math.Round(ys.at(p.y) * float64(high-1)))
}

func (g *grid) cell(x, y int) int {
	_, high := g.dots()
	y = high - 1 - y
	if g.ascii {
		return y*g.columns + x
	}
	return y/brailleUp*g.columns + x/brailleWide
}

// dot draws a dot of the line.
func (g *grid) dot(x, y int) {
	c := g.cell(x, y)
	g.paints[c] = lineCell
	if !g.ascii {
		_, high := g.dots()
		// Unicode counts the dots of a pattern down the left side and down the right one, the lowest two last.
		g.braille[c] |= [brailleUp][brailleWide]uint8{{0x01, 0x08}, {0x02, 0x10}, {0x04, 0x20}, {0x40, 0x80}}[(high-1-y)%brailleUp][x%brailleWide]
	}
}

// line draws the dots from one place to another.
func (g *grid) line(x0, y0, x1, y1 int) {
	n := max(abs(x1-x0), abs(y1-y0))
	if g.ascii {
		n = abs(x1 - x0) // one a column: a steep line is a stair without risers
	}
	for i := 0; i <= n; i++ {
		part := float64(i) / float64(max(n, 1))
		g.dot(x0+int(math.Round(part*float64(x1-x0))), y0+int(math.Round(part*float64(y1-y0))))
	}
	g.dot(x1, y1)
}

func abs(x int) int { return max(x, -x) }

// textLabels are the labels of a diagram's rows, some of them empty.
func textLabels(panel *Panel) []string {
	labels := make([]string, textHeight)
	training, validation := panel.points(panel.Training), panel.points(panel.Validation)
	if allGaps(training, validation) {
		return labels
	}
	ys := values(training, validation)
	// A tenth of what neighbouring rows differ by can be read.
	_, power := step((ys.high-ys.low)/(textHeight-1), 1)
	for row := 0; row < textHeight; row += labelEvery {
		v := ys.high - (ys.high-ys.low)*float64(row)/(textHeight-1)
		labels[row] = textLabel(v, max(math.Abs(ys.low), math.Abs(ys.high)), power-1)
	}
	return labels
}

// draw writes a panel, whose labels are as wide as left at most.
func (t Text) draw(b *strings.Builder, panel *Panel, left int) {
	training, validation := panel.points(panel.Training), panel.points(panel.Validation)
	best, marked := best(validation, panel.Better)
	xs, single := epochs(training, validation)
	ys := values(training, validation)
	labels := textLabels(panel)
	g := &grid{columns: t.Width - left - 4, ascii: t.Characters == ASCII}
	g.paints = make([]paint, g.columns*textHeight)
	g.braille = make([]uint8, g.columns*textHeight)
	ticks := epochTicks(xs, max(2, g.columns/8))
	if single {
		xs = interval{xs.low - 1, xs.low + 1}
	}

	from := point{y: math.NaN()}
	for _, p := range validation {
		if !p.gap() {
			x, y := g.place(xs, ys, p)
			if from.gap() {
				g.dot(x, y)
			} else {
				x0, y0 := g.place(xs, ys, from)
				g.line(x0, y0, x, y)
			}
		}
		from = p
	}
	for _, p := range training {
		if !p.gap() {
			c := g.cell(g.place(xs, ys, p))
			if g.paints[c] == lineCell || g.paints[c] == bothCell {
				g.paints[c] = bothCell
			} else {
				g.paints[c] = dotCell
			}
		}
	}
	if marked {
		g.paints[g.cell(g.place(xs, ys, best))] = markCell
	}

	fmt.Fprintf(b, "%s\n", cut(plain(panel.Title), t.Width))
	t.legend(b, panel, training, validation, best, marked)
	t.grid(b, g, labels, left)
	if allGaps(training, validation) {
		fmt.Fprintf(b, "%*s no finite values\n", left, "")
	}
	t.axis(b, g, xs, ticks, left)
}

// textLabel writes a value to a power of ten.
func textLabel(v, largest float64, power int) string {
	if largest >= 1e5 || power < -6 {
		return scientific(v, int(math.Floor(math.Log10(largest)))-power)
	}
	s := strconv.FormatFloat(v, 'f', max(0, -power), 64)
	if strings.Trim(s, "-0.") == "" {
		s = strings.TrimPrefix(s, "-")
	}
	return s
}

// The looks of each paint: its character in ASCII, and its colour in ECMA-48's numbers.
func (p paint) look() (character byte, colour string) {
	switch p {
	case lineCell:
		return '+', "94"
	case dotCell:
		return 'o', "36"
	case bothCell:
		return '*', "36"
	case markCell:
		return 'X', "1;91"
	}
	return ' ', ""
}

func (t Text) character(p paint, braille uint8) string {
	c, _ := p.look()
	switch {
	case p == lineCell && t.Characters == Braille:
		return string(rune(0x2800 + int(braille)))
	case p == bothCell && t.Characters == Braille:
		return "o" // the line goes on at its sides
	}
	return string(rune(c))
}

func (t Text) coloured(p paint, s string) string {
	if _, colour := p.look(); t.Colour == WithColour && colour != "" {
		return "\x1b[" + colour + "m" + s + "\x1b[0m"
	}
	return s
}

// legend writes the samples and their names, on as many lines as they need.
func (t Text) legend(b *strings.Builder, panel *Panel, training, validation []point, best point, marked bool) {
	column := 0
	add := func(p paint, sample, name string) {
		name = cut(plain(name), t.Width-utf8.RuneCountInString(sample)-1)
		n := utf8.RuneCountInString(sample) + 1 + utf8.RuneCountInString(name)
		if column > 0 {
			if column+3+n > t.Width {
				b.WriteByte('\n')
				column = 0
			} else {
				b.WriteString("   ")
				column += 3
			}
		}
		b.WriteString(t.coloured(p, sample) + " " + name)
		column += n
	}
	if len(training) > 0 {
		add(dotCell, "o", panel.Training.Name)
	}
	if len(validation) > 0 {
		sample := "+"
		if t.Characters == Braille {
			sample = "⠒⠒"
		}
		add(lineCell, sample, panel.Validation.Name)
	}
	if len(training) > 0 && len(validation) > 0 && t.Characters == ASCII {
		add(bothCell, "*", "both")
	}
	if marked {
		add(markCell, "X", bestName(best, panel.Better))
	}
	b.WriteByte('\n')
}

func (t Text) grid(b *strings.Builder, g *grid, labels []string, left int) {
	axis, axisLabel := "│", "┤"
	if t.Characters == ASCII {
		axis, axisLabel = "|", "|"
	}
	for row := range textHeight {
		edge := axis
		if labels[row] != "" {
			edge = axisLabel
		}
		fmt.Fprintf(b, "%*s %s", left, labels[row], edge)
		cells := g.paints[row*g.columns : (row+1)*g.columns]
		n := len(cells)
		for n > 0 && cells[n-1] == nothing {
			n--
		}
		for i := 0; i < n; {
			// Neighbours of one colour share its codes.
			p := cells[i]
			var s strings.Builder
			for ; i < n && cells[i] == p; i++ {
				s.WriteString(t.character(p, g.braille[row*g.columns+i]))
			}
			b.WriteString(t.coloured(p, s.String()))
		}
		b.WriteByte('\n')
	}
}

// axis writes the line below the diagram, and the epochs.
func (t Text) axis(b *strings.Builder, g *grid, xs interval, ticks []tick, left int) {
	corner, line, cross := "└", "─", "┬"
	if t.Characters == ASCII {
		corner, line, cross = "+", "-", "+"
	}
	below := make([]string, g.columns)
	for i := range below {
		below[i] = line
	}
	const title = "Epochs"
	names := []byte(strings.Repeat(" ", g.columns+2))
	free := 0
	for _, k := range ticks {
		column := int(math.Round(xs.at(k.value) * float64(g.columns-1)))
		begin := min(max(column-(len(k.label)-1)/2, 0), len(names)-len(k.label))
		if begin < free { // it would touch the one before
			continue
		}
		below[column] = cross
		copy(names[begin:], k.label)
		free = begin + len(k.label) + 1
	}
	fmt.Fprintf(b, "%*s %s%s\n", left, "", corner, strings.Join(below, ""))
	fmt.Fprintf(b, "%*s  %s\n", left, "", strings.TrimRight(string(names), " "))
	fmt.Fprintf(b, "%*s  %*s\n", left, "", (g.columns+len(title))/2, title)
}

// cut is s, shortened to a number of characters.
func cut(s string, n int) string {
	if utf8.RuneCountInString(s) <= n {
		return s
	}
	return string([]rune(s)[:max(0, n-3)]) + "..."
}
