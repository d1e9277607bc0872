package budget

// Within reports whether length bytes (elements, rows) from offset on lie in a whole of size: none of the three is negative,
// and the part does not end after the whole. It subtracts, so that no offset and no length that a file names overflows. Every
// reader of a format that says where its parts are asks it, before it adds the two.
func Within[N int | int32 | int64 | uint32 | uint64](offset, length, size N) bool {
	return offset >= 0 && length >= 0 && offset <= size && length <= size-offset
}
