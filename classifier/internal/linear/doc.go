// Package linear fits linear models of two classes on sparse rows: the support vector machine with squared hinge loss by
// coordinate descent in the dual (Hsieh, Chang, Lin, Keerthi and Sundararajan, ICML 2008), and naive Bayes's weights beside
// it.
package linear
