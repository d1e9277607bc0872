package plots_test

import (
	"encoding/json"
	"fmt"
	"log"
	"os"

	"github.com/linnet-ml/linnet/history"
	"github.com/linnet-ml/linnet/plots"
)

// logged stands for what a Fit returns.
func logged() *history.History {
	h := new(history.History)
	err := json.Unmarshal([]byte(`{"epoch":[0,1,2,3],"history":{
		"loss":[0.69,0.45,0.27,0.15],"accuracy":[0.55,0.8,0.9,0.96],
		"val_loss":[0.66,0.43,0.35,0.42],"val_accuracy":[0.62,0.81,0.86,0.85]}}`), h)
	if err != nil {
		log.Fatal(err)
	}
	return h
}

// The two diagrams of the Keras tutorials as one picture.
func Example() {
	panels, err := plots.Panels(logged(), "loss", "accuracy")
	if err != nil {
		log.Fatal(err)
	}
	dir, err := os.MkdirTemp("", "plots")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	if err := plots.WriteFile(dir+"/history.png", panels...); err != nil {
		log.Fatal(err)
	}
	for _, p := range panels {
		fmt.Printf("%s: %s, %s\n", p.Title, p.Training.Name, p.Validation.Name)
	}
	// Output:
	// Training and validation loss: Training loss, Validation loss
	// Training and validation accuracy: Training acc, Validation acc
}

// Of a metric of one's own it is not known which values are better.
func ExamplePanels() {
	h := new(history.History)
	if err := json.Unmarshal([]byte(`{"epoch":[0,1],"history":{"spread":[3,2],"val_spread":[4,3]}}`), h); err != nil {
		log.Fatal(err)
	}
	panels, err := plots.Panels(h, "spread")
	if err != nil {
		log.Fatal(err)
	}
	panels[0].Better = history.LowerIsBetter
	fmt.Println(panels[0].Title)
	// Output: Training and validation spread
}

func ExampleWriteText() {
	panels, err := plots.Panels(logged(), "loss")
	if err != nil {
		log.Fatal(err)
	}
	if err := plots.WriteText(os.Stdout, plots.Text{Width: 60, Characters: plots.ASCII}, panels...); err != nil {
		log.Fatal(err)
	}
	// Output:
	// Training and validation loss
	// o Training loss   + Validation loss   * both
	// X Lowest: 0.3500, epoch 3
	// 0.690 |o
	//       |++
	//       |  ++++
	//       |      +++
	// 0.510 |         +++
	//       |            ++++ o
	//       |                +++++                         +++++
	//       |                     ++++++++         ++++++++
	// 0.330 |                             ++++X++++
	//       |                                 o
	//       |
	//       |
	// 0.150 |                                                  o
	//       ++----------------+---------------+----------------+
	//        1                2               3                4
	//                              Epochs
}

// A flag is checked before hours of training, not after them.
func ExampleCheck() {
	fmt.Println(plots.Check("history.jpeg"))
	// Output: plots: history.jpeg ends neither in .png nor in .svg
}
