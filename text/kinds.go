package text

// Kinds lists the package's kinds of specs, for plan.NewKinds: the tokenizers that can be written down.
func Kinds() []interface{ Kind() string } {
	return []interface{ Kind() string }{&HashedFeatures{}, &HubTokenizer{}, &Vectorization{}}
}
