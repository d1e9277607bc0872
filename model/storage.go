package model

import (
	"context"
	"encoding/binary"
	"fmt"

	"github.com/linnet-ml/linnet/internal/hugepage"
	"github.com/linnet-ml/linnet/internal/safetensors"
	"github.com/linnet-ml/linnet/internal/strictjson"
	"github.com/linnet-ml/linnet/nn/plan"
	"github.com/linnet-ml/linnet/tensor"
)

// storageEntries are the tensors that hold a parameter as it is stored: whole numbers of 8 bits with their scales beside
// them. A storage of another type is written as float32.
func storageEntries(p *plan.Parameter, s plan.Storage) []safetensors.Entry {
	e := safetensors.Entry{Name: p.Name(), Shape: p.Shape()}
	switch s := s.(type) {
	case plan.Float32Storage:
		e.Data = safetensors.Float32Data(p.Values())
	case plan.ReadOnlyStorage:
		e.Data = safetensors.Float32Data(s)
	case plan.Float16Storage:
		e.Data = safetensors.Float16Data(s)
	case plan.BFloat16Storage:
		e.Data = safetensors.BFloat16Data(s)
	case *plan.Int8Storage:
		e.Data = safetensors.Int8Data(s.Values)
		return []safetensors.Entry{e, {Name: scalesPrefix + p.Name(), Shape: []int{len(s.Scales)}, Data: safetensors.Float32Data(s.Scales)}}
	default:
		values := make([]float32, s.Len())
		s.Read(values, 0)
		e.Data = safetensors.Float32Data(values)
	}
	return []safetensors.Entry{e}
}

// storageOf returns the elements of a parameter where they lie in the file, lent by lender, or, where that is nil or the
// machine cannot use them as they lie, a copy.
func storageOf(ctx context.Context, f *safetensors.File, name string, shape tensor.Shape, lender plan.Lender) (plan.Storage, error) {
	t, err := f.Tensor(name)
	if err != nil {
		return nil, fmt.Errorf("the file has no tensor %s", strictjson.Quote(name))
	}
	if !shape.Equal(t.Shape) {
		return nil, fmt.Errorf("%w: the file has it with shape %v, and the layer needs %v", tensor.ErrShape, tensor.Shape(t.Shape), shape)
	}
	s, inPlace, err := readStorage(ctx, f, t, lender != nil)
	if err != nil {
		return nil, err
	}
	if inPlace {
		s = plan.LentStorage{Storage: s, Lender: lender}
	}
	return s, nil
}

// readStorage returns the elements of a tensor and whether they lie in the file, which is wanted where mapped is set.
func readStorage(ctx context.Context, f *safetensors.File, t safetensors.Tensor, mapped bool) (s plan.Storage, inPlace bool, err error) {
	switch t.DType {
	case safetensors.F32:
		if v, ok := t.Float32View(); ok && mapped {
			return plan.ReadOnlyStorage(v), true, nil
		}
		v := hugepage.Make[plan.Float32Storage](t.Len())
		return v, false, t.ReadFloat32(ctx, v, safetensors.Conversion{})
	case safetensors.F16, safetensors.BF16:
		bits, inPlace := t.Uint16View()
		if !inPlace || !mapped {
			inPlace = false
			raw, err := t.Bytes()
			if err != nil {
				return nil, false, err
			}
			bits = make([]uint16, len(raw)/2)
			for i := range bits {
				bits[i] = binary.LittleEndian.Uint16(raw[2*i:])
			}
		}
		if t.DType == safetensors.F16 {
			return plan.Float16Storage(bits), inPlace, nil
		}
		return plan.BFloat16Storage(bits), inPlace, nil
	case safetensors.I8:
		return readInt8(f, t, mapped)
	}
	return nil, false, fmt.Errorf("the file has it as %s; weights are F32, F16, BF16 or I8", t.DType)
}

func readInt8(f *safetensors.File, t safetensors.Tensor, mapped bool) (plan.Storage, bool, error) {
	name := scalesPrefix + t.Name
	scales, err := f.Tensor(name)
	if err != nil {
		return nil, false, fmt.Errorf("the file has it as I8, and no tensor %s with the scale of each row", strictjson.Quote(name))
	}
	n := scales.Len()
	if scales.DType != safetensors.F32 || len(scales.Shape) != 1 || n < 1 || t.Len()%n != 0 || t.Len() == 0 {
		return nil, false, fmt.Errorf("tensor %s holds %s of shape %v, which are no scales for %d elements", strictjson.Quote(name), scales.DType, tensor.Shape(scales.Shape), t.Len())
	}
	s := &plan.Int8Storage{Width: t.Len() / n}
	values, ok := t.Int8View()
	floats, okScales := scales.Float32View()
	inPlace := ok && okScales && mapped
	if !inPlace {
		raw, err := t.Bytes()
		if err != nil {
			return nil, false, err
		}
		values = make([]int8, len(raw))
		for i, b := range raw {
			values[i] = int8(b)
		}
		if floats, err = scales.Float32(); err != nil {
			return nil, false, err
		}
	}
	s.Values, s.Scales = values, floats
	return s, inPlace, nil
}
