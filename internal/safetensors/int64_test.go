package safetensors

// Int64Data is written as I64, which no part of linnet writes but these tests.
type Int64Data []int64

func (d Int64Data) dtype() DType { return I64 }

func (d Int64Data) bytes() int64 { return 8 * int64(len(d)) }

func (d Int64Data) native() ([]byte, bool) { return asBytes(d) }

func (d Int64Data) put(b []byte, at int64) { put(b, d[at/8:]) }
