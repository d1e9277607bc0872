package plots

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"flag"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/linnet-ml/linnet/history"
)

var update = flag.Bool("update", false, "write the expected texts anew")

// logged makes a history.
func logged(t *testing.T, names []string, values ...[]float64) *history.History {
	t.Helper()
	var b strings.Builder
	for i := range values[0] {
		fmt.Fprintf(&b, "%d,", i)
	}
	text := `{"epoch":[` + strings.TrimSuffix(b.String(), ",") + `],"history":{`
	for i, name := range names {
		numbers, err := json.Marshal(values[i])
		if err != nil {
			t.Fatal(err)
		}
		text += fmt.Sprintf("%q:%s,", name, numbers)
	}
	h := new(history.History)
	if err := json.Unmarshal([]byte(strings.TrimSuffix(text, ",")+"}}"), h); err != nil {
		t.Fatal(err)
	}
	return h
}

// tutorial is a run that overfits: val_loss is lowest in epoch 12 of 40 (0.3), val_accuracy highest in epoch 20 (0.88).
func tutorial(t *testing.T, n int) []Panel {
	t.Helper()
	values := make([][]float64, 4)
	for i := range n {
		x := float64(i)
		values[0] = append(values[0], 0.7/(1+x/8))
		values[1] = append(values[1], 1-0.45/(1+x/6))
		values[2] = append(values[2], 0.3+0.002*(x-11)*(x-11)/(1+x/11))
		values[3] = append(values[3], 0.88-0.0007*(x-19)*(x-19))
	}
	p, err := Panels(logged(t, []string{"loss", "accuracy", "val_loss", "val_accuracy"}, values...), "loss", "accuracy")
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// What the history says of a name goes before what the name sounds like, also where it says it of the validation alone.
func TestDirectionOfHistory(t *testing.T) {
	one := []float64{1, 2}
	h := logged(t, []string{"hits", "no_error", "val_no_error", "accuracy"}, one, one, one, one)
	h.SetDirection("hits", history.HigherIsBetter)
	h.SetDirection("val_no_error", history.HigherIsBetter)
	panels, err := Panels(h)
	if err != nil {
		t.Fatal(err)
	}
	for i, p := range panels {
		if p.Better != history.HigherIsBetter {
			t.Errorf("panel %d, %s: direction %s, want higher", i, p.Title, p.Better)
		}
	}
	if len(panels) != 3 {
		t.Errorf("%d panels, want 3", len(panels))
	}
}

// Names, titles and legends are those of the Keras tutorials.
func TestPanels(t *testing.T) {
	p := tutorial(t, 3)
	for i, want := range []struct {
		title, label, training, validation string
		better                             history.Direction
	}{
		{"Training and validation loss", "Loss", "Training loss", "Validation loss", history.LowerIsBetter},
		{"Training and validation accuracy", "Accuracy", "Training acc", "Validation acc", history.HigherIsBetter},
	} {
		if got := p[i]; got.Title != want.title || got.Label != want.label || got.Training.Name != want.training ||
			got.Validation.Name != want.validation || got.Better != want.better {
			t.Errorf("got %+v, want %+v", got, want)
		}
	}
	one := []float64{1, 2}
	h := logged(t, []string{"loss", "mean_error", "learning_rate", "val_loss", "val_other", "width"}, one, one, one, one, one, one)
	all, err := Panels(h)
	if err != nil {
		t.Fatal(err)
	}
	var titles []string
	for _, p := range all {
		titles = append(titles, fmt.Sprintf("%s %d", p.Title, p.Better))
	}
	if diff := cmp.Diff([]string{
		fmt.Sprintf("Training and validation loss %d", history.LowerIsBetter),
		fmt.Sprintf("Training mean error %d", history.LowerIsBetter),
		fmt.Sprintf("Learning rate %d", history.NoDirection),
		fmt.Sprintf("Validation other %d", history.NoDirection),
		fmt.Sprintf("Training width %d", history.NoDirection),
	}, titles); diff != "" {
		t.Error(diff)
	}
	if all[0].Validation.Values == nil || all[1].Validation.Values != nil || all[3].Training.Values != nil {
		t.Errorf("values went to the wrong place: %+v", all)
	}
}

func TestBadInput(t *testing.T) {
	fine := Panel{Training: Curve{"x", []float64{1, 2}}}
	for _, c := range []struct {
		panels []Panel
		want   string
	}{
		{nil, "plots: there are no panels"},
		{make([]Panel, 65), "plots: 65 panels are more than 64"},
		{[]Panel{fine, {Title: "T"}}, `plots: panel 1 ("T"): there are no epochs`},
		{[]Panel{{Epochs: []int{0}}}, `plots: panel 0 (""): there are no values`},
		{[]Panel{{Training: Curve{"a", []float64{1}}, Validation: Curve{"b", []float64{1, 2}}}}, `plots: panel 0 (""): "a" has 1 values for 2 epochs`},
		{[]Panel{{Epochs: []int{0, 1, 2}, Training: Curve{"a", []float64{1}}}}, `plots: panel 0 (""): "a" has 1 values for 3 epochs`},
		{[]Panel{{Epochs: []int{3, 3}, Training: Curve{"a", []float64{1, 2}}}}, `plots: panel 0 (""): epoch 3 at place 1 follows epoch 3: they must ascend`},
		{[]Panel{{Epochs: []int{-1, 3}, Training: Curve{"a", []float64{1, 2}}}}, `plots: panel 0 (""): epoch -1 at place 0 is not one that can be counted from 1`},
		{[]Panel{{Epochs: []int{math.MaxInt}, Training: Curve{"a", []float64{1}}}}, fmt.Sprintf(`plots: panel 0 (""): epoch %d at place 0 is not one that can be counted from 1`, math.MaxInt)},
		{[]Panel{{Training: fine.Training, Better: 9}}, `plots: panel 0 (""): direction 9 of Better is none`},
	} {
		for name, err := range map[string]error{
			"Write": Write(io.Discard, SVG, c.panels...), "WriteText": WriteText(io.Discard, Text{}, c.panels...),
			"WriteFile": WriteFile(filepath.Join(t.TempDir(), "x.png"), c.panels...),
		} {
			if err == nil || err.Error() != c.want {
				t.Errorf("%s: got %v, want %s", name, err, c.want)
			}
		}
	}
	h := logged(t, []string{"loss", "val_loss"}, []float64{1}, []float64{2})
	cut := logged(t, []string{"loss"}, []float64{1, 2})
	cut.Epochs = cut.Epochs[:1]
	for want, f := range map[string]func() ([]Panel, error){
		"plots: the history has no epochs":                             func() ([]Panel, error) { return Panels(new(history.History)) },
		"plots: the history has no epochs ":                            func() ([]Panel, error) { return Panels(nil) },
		`plots: "mae" is not in the history; there are loss, val_loss`: func() ([]Panel, error) { return Panels(h, "mae") },
		"plots: the history has epochs, but nothing was logged":        func() ([]Panel, error) { return Panels(&history.History{Epochs: []int{0}}) },
		`plots: the history's "loss": "Training loss" has 2 values for 1 epochs`: func() ([]Panel, error) {
			return Panels(cut, "loss")
		},
	} {
		if p, err := f(); p != nil || err == nil || err.Error() != strings.TrimSpace(want) {
			t.Errorf("got %v, %v, want %s", p, err, want)
		}
	}
	for _, text := range []Text{{Width: -1}, {Characters: 3}, {Colour: 3}} {
		if err := WriteText(io.Discard, text, fine); err == nil {
			t.Errorf("%+v was taken", text)
		}
	}
	if err := Write(io.Discard, 2, fine); err == nil {
		t.Error("format 2 was taken")
	}
	broken := errors.New("broken")
	for _, err := range []error{Write(failing{broken}, PNG, fine), WriteText(failing{broken}, Text{}, fine)} {
		if !errors.Is(err, broken) {
			t.Errorf("a writer that fails: %v", err)
		}
	}
}

type failing struct{ error }

func (f failing) Write([]byte) (int, error) { return 0, f.error }

// odd are panels that are hard to draw.
func odd() []Panel {
	nan, inf := math.NaN(), math.Inf(1)
	curve := func(v ...float64) Curve { return Curve{"x", v} }
	return []Panel{
		{Title: "one", Training: curve(1), Validation: curve(1), Better: history.LowerIsBetter},
		{Title: "validation alone", Validation: curve(1, 2, 3), Better: history.HigherIsBetter},
		{Title: "gaps", Training: curve(1, nan, 2, -inf), Validation: curve(nan, 1, nan, inf), Better: history.LowerIsBetter},
		{Title: "no values", Training: curve(nan, nan), Validation: curve(inf, -inf), Better: history.LowerIsBetter},
		{Title: "one gap", Training: curve(nan)},
		{Title: "alike", Training: curve(0.5, 0.5), Validation: curve(0.5, 0.5), Better: history.HigherIsBetter},
		{Title: "zero", Training: curve(0, 0)},
		{Title: "huge", Training: curve(-1e300, 1e300), Validation: curve(math.MaxFloat64, -math.MaxFloat64), Better: history.LowerIsBetter},
		{Title: "tiny", Training: curve(5e-324, 1e-320), Validation: curve(1e-300, 2e-285)},
		{Title: "nearly alike", Training: curve(1e9, 1e9+1e-6)},
		{Title: "negative", Training: curve(-3e-7, -1e-7)},
		{Title: "late", Epochs: []int{40, 41, 1e9, math.MaxInt - 1}, Training: curve(1, 2, 3, 4)},
		{Title: strings.Repeat("long ", 1000), Label: strings.Repeat("long ", 1000), Training: Curve{strings.Repeat("long ", 1000), []float64{1}}},
		{Title: "\x1b[31m<&>\n\xff 學習", Label: "\x00", Training: Curve{"", []float64{1, 2}}},
	}
}

// What is hard to draw is drawn, all of it within the picture.
func TestOdd(t *testing.T) {
	for _, p := range odd() {
		var b bytes.Buffer
		if err := Write(&b, SVG, p); err != nil {
			t.Errorf("%q: %v", p.Title, err)
		}
		checkSVG(t, b.Bytes())
		if !utf8.Valid(b.Bytes()) || strings.ContainsAny(b.String(), "\x1b\x00") || regexp.MustCompile("NaN|Inf|e[+]").MatchString(b.String()) {
			t.Errorf("%q: the SVG has what it must not", p.Title)
		}
		b.Reset()
		for _, c := range []Characters{ASCII, Braille} {
			for _, width := range []int{1, 80, 200} {
				b.Reset()
				if err := WriteText(&b, Text{Characters: c, Width: width, Colour: WithoutColour}, p); err != nil {
					t.Errorf("%q: %v", p.Title, err)
				}
				for line := range strings.Lines(b.String()) {
					if n := len([]rune(line)) - 1; n > max(width, 40) {
						t.Errorf("%q: %d characters in %q", p.Title, n, line)
					}
				}
				if strings.ContainsAny(b.String(), "\x1b\x00") || strings.Contains(b.String(), "NaN") || c == ASCII && p.Title[0] != '\x1b' && !isASCII(b.String()) {
					t.Errorf("%q: the text has what it must not:\n%s", p.Title, b.String())
				}
			}
		}
	}
	if err := Write(io.Discard, PNG, odd()[:6]...); err != nil {
		t.Error(err)
	}
}

func isASCII(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r > 126 || r < 32 && r != '\n' })
}

// checkSVG demands XML whose paths lie in the picture.
func checkSVG(t *testing.T, svg []byte) (paths int) {
	t.Helper()
	d := xml.NewDecoder(bytes.NewReader(svg))
	w, h := 0., 0.
	for {
		token, err := d.Token()
		if err == io.EOF {
			return paths
		}
		if err != nil {
			t.Fatalf("%v\n%s", err, svg)
		}
		e, ok := token.(xml.StartElement)
		if !ok {
			continue
		}
		for _, a := range e.Attr {
			switch a.Name.Local {
			case "viewBox":
				if _, err := fmt.Sscanf(a.Value, "0 0 %g %g", &w, &h); err != nil {
					t.Fatal(err)
				}
			case "d":
				paths++
				for _, m := range regexp.MustCompile(`[ML]([-\d.]+),([-\d.]+)`).FindAllStringSubmatch(a.Value, -1) {
					var x, y float64
					fmt.Sscan(m[1], &x)
					fmt.Sscan(m[2], &y)
					if x < 0 || x > w || y < 0 || y > h {
						t.Errorf("%v,%v is outside of %v by %v", x, y, w, h)
					}
				}
			}
		}
	}
}

// drawn are parts of a picture, found by their colours.
type drawn struct{ blue, red, dark int }

func look(img *image.RGBA, r image.Rectangle) (d drawn) {
	near := func(c color.RGBA, want rgb) bool {
		return max(diff(c.R, uint8(want>>16)), diff(c.G, uint8(want>>8)), diff(c.B, uint8(want))) < 0x18
	}
	for y := r.Min.Y; y < r.Max.Y; y++ {
		for x := r.Min.X; x < r.Max.X; x++ {
			switch c := img.RGBAAt(x, y); {
			case near(c, blue):
				d.blue++
			case near(c, red):
				d.red++
			case near(c, ink):
				d.dark++
			}
		}
	}
	return d
}

func diff(a, b uint8) uint8 { return max(a, b) - min(a, b) }

func picture(t *testing.T, panels ...Panel) *image.RGBA {
	t.Helper()
	var b bytes.Buffer
	if err := Write(&b, PNG, panels...); err != nil {
		t.Fatal(err)
	}
	img, err := png.Decode(&b)
	if err != nil {
		t.Fatal(err)
	}
	return img.(*image.RGBA) // that of opaque pictures
}

// A PNG has its size, its resolution and what belongs in it, with a white edge all round.
func TestPNG(t *testing.T) {
	panels := tutorial(t, 40)
	one, both := picture(t, panels[0]), picture(t, panels...)
	if got, want := one.Bounds(), image.Rect(0, 0, 992, 772); got != want {
		t.Errorf("one panel: %v, want %v", got, want)
	}
	if got, want := both.Bounds(), image.Rect(0, 0, 1960, 772); got != want {
		t.Errorf("two panels: %v, want %v", got, want)
	}
	if got, want := picture(t, panels[0], panels[1], panels[0]).Bounds(), image.Rect(0, 0, 1960, 1512); got != want {
		t.Errorf("three panels: %v, want %v", got, want)
	}
	all := both.Bounds()
	for _, edge := range []image.Rectangle{
		image.Rect(0, 0, all.Dx(), 20), image.Rect(0, 0, 20, all.Dy()),
		image.Rect(0, all.Dy()-20, all.Dx(), all.Dy()), image.Rect(all.Dx()-20, 0, all.Dx(), all.Dy()),
	} {
		if got := look(both, edge); got != (drawn{}) {
			t.Errorf("the edge %v is not white: %+v", edge, got)
		}
	}
	left, right := look(both, image.Rect(0, 0, 980, 772)), look(both, image.Rect(980, 0, 1960, 772))
	for _, d := range []drawn{left, right} {
		// 40 dots of 3.2 points radius have 129 pixels each but for their edges, and there is a line.
		if d.blue < 40*80+1000 || d.blue > 12000 || d.red < 150 || d.dark < 1500 {
			t.Errorf("a panel has %+v", d)
		}
	}
	panels[0].Better = history.NoDirection
	if got := look(picture(t, panels[0]), one.Bounds()); got.red != 0 {
		t.Errorf("without a direction there is a mark: %+v", got)
	}
	panels[0].Validation = Curve{}
	if got, with := look(picture(t, panels[0]), one.Bounds()), left.blue; got.blue >= with || got.blue < 40*80 {
		t.Errorf("without validation: %d blue pixels, with it %d", got.blue, with)
	}
	var b bytes.Buffer
	if err := Write(&b, PNG, panels[0]); err != nil {
		t.Fatal(err)
	}
	// 144 pixels an inch are 5669 a metre.
	if !bytes.Contains(b.Bytes(), []byte("pHYs\x00\x00\x16\x25\x00\x00\x16\x25\x01")) {
		t.Error("the resolution is not in the PNG")
	}
}

// The mark is where the best value is.
func TestMark(t *testing.T) {
	panels := tutorial(t, 40)
	for i, want := range []string{"Lowest: 0.3000, epoch 12", "Highest: 0.8800, epoch 20"} {
		p, found := best(panels[i].points(panels[i].Validation), panels[i].Better)
		if got := bestName(p, panels[i].Better); !found || got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	for _, c := range []struct {
		values []float64
		better history.Direction
		epoch  float64
	}{
		{[]float64{2, 1, 1}, history.LowerIsBetter, 2}, // the first of equals
		{[]float64{1, 2, 2}, history.HigherIsBetter, 2},
		{[]float64{math.NaN(), math.Inf(-1), 3}, history.LowerIsBetter, 3},
		{[]float64{math.NaN()}, history.LowerIsBetter, 0},
		{[]float64{1}, history.NoDirection, 0},
		{nil, history.LowerIsBetter, 0},
	} {
		p := Panel{Validation: Curve{"x", c.values}}
		if got, found := best(p.points(p.Validation), c.better); found != (c.epoch > 0) || got.x != c.epoch {
			t.Errorf("%v: epoch %v, want %v", c.values, got.x, c.epoch)
		}
	}
	// The picture has its ring over epoch 12 of 40: columns of pixels with red below the legend.
	img := picture(t, panels[0])
	var columns []int
	for x := range img.Bounds().Dx() {
		if look(img, image.Rect(x, 140, x+1, 700)).red > 0 {
			columns = append(columns, x)
		}
	}
	middle := (slices.Min(columns) + slices.Max(columns)) / 2
	dots := []int{}
	for x := range img.Bounds().Dx() {
		if look(img, image.Rect(x, 140, x+1, 700)).blue > 0 {
			dots = append(dots, x)
		}
	}
	first, last := dots[0]+6, dots[len(dots)-1]-6 // the radius of a dot
	if want := first + (last-first)*11/39; middle < want-3 || middle > want+3 {
		t.Errorf("the mark is at %d, epoch 12 at %d", middle, want)
	}
}

// Many epochs make a picture that is not larger for it, and quickly, and the extremes stay.
func TestManyEpochs(t *testing.T) {
	const n = 200_000
	v := make([]float64, n)
	for i := range v {
		v[i] = math.Mod(float64(i)*0.618, 1)
	}
	v[12345], v[54321] = -7, 7
	p := Panel{Title: "many", Training: Curve{"Training", v}, Validation: Curve{"Validation", v}, Better: history.LowerIsBetter}
	points := p.points(p.Training)
	few := thin(points, 800)
	if len(few) > 4*801 || !slices.Contains(few, points[12345]) || !slices.Contains(few, points[54321]) ||
		few[0] != points[0] || few[len(few)-1] != points[n-1] {
		t.Errorf("%d of %d points stay", len(few), n)
	}
	if !slices.IsSortedFunc(few, func(a, b point) int { return int(a.x - b.x) }) {
		t.Error("they are out of order")
	}
	var b bytes.Buffer
	if err := Write(&b, SVG, p); err != nil {
		t.Fatal(err)
	}
	if b.Len() > 1<<20 {
		t.Errorf("%d bytes", b.Len())
	}
}

// The same panels give the same bytes.
func TestSameBytes(t *testing.T) {
	for _, f := range []Format{PNG, SVG} {
		var a, b bytes.Buffer
		if err := errors.Join(Write(&a, f, tutorial(t, 40)[:1]...), Write(&b, f, tutorial(t, 40)[:1]...)); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(a.Bytes(), b.Bytes()) {
			t.Errorf("format %d: two pictures of the same differ", f)
		}
	}
}

// The SVG has no fonts to look for, names what it shows, and has a dot for each epoch.
func TestSVG(t *testing.T) {
	var b bytes.Buffer
	if err := Write(&b, SVG, tutorial(t, 40)...); err != nil {
		t.Fatal(err)
	}
	svg := b.String()
	checkSVG(t, b.Bytes())
	if !strings.Contains(svg, "<title>Training and validation loss; Training and validation accuracy</title>") || strings.Contains(svg, "font") {
		t.Errorf("the beginning is\n%.600s", svg)
	}
	// 40 dots and one in the legend, for each panel.
	if n := len(regexp.MustCompile(`Z" style="fill:#1F4ED8`).FindAllString(svg, -1)); n != 82 {
		t.Errorf("%d dots", n)
	}
	if len(svg) > 200_000 {
		t.Errorf("%d bytes", len(svg))
	}
}

// The texts stand in testdata.
func TestText(t *testing.T) {
	nan := math.NaN()
	gaps := Panel{
		Title: "Gaps", Label: "Loss", Better: history.LowerIsBetter,
		Training: Curve{"Training loss", []float64{4, nan, 2, 1, 1}}, Validation: Curve{"Validation loss", []float64{5, 4, nan, 3, nan}},
	}
	for name, c := range map[string]struct {
		text   Text
		panels []Panel
	}{
		"ascii.txt":   {Text{Characters: ASCII}, tutorial(t, 40)},
		"braille.txt": {Text{Characters: Braille}, tutorial(t, 40)},
		"wide.txt":    {Text{Characters: Braille, Width: 120}, tutorial(t, 7)},
		"one.txt":     {Text{Characters: ASCII, Width: 50}, tutorial(t, 1)},
		"gaps.txt":    {Text{Characters: ASCII, Width: 50}, []Panel{gaps, {Title: "None", Training: Curve{"Training", []float64{nan, nan}}}}},
		"colour.txt":  {Text{Characters: Braille, Width: 50, Colour: WithColour}, tutorial(t, 3)[:1]},
	} {
		var b bytes.Buffer
		if err := WriteText(&b, c.text, c.panels...); err != nil {
			t.Fatal(err)
		}
		file := filepath.Join("testdata", name)
		if *update {
			if err := os.WriteFile(file, b.Bytes(), 0o666); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), b.String()); diff != "" {
			t.Errorf("%s has changed (go test -update writes it anew):\n%s", name, diff)
		}
	}
}

func TestTextSettings(t *testing.T) {
	for _, c := range []struct {
		env  map[string]string
		want Text
	}{
		{nil, Text{80, ASCII, WithoutColour}},
		{map[string]string{"LANG": "de_DE.UTF-8"}, Text{80, Braille, WithoutColour}},
		{map[string]string{"LANG": "de_DE.UTF-8", "LC_ALL": "C"}, Text{80, ASCII, WithoutColour}},
		{map[string]string{"LC_CTYPE": "C.utf8", "LANG": "C"}, Text{80, Braille, WithoutColour}},
		{map[string]string{"WT_SESSION": "1"}, Text{80, Braille, WithoutColour}},
		{map[string]string{"WT_SESSION": "1", "LC_ALL": "C"}, Text{80, ASCII, WithoutColour}},
	} {
		if got := (Text{}).settle(io.Discard, func(name string) string { return c.env[name] }); got != c.want {
			t.Errorf("%v: got %+v, want %+v", c.env, got, c.want)
		}
	}
	file, err := os.Create(filepath.Join(t.TempDir(), "file"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	given := Text{200, Braille, WithColour}
	if got := given.settle(file, func(string) string { return "1" }); got != given {
		t.Errorf("what was asked for became %+v", got)
	}
	if got := (Text{Width: 3}).settle(file, os.Getenv); got.Width != 40 || got.Colour != WithoutColour {
		t.Errorf("got %+v", got)
	}
}

func TestTicks(t *testing.T) {
	labels := func(ticks []tick) string {
		var s []string
		for _, k := range ticks {
			s = append(s, k.label)
		}
		return strings.Join(s, " ")
	}
	for _, c := range []struct {
		low, high float64
		want      string
	}{
		{1, 1, "1"},
		{41, 41, "41"},
		{1, 2, "1 2"},
		{1, 10, "1 2 3 4 5 6 7 8 9 10"},
		{1, 12, "1 2 4 6 8 10 12"},
		{1, 40, "1 5 10 15 20 25 30 35 40"},
		{19, 40, "20 25 30 35 40"},
		{1, 1000, "1 100 200 300 400 500 600 700 800 900 1000"},
	} {
		if got := labels(epochTicks(interval{c.low, c.high}, 10)); got != c.want {
			t.Errorf("%v to %v: %s", c.low, c.high, got)
		}
	}
	for _, c := range []struct {
		low, high float64
		want      string
	}{
		{0.1, 0.7, "0.1 0.2 0.3 0.4 0.5 0.6 0.7"},
		{-0.01, 0.05, "-0.01 0.00 0.01 0.02 0.03 0.04 0.05"},
		{-1, 1, "-1.0 -0.5 0.0 0.5 1.0"},
		{0, 1.2e6, "0 2e5 4e5 6e5 8e5 1e6 1.2e6"},
		{1e-8, 5e-8, "1e-8 2e-8 3e-8 4e-8 5e-8"},
	} {
		got := valueTicks(interval{c.low, c.high * (1 + 1e-12)}, 8)
		if labels(got) != c.want {
			t.Errorf("%v to %v: %s", c.low, c.high, labels(got))
		}
	}
}

func TestFiles(t *testing.T) {
	dir := t.TempDir()
	panels := tutorial(t, 3)[:1]
	for _, name := range []string{"a.png", "a.SVG"} {
		file := filepath.Join(dir, name)
		if err := errors.Join(Check(file), os.WriteFile(file, []byte("old"), 0o666), Check(file)); err != nil {
			t.Fatal(err)
		}
		if old, _ := os.ReadFile(file); string(old) != "old" {
			t.Errorf("Check changed the file to %q", old)
		}
		if err := Draw(file, io.Discard, panels...); err != nil {
			t.Fatal(err)
		}
		f, _ := FormatOf(file)
		var want bytes.Buffer
		if err := Write(&want, f, panels...); err != nil {
			t.Fatal(err)
		}
		if got, err := os.ReadFile(file); err != nil || !bytes.Equal(got, want.Bytes()) {
			t.Errorf("%s: %d bytes, want %d: %v", name, len(got), want.Len(), err)
		}
	}
	if runtime.GOOS != "windows" {
		link := filepath.Join(dir, "link.png")
		if err := os.Symlink("a.png", link); err != nil {
			t.Fatal(err)
		}
		if err := WriteFile(link, panels[0]); err != nil {
			t.Fatal(err)
		}
		if info, err := os.Lstat(link); err != nil || info.Mode().IsRegular() {
			t.Errorf("the link was replaced: %v", err)
		}
	}
	folder := filepath.Join(dir, "folder.png")
	if err := os.Mkdir(folder, 0o777); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ path, want string }{
		{"p.jpg", "plots: p.jpg ends neither in .png nor in .svg"},
		{"p", "plots: p ends neither in .png nor in .svg"},
		{"", "plots:  ends neither in .png nor in .svg"},
		{folder, "plots: " + folder + " is a folder"},
		{filepath.Join(dir, "none", "p.svg"), "plots: " + filepath.Join(dir, "none", "p.svg") + " cannot be written: there is no folder " + filepath.Join(dir, "none")},
	} {
		for name, err := range map[string]error{"Check": Check(c.path), "Draw": Draw(c.path, io.Discard, panels...)} {
			if err == nil || !strings.HasPrefix(err.Error(), c.want) || strings.Contains(err.Error(), ".tmp") {
				t.Errorf("%s %q: got %v, want %s", name, c.path, err, c.want)
			}
		}
	}
	left, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range left {
		if strings.Contains(e.Name(), "tmp") {
			t.Errorf("%s was left behind", e.Name())
		}
	}
	var text, direct bytes.Buffer
	if err := errors.Join(Check(Terminal), Draw(Terminal, &text, panels...), WriteText(&direct, Text{}, panels...)); err != nil {
		t.Fatal(err)
	}
	if text.String() != direct.String() || text.Len() == 0 {
		t.Errorf("- drew %q", text.String())
	}
}

func BenchmarkWrite(b *testing.B) {
	v := make([]float64, 40)
	for i := range v {
		v[i] = 1 / float64(i+1)
	}
	p := Panel{Title: "Training and validation loss", Label: "Loss", Training: Curve{"Training loss", v}, Validation: Curve{"Validation loss", v}, Better: history.LowerIsBetter}
	for name, f := range map[string]Format{"png": PNG, "svg": SVG} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if err := Write(io.Discard, f, p, p); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
