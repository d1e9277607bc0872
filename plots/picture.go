package plots

import (
	"image/color"
	"math"
	"strings"

	"gonum.org/v1/plot/vg"
)

// Sizes in points, of which a PNG has resolution/72 pixels each.
const (
	panelWidth  vg.Length = 460
	panelHeight vg.Length = 350
	columnGap   vg.Length = 24
	rowGap      vg.Length = 20
	margin      vg.Length = 18

	titleSize  vg.Length = 15
	labelSize  vg.Length = 12
	tickSize   vg.Length = 11
	legendSize vg.Length = 11

	titleGap   vg.Length = 10 // below the title
	legendGap  vg.Length = 9  // below the legend
	legendRow  vg.Length = 16
	dashWidth  vg.Length = 20 // of the line in the legend
	sampleGap  vg.Length = 5  // between it and its name
	entryGap   vg.Length = 16
	tickLength vg.Length = 4
	tickGap    vg.Length = 4
	labelGap   vg.Length = 8

	frameLine  vg.Length = 1
	curveLine  vg.Length = 1.8
	markLine   vg.Length = 1.8
	markRadius vg.Length = 6

	// ascent is how far above the base line capitals and digits reach, in ems; descent is how far below it letters go.
	ascent, descent = 0.72, 0.21

	// pixel is that of a PNG.
	pixel vg.Length = 72. / resolution

	yTicks, xTicks = 8, 10 // at most, about
)

// rgb is a colour in the usual six digits.
type rgb uint32

// RGBA is that of [color.Color].
func (c rgb) RGBA() (r, g, b, a uint32) {
	return uint32(c>>16&0xff) * 0x101, uint32(c>>8&0xff) * 0x101, uint32(c&0xff) * 0x101, 0xffff
}

// The colours. On white, blue and red have a contrast above 5, and they differ for those who see no red.
const (
	white rgb = 0xffffff
	ink   rgb = 0x222222
	faint rgb = 0xe4e6ea // grid
	frame rgb = 0x70757d
	blue  rgb = 0x1f4ed8
	red   rgb = 0xc82a1e
)

// painter draws on a canvas.
type painter struct {
	vg.Canvas
	*letters
}

// figureSize is the size of a picture: panels stand in rows of two.
func figureSize(panels int) (w, h vg.Length) {
	columns, rows := min(panels, 2), (panels+1)/2
	return 2*margin + vg.Length(columns)*panelWidth + vg.Length(columns-1)*columnGap,
		2*margin + vg.Length(rows)*panelHeight + vg.Length(rows-1)*rowGap
}

// drawFigure draws panels, whose axes lie on the same lines.
func drawFigure(c vg.Canvas, l *letters, panels []Panel) {
	p := painter{c, l}
	w, h := figureSize(len(panels))
	p.fill(white, vg.Rectangle{Max: vg.Point{X: w, Y: h}}.Path())
	diagrams := make([]*diagram, len(panels))
	var left vg.Length
	rows := 0
	for i := range panels {
		diagrams[i] = p.plan(&panels[i])
		left, rows = max(left, diagrams[i].left), max(rows, len(diagrams[i].legend))
	}
	for i, d := range diagrams {
		x := margin + vg.Length(i%2)*(panelWidth+columnGap)
		y := h - margin - vg.Length(i/2)*(panelHeight+rowGap)
		p.drawPanel(d, vg.Point{X: x, Y: y}, left, rows)
	}
}

// diagram is a panel with what must be known before it is drawn.
type diagram struct {
	*Panel
	training, validation []point
	best                 point
	marked, empty        bool
	xs, ys               interval
	xTicks, yTicks       []tick
	left                 vg.Length // from the edge of the panel to the vertical axis
	legend               [][]entry // rows
	radius               vg.Length // of the dots
}

// entry is a sample and its name.
type entry struct {
	sample      func(vg.Point) // centred on a place
	sampleWidth vg.Length
	name        string
	width       vg.Length // of both
}

const plotWidth = panelWidth - 60 // about, before the labels are known

func (p painter) plan(panel *Panel) *diagram {
	d := &diagram{Panel: panel, training: panel.points(panel.Training), validation: panel.points(panel.Validation)}
	d.best, d.marked = best(d.validation, panel.Better)
	d.empty = allGaps(d.training, d.validation)
	xs, single := epochs(d.training, d.validation)
	d.ys = values(d.training, d.validation).widen(0.06)
	if !d.empty {
		d.yTicks = valueTicks(d.ys, yTicks)
	}
	for n := xTicks; n > 0; n-- { // fewer, until half of the axis stays free
		d.xTicks = epochTicks(xs, n)
		var w vg.Length
		for _, t := range d.xTicks {
			w += p.width(t.label, tickSize)
		}
		if w < plotWidth/2 {
			break
		}
	}
	if single {
		d.xs = interval{xs.low - 1, xs.low + 1}
	} else {
		d.xs = xs.widen(0.035)
	}
	count := max(len(d.training), len(d.validation))
	d.radius = min(3.2, max(1.1, plotWidth/vg.Length(count)*0.32))
	d.training, d.validation = thin(d.training, 2*int(plotWidth)), thin(d.validation, 2*int(plotWidth))

	for _, t := range d.yTicks {
		d.left = max(d.left, p.width(t.label, tickSize))
	}
	d.left += labelSize*(ascent+descent) + labelGap + tickGap + tickLength
	p.planLegend(d)
	return d
}

// planLegend puts the entries into rows as wide as the panel.
func (p painter) planLegend(d *diagram) {
	add := func(name string, width vg.Length, sample func(vg.Point)) {
		name = p.fit(plain(name), legendSize, panelWidth-width-sampleGap)
		e := entry{sample, width, name, width + sampleGap + p.width(name, legendSize)}
		last := len(d.legend) - 1
		if last >= 0 && rowWidth(d.legend[last])+entryGap+e.width <= panelWidth {
			d.legend[last] = append(d.legend[last], e)
		} else {
			d.legend = append(d.legend, []entry{e})
		}
	}
	if len(d.training) > 0 {
		radius := max(d.radius, 2)
		add(d.Training.Name, 2*radius, func(at vg.Point) { p.dot(blue, radius, at) })
	}
	if len(d.validation) > 0 {
		add(d.Validation.Name, dashWidth, p.dash)
	}
	if d.marked {
		add(bestName(d.best, d.Better), 2*markRadius, p.ring)
	}
}

func rowWidth(row []entry) vg.Length {
	w := entryGap * vg.Length(len(row)-1)
	for _, e := range row {
		w += e.width
	}
	return w
}

// drawPanel draws a diagram whose upper left corner is given. The vertical axis lies left of it by a length, and there is
// room for a number of rows of the legend.
func (p painter) drawPanel(d *diagram, corner vg.Point, left vg.Length, rows int) {
	x0, x1 := snap(corner.X+left), snap(corner.X+panelWidth)
	top := corner.Y
	middle := (x0 + x1) / 2
	// Titles and legends are centred over the axes, but within the panel.
	centred := func(width vg.Length) vg.Length {
		return min(max(middle-width/2, corner.X), corner.X+panelWidth-width)
	}
	title := p.fit(plain(d.Title), titleSize, panelWidth)
	p.text(title, titleSize, vg.Point{X: centred(p.width(title, titleSize)), Y: top - titleSize*ascent}, 0)
	top -= titleSize*(ascent+descent) + titleGap
	for i, row := range d.legend {
		x := centred(rowWidth(row))
		y := top - legendRow*(vg.Length(i)+0.5)
		for _, e := range row {
			e.sample(vg.Point{X: x + e.sampleWidth/2, Y: y})
			p.text(e.name, legendSize, vg.Point{X: x + e.sampleWidth + sampleGap, Y: y - legendSize*ascent/2}, 0)
			x += e.width + entryGap
		}
	}
	top -= legendRow*vg.Length(rows) + legendGap
	y1 := snap(top)
	y0 := snap(corner.Y - panelHeight + labelSize*(ascent+descent) + labelGap + tickSize*ascent + tickGap + tickLength)
	at := func(q point) vg.Point {
		return vg.Point{X: x0 + (x1-x0)*vg.Length(d.xs.at(q.x)), Y: y0 + (y1-y0)*vg.Length(d.ys.at(q.y))}
	}

	for _, t := range d.yTicks {
		y := snap(at(point{d.xs.low, t.value}).Y)
		p.stroke(faint, frameLine, vg.Point{X: x0, Y: y}, vg.Point{X: x1, Y: y})
		p.stroke(frame, frameLine, vg.Point{X: x0 - tickLength, Y: y}, vg.Point{X: x0, Y: y})
		p.text(t.label, tickSize, vg.Point{X: x0 - tickLength - tickGap, Y: y - tickSize*ascent/2}, -1)
	}
	for _, t := range d.xTicks {
		x := snap(at(point{t.value, d.ys.low}).X)
		p.stroke(faint, frameLine, vg.Point{X: x, Y: y0}, vg.Point{X: x, Y: y1})
		p.stroke(frame, frameLine, vg.Point{X: x, Y: y0 - tickLength}, vg.Point{X: x, Y: y0})
		p.text(t.label, tickSize, vg.Point{X: x, Y: y0 - tickLength - tickGap - tickSize*ascent}, -0.5)
	}
	p.stroke(frame, frameLine, vg.Point{X: x0, Y: y0}, vg.Point{X: x1, Y: y0}, vg.Point{X: x1, Y: y1}, vg.Point{X: x0, Y: y1}, vg.Point{X: x0, Y: y0})
	p.text("Epochs", labelSize, vg.Point{X: middle, Y: corner.Y - panelHeight + labelSize*descent}, -0.5)
	label := p.fit(plain(d.Label), labelSize, y1-y0)
	p.fill(ink, p.outline(label, labelSize, vg.Point{
		X: x0 - left + labelSize*ascent, Y: (y0+y1)/2 - p.width(label, labelSize)/2,
	}, true))
	if d.empty {
		p.text("no finite values", labelSize, vg.Point{X: middle, Y: (y0+y1)/2 - labelSize*ascent/2}, -0.5)
		return
	}

	if d.marked {
		x := snap(at(d.best).X)
		p.SetLineDash([]vg.Length{3, 3}, 0)
		p.stroke(red, frameLine, vg.Point{X: x, Y: y0}, vg.Point{X: x, Y: at(d.best).Y - markRadius})
		p.SetLineDash(nil, 0)
	}
	p.line(d.validation, at)
	for _, q := range d.training {
		if !q.gap() {
			p.dot(blue, d.radius, at(q))
		}
	}
	if d.marked {
		p.ring(at(d.best))
	}
}

// line joins points that have no gap between them. A point that has gaps on both sides is a dash.
func (p painter) line(points []point, at func(point) vg.Point) {
	for len(points) > 0 {
		n := 0
		for n < len(points) && !points[n].gap() {
			n++
		}
		switch n {
		case 0:
		case 1:
			p.dash(at(points[0]))
		default:
			path := make([]vg.Point, n)
			for i, q := range points[:n] {
				path[i] = at(q)
			}
			p.stroke(blue, curveLine, path...)
		}
		points = points[min(n+1, len(points)):]
	}
}

// dash is the validation line's sample, and a single value of it.
func (p painter) dash(at vg.Point) {
	p.stroke(blue, curveLine, vg.Point{X: at.X - dashWidth/2, Y: at.Y}, vg.Point{X: at.X + dashWidth/2, Y: at.Y})
}

func (p painter) dot(c color.Color, radius vg.Length, at vg.Point) { p.fill(c, circle(at, radius)) }

// ring marks the best value.
func (p painter) ring(at vg.Point) {
	p.SetColor(red)
	p.SetLineWidth(markLine)
	p.Stroke(circle(at, markRadius))
}

func circle(at vg.Point, radius vg.Length) vg.Path {
	at = round(at)
	var path vg.Path
	path.Move(vg.Point{X: at.X + radius, Y: at.Y})
	path.Arc(at, radius, 0, 2*math.Pi)
	path.Close()
	return path
}

// text writes s so that the given part of it, from 0 to -1, lies left of a place on its base line.
func (p painter) text(s string, size vg.Length, at vg.Point, part vg.Length) {
	if strings.TrimSpace(s) == "" {
		return
	}
	at.X += part * p.width(s, size)
	p.fill(ink, p.outline(s, size, at, false))
}

func (p painter) fill(c color.Color, path vg.Path) {
	p.SetColor(c)
	p.Fill(path)
}

func (p painter) stroke(c color.Color, width vg.Length, points ...vg.Point) {
	var path vg.Path
	path.Move(round(points[0]))
	for _, q := range points[1:] {
		path.Line(round(q))
	}
	p.SetColor(c)
	p.SetLineWidth(width)
	p.Stroke(path)
}

// snap moves a line of the frame's width onto whole pixels, where it is sharp.
func snap(v vg.Length) vg.Length { return vg.Length(math.Round(float64(v/pixel))) * pixel }
