// Package api lists the exported API of the library as lines of text: one for each function, method, type, field, constant
// and variable, so that a change of the API is a change of lines. Its test compares the code with api.txt, and api.txt with
// released.txt, the listing of the last release.
package api
