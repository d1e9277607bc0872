package savedmodel

import "google.golang.org/protobuf/encoding/protowire"

// message writes a protocol buffer from pairs of field numbers and values: integers, strings and messages.
func message(fields ...any) []byte {
	var b []byte
	for i := 0; i < len(fields); i += 2 {
		n := protowire.Number(fields[i].(int))
		switch v := fields[i+1].(type) {
		case int:
			b = protowire.AppendVarint(protowire.AppendTag(b, n, protowire.VarintType), uint64(v))
		case int64:
			b = protowire.AppendVarint(protowire.AppendTag(b, n, protowire.VarintType), uint64(v))
		case string:
			b = protowire.AppendString(protowire.AppendTag(b, n, protowire.BytesType), v)
		case []byte:
			b = protowire.AppendBytes(protowire.AppendTag(b, n, protowire.BytesType), v)
		}
	}
	return b
}

// node writes a NodeDef; attributes are pairs of a name and an AttrValue.
func node(name, op string, inputs []string, attributes ...any) []byte {
	b := message(1, name, 2, op)
	for _, in := range inputs {
		b = append(b, message(3, in)...)
	}
	for i := 0; i < len(attributes); i += 2 {
		b = append(b, message(5, message(1, attributes[i], 2, attributes[i+1]))...)
	}
	return b
}

func callOf(function string) []byte { return message(10, message(1, function)) }

// function writes a FunctionDef with one result.
func function(name string, args []string, result string, nodes ...[]byte) []byte {
	signature := message(1, name)
	for _, a := range args {
		signature = append(signature, message(2, message(1, a))...)
	}
	signature = append(signature, message(3, message(1, "result"))...)
	b := message(1, signature, 4, message(1, "result", 2, result))
	for _, n := range nodes {
		b = append(b, message(3, n)...)
	}
	return b
}

// graph writes a SavedModel of one meta graph from nodes, functions and further fields of the meta graph.
func graph(nodes, functions [][]byte, more ...any) []byte {
	var def, library []byte
	for _, n := range nodes {
		def = append(def, message(1, n)...)
	}
	for _, f := range functions {
		library = append(library, message(1, f)...)
	}
	def = append(def, message(2, library)...)
	return message(1, 1, 2, append(message(1, message(4, "serve"), 2, def), message(more...)...))
}
