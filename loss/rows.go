package loss

// meanRows computes each row's mean of a loss that is given element by element: element(i) is the loss of element i of
// the outputs and its slope there. The mean is taken in float64.
func meanRows(losses, gradient, output []float32, element func(i int) (loss, slope float32)) {
	width := len(output) / len(losses)
	n := float32(width)
	for r := range losses {
		sum := 0.0
		for i := r * width; i < (r+1)*width; i++ {
			loss, slope := element(i)
			sum += float64(loss)
			if gradient != nil {
				gradient[i] = slope / n
			}
		}
		losses[r] = float32(sum / float64(width))
	}
}
