// Package loss has the losses that training minimises: specs to set as FitOptions.Loss and EvaluateOptions.Loss.
//
// A loss gives each row of a batch a number, the mean over the row's elements, in float32. Fit and Evaluate weigh and
// average the rows as Keras's reduction "sum_over_batch_size" does. The zero value of a field is Keras's default.
package loss
