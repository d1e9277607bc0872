// Package evaluation says how good a text classifier is on labelled texts that it has not learned from: accuracy, F1, precision,
// recall, AUC, log loss and calibration error, each with a confidence interval, a table of the classes, the confusion matrix
// and the worst mistakes. [Compare] says whether the difference between two classifiers is more than chance.
package evaluation
