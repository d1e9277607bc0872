// Package calibration turns scores into probabilities, and probabilities into decisions, on rows that the model has not
// learned from.
package calibration
