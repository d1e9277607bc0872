package bundle

import "hash/crc32"

func castagnoli() *crc32.Table { return crc32.MakeTable(crc32.Castagnoli) }

// mask is how the formats of LevelDB and TensorFlow store a CRC32C, so that a checksum over data that holds checksums
// is no weaker.
func mask(crc uint32) uint32 { return (crc>>15 | crc<<17) + 0xa282ead8 }
