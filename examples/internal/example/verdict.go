package example

// Verdict says what a model's score means for a review of which some words are known. Of one without a known word the
// score is that of any such text, and means nothing.
func Verdict(good bool, known int) string {
	switch {
	case known == 0:
		return "no verdict"
	case good:
		return "a good review"
	}
	return "a bad review"
}
