package main

// What README.md shows holds to the last bit, on every machine.
func Example() {
	main()
	// Output:
	// test: loss: 0.2890 - accuracy: 0.8822
	// first reviews: [0.20095682 0.9986267 0.8597465] labels: [0 1 1]
}
