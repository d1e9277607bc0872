package history_test

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"

	"github.com/linnet-ml/linnet/history"
)

// trained stands for what a Fit of three epochs returns.
func trained() *history.History {
	h := new(history.History)
	var logs history.Logs
	for epoch, v := range []float64{0.43, 0.35, 0.42} {
		logs.Set("loss", 0.5-0.125*float64(epoch))
		logs.Set("val_loss", v)
		h.Append(epoch, &logs)
	}
	h.SetDirection("loss", history.LowerIsBetter)
	h.SetDirection("val_loss", history.LowerIsBetter)
	return h
}

// A History goes to JSON and back, and still knows which epoch was best.
func Example() {
	text, err := json.Marshal(trained())
	if err != nil {
		panic(err)
	}
	var h history.History
	if err := json.Unmarshal(text, &h); err != nil {
		panic(err)
	}
	best := h.Best("val_loss", history.NoDirection)
	fmt.Println(h.Names())
	fmt.Printf("epoch %d: val_loss %.2f\n", h.Epochs[best]+1, h.Values("val_loss")[best])
	// Output:
	// [loss val_loss]
	// epoch 2: val_loss 0.35
}

func ExampleHistory_String() {
	fmt.Println(trained())
	// Output:
	// epoch 1: loss 0.5000 - val_loss 0.4300
	// epoch 2: loss 0.3750 - val_loss 0.3500
	// epoch 3: loss 0.2500 - val_loss 0.4200
}

func ExampleHistory_WriteCSV() {
	if err := trained().WriteCSV(os.Stdout); err != nil {
		panic(err)
	}
	// Output:
	// epoch,loss,val_loss
	// 0,0.5,0.43
	// 1,0.375,0.35
	// 2,0.25,0.42
}

func ExampleLogs() {
	var l history.Logs
	l.Set("loss", 0.332)
	l.Set("learning_rate", 0.001)
	fmt.Println(&l)
	// Output: loss: 0.3320 - learning_rate: 1.0000e-03
}

func ExampleReadCSV() {
	h, err := history.ReadCSV(strings.NewReader("epoch,loss,val_loss\n0,0.69,0.68\n1,0.55,0.57\n"))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(h.Names(), h.Values("val_loss"))
	// Output: [loss val_loss] [0.68 0.57]
}
