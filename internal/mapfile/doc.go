// Package mapfile gives read-only access to the bytes of a file where they lie: a file is mapped into memory where the
// system can, and read elsewhere. Opening a mapped file costs the same for any size; its pages come when they are read.
//
// Who reads the bytes takes the file before and gives it back after:
//
//	if err := f.Acquire(); err != nil {
//		return err // it is closed
//	}
//	defer f.Release()
//	use(f.Bytes())
//
// [File.Close] makes later calls of Acquire fail, and the memory goes when the last holder has given the file back. So a use
// after Close is an error and no fault. Slices of the bytes do not keep the memory: whoever has them must keep the File.
//
// # Files that change
//
// A mapped file must not be changed by anybody while it is open. Files that are replaced (package internal/atomicfile) are
// safe: the mapping keeps the old one. When another process cuts a mapped file short, reading what is gone faults, which
// ends the program, unless the goroutine that reads asks for a panic; [File.Fault] makes an error of that panic:
//
//	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
//	defer func() {
//		if p := recover(); p != nil {
//			if err = f.Fault(p); err == nil {
//				panic(p) // something else
//			}
//		}
//	}()
//
// Every goroutine that reads must do so; it costs no allocation. The kernels of package simd can be interrupted that way.
// Windows does not let anybody cut a mapped file short or replace it.
package mapfile
