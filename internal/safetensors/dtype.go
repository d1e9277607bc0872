package safetensors

import "slices"

// DType is a type of element, by the name that the header gives it.
type DType string

// The types of elements that the format has. The package decodes F32, F16, BF16, I8, F64, I32 and I64; it hands out the
// others as bytes.
const (
	Bool       DType = "BOOL"
	F4         DType = "F4"
	F6E2M3     DType = "F6_E2M3"
	F6E3M2     DType = "F6_E3M2"
	U8         DType = "U8"
	I8         DType = "I8"
	F8E5M2     DType = "F8_E5M2"
	F8E4M3     DType = "F8_E4M3"
	F8E8M0     DType = "F8_E8M0"
	F8E4M3FNUZ DType = "F8_E4M3FNUZ"
	F8E5M2FNUZ DType = "F8_E5M2FNUZ"
	I16        DType = "I16"
	U16        DType = "U16"
	F16        DType = "F16"
	BF16       DType = "BF16"
	I32        DType = "I32"
	U32        DType = "U32"
	F32        DType = "F32"
	C64        DType = "C64"
	F64        DType = "F64"
	I64        DType = "I64"
	U64        DType = "U64"
)

// Bits is the number of bits of one element, 0 for a type that the format does not have. Elements of 4 and 6 bits lie
// packed; a tensor of them fills whole bytes.
func (d DType) Bits() int {
	switch d {
	case F4:
		return 4
	case F6E2M3, F6E3M2:
		return 6
	case Bool, U8, I8, F8E5M2, F8E4M3, F8E8M0, F8E4M3FNUZ, F8E5M2FNUZ:
		return 8
	case I16, U16, F16, BF16:
		return 16
	case I32, U32, F32:
		return 32
	case C64, F64, I64, U64:
		return 64
	}
	return 0
}

// Size is the number of bytes of one element, 0 for elements smaller than a byte and for a type that the format does not
// have.
func (d DType) Size() int { return d.Bits() / 8 }

// order is the reference implementation's: it writes the tensors of later types first.
var order = [...]DType{
	Bool, F4, F6E2M3, F6E3M2, U8, I8, F8E5M2, F8E4M3, F8E8M0, F8E4M3FNUZ, F8E5M2FNUZ, I16, U16, F16, BF16, I32, U32, F32,
	C64, F64, I64, U64,
}

func (d DType) rank() int { return slices.Index(order[:], d) }
