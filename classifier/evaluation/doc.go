// Package evaluation measures how good a classifier's answers are, how sure that is, and whether one classifier is better
// than another by more than chance.
//
// It works on answers alone: what was asked, what is true and which probabilities the classifier gave. Measure returns
// figures with confidence intervals from a seeded bootstrap over the rows, a table of classes, a confusion matrix and the
// worst mistakes; Compare returns differences of two classifiers on the same rows. The same answers and seed give the same
// bits on every platform and with any number of processors.
package evaluation
