// Package random is linnet's source of random numbers: Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy
// as 1, 2, 3", 2011), a function from a key and a counter to 128 random bits. Number i of a stream depends on the
// stream and on i alone, so that neither threads nor the order of work change a draw, on any platform.
package random
