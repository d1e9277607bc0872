// Package safetensors reads and writes safetensors files: named arrays behind a JSON header, the format in which
// Hugging Face distributes weights (https://huggingface.co/docs/safetensors).
//
// A file is the header's length (8 bytes, little-endian), the header, and the elements of all tensors one after
// another, row-major and little-endian, without gaps. [Open] checks the whole header before it returns; the
// elements are read when asked for. Nothing that a header claims leads to an allocation larger than the file.
package safetensors
