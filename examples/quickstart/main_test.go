package main

// What README.md shows holds to the last bit, on every machine.
func Example() {
	main()
	// Output:
	// test: loss: 0.2890 - accuracy: 0.8821
	// first reviews: [0.19594842 0.999818 0.87294704] labels: [0 1 1]
}
