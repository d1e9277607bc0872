// Package linear fits linear models of two classes on sparse rows by coordinate descent in the dual: logistic regression
// (Yu, Huang and Lin, Machine Learning 85, 2011) and the support vector machine with squared hinge loss (Hsieh, Chang,
// Lin, Keerthi and Sundararajan, ICML 2008), and naive Bayes's weights beside them.
package linear
