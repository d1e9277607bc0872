// Package budget refuses allocations that no memory of this process can hold. Go ends a program that asks for more memory
// than there is ("fatal error: out of memory"), and nothing can recover from that; a size that comes from a user, a file or
// a sum of both must therefore be checked before make.
//
// There is one limit for a single allocation, see [Process]. It does not add up allocations: what passes may still fail
// together with others.
//
// Where a file says at which place a part of it lies, [Within] tells whether the part is in the file.
package budget
