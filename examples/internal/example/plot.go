package example

import (
	"fmt"
	"os"

	"github.com/linnet-ml/linnet/history"
	"github.com/linnet-ml/linnet/plots"
)

// CheckPlot finds out before a training that the file of the flag -plot cannot be written.
func CheckPlot(path string) error {
	if path == "" {
		return nil
	}
	if path != plots.Terminal {
		if _, err := plots.FormatOf(path); err != nil {
			return Usagef("-plot %s ends neither in .png nor in .svg", path)
		}
	}
	if err := plots.Check(path); err != nil {
		return fmt.Errorf("-plot: %w", err)
	}
	return nil
}

// Draw draws the loss and the accuracy, when an epoch was completed: into the file of the flag -plot, on result for
// plots.Terminal, and without the flag on out, where the steps are.
func Draw(path string, h *history.History, out, result *Page) error {
	if len(h.Epochs) == 0 {
		return nil
	}
	panels, err := plots.Panels(h, "loss", "accuracy")
	switch {
	case err != nil:
	case path == "":
		err = out.draw(panels)
	case path == plots.Terminal:
		err = result.draw(panels)
	default:
		if err = plots.Draw(path, nil, panels...); err == nil {
			fmt.Fprintf(out, "Drawn into %s\n", path)
		}
	}
	if err != nil {
		return fmt.Errorf("-plot: %w", err)
	}
	return nil
}

// draw draws panels as text. What the Page writes to may be a terminal, which has colours, and more columns than text takes.
func (p *Page) draw(panels []plots.Panel) error {
	t := plots.Text{Width: p.limit}
	if _, file := p.to.(*os.File); file {
		t.Width = 0
	}
	if p.err == nil {
		p.fail(plots.WriteText(p.to, t, panels...))
	}
	return nil
}
