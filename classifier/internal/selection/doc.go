// Package selection decides how to learn a classifier: it tries recipes on held-out rows and keeps the best.
package selection
