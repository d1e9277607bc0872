package plan_test

import (
	"fmt"

	"github.com/linnet-ml/linnet/nn/plan"
)

func ExampleCheckName() {
	fmt.Println(plan.CheckName("attention 2"))
	fmt.Println(plan.CheckName("a\x1b[2J"))
	// Output:
	// <nil>
	// the name "a\x1b[2J" cannot be printed
}
