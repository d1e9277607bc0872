// Package optional has the type of settings whose zero is legal but not the default.
//
// Options in linnet are plain structs in which the zero value of a field means the default. Where a user may want zero
// itself (a decay rate of 0, a threshold of 0), the field is a [Value]:
//
//	optim.Adam{}                       // Beta1 is 0.9
//	optim.Adam{Beta1: optional.Of(0.0)} // Beta1 is 0
//
// A Value can be compared when its type can, and goes to JSON and back.
package optional
