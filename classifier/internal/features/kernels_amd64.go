//go:build !purego

package features

import (
	"math/bits"
	"unsafe"

	"golang.org/x/sys/cpu"
)

// available returns the kernels that this processor can run, the best last.
func available() []kernels {
	if x := &cpu.X86; !x.HasAVX2 || !x.HasBMI1 || !x.HasBMI2 || !x.HasPOPCNT {
		return []kernels{portable}
	}
	return []kernels{portable, avx2}
}

func best() kernels {
	all := available()
	return all[len(all)-1]
}

// avx2 are the kernels for processors with AVX2, BMI1, BMI2 and POPCNT.
var avx2 = kernels{
	"avx2",
	func(c *candidates, t *Table, grams, last []uint64) int {
		grams = grams[:len(last)]
		_ = c.hashes[len(last)-1]
		return siftAVX2(&c.hashes[0], &c.starts[0], &grams[0], &last[0], len(last), &t.words[0], &t.sections[0], uint64(t.shift), t.known, &t.entries[0])
	},
	func(ids []uint32, c *candidates, t *Table, n int) int {
		if n == 0 {
			return 0
		}
		_ = ids[n-1]
		return findAVX2(&ids[0], &c.hashes[0], &c.starts[0], n, &t.entries[0], uint64(t.tag), uint64(t.n))
	},
	func(masks []mask, text string, marks bool) {
		_ = text[64*len(masks)-1]
		flag := uint64(0)
		if marks {
			flag = 1<<64 - 1
		}
		markAVX2(&masks[0], unsafe.StringData(text), len(masks), flag)
	},
	func(out [][2]int32, masks []mask, before int) (began, ended int) {
		_ = out[64*(len(masks)-1)]
		return endsAVX2(&out[0], &masks[0], len(masks)-1, before)
	},
	func(out []uint64, text string, base int, ends [][2]int32, fold uint64) {
		_ = text[base+int(ends[len(out)-1][1])+7]
		_ = text[base+int(ends[0][0])]
		wordsAVX2(&out[0], (*byte)(unsafe.Add(unsafe.Pointer(unsafe.StringData(text)), base)), &ends[0], len(out), fold)
	},
	func(found []Count, slots []uint16, ids []uint32) int {
		_ = found[len(ids)-1]
		return countAVX2(&found[0], &slots[0], &ids[0], len(ids), uint64(33-bits.Len(uint(len(slots)))))
	},
}

// siftAVX2 is the kernel of sift: n is at least 1.
//
//	for i := range n {
//		h := grams[i]*prime2 + last[i]
//		grams[i] = h
//		h &= known
//		at, place := h>>shift, uint64(uint32(h>>(shift-32)))*48>>32
//		word := words[at]
//		out[kept], starts[kept] = h, sections[at>>8] + word>>48 + popcount(word&(1<<place-1))
//		kept += word >> place & 1
//	}
//
// It asks for the words of 32 hashes before it uses them, and for the entries where to begin to look.
//
//go:noescape
func siftAVX2(out *uint64, starts *uint32, grams, last *uint64, n int, words *uint64, sections *uint32, shift, known uint64, entries *uint32) (kept int)

// findAVX2 is the kernel of find: n is at least 1.
//
//	for i := range n {
//		for j := range 8 {
//			if id := starts[i] + j; entries[id]>>8 == uint32(hashes[i]>>tag)<<8>>8 {
//				ids[found] = id // if it is below limit
//				found++
//				break
//			}
//		}
//	}
//
//go:noescape
func findAVX2(ids *uint32, hashes *uint64, starts *uint32, n int, entries *uint32, tag, limit uint64) (found int)

// markAVX2 is the kernel of mark: masks[i] becomes that of the 64 bytes from text+64*i on, mark without the bits that marks does not have.
//
//go:noescape
func markAVX2(masks *mask, text *byte, n int, marks uint64)

// countAVX2 is the kernel of count: slots, which are all 0, are 1<<(32-shift), more than n, and n is 1 to 65,535. It uses no vectors.
//
//	for _, id := range ids[:n] {
//		slot := id * 0x9e3779b9 >> shift
//		for slots[slot] != 0 && found[slots[slot]-1].ID != id {
//			slot = (slot + 1) & (1<<(32-shift) - 1)
//		}
//		if slots[slot] == 0 {
//			found[distinct] = Count{id, 0}
//			distinct++
//			slots[slot] = uint16(distinct)
//		}
//		x := &found[slots[slot]-1]
//		x.N = min(x.N+1, 255)
//	}
//
//go:noescape
func countAVX2(found *Count, slots *uint16, ids *uint32, n int, shift uint64) (distinct int)

// endsAVX2 is the kernel of ends: n is at least 1, and there is one more of masks. It writes whole groups, at most 64 for a block. It uses no
// vectors.
//
//	began = before
//	for i := range n {
//		run, mark := masks[i].run, masks[i].mark
//		for first := run&^(run<<1|before) | mark; first != 0; first &= first - 1 {
//			out[began][0] = 64*i + bits.TrailingZeros64(first)
//			began++
//		}
//		for last := run&^(run>>1|masks[i+1].run<<63) | mark; last != 0; last &= last - 1 {
//			out[ended][1] = 64*i + bits.TrailingZeros64(last) + 1
//			ended++
//		}
//		before = run >> 63
//	}
//
//go:noescape
func endsAVX2(out *[2]int32, masks *mask, n, before int) (began, ended int)

// wordsAVX2 is the kernel of words: n is at least 1. It reads eight bytes after the last word. It uses no vectors.
//
//	for i := range n {
//		h, start, end := prime0, ends[i][0], ends[i][1]
//		f := foldOf(text[start], fold)
//		for ; end-start > 8; start += 8 {
//			h = mix((load(text, start)|f)^h, prime1)
//		}
//		out[i] = mix((load(text, start)|f)&lowest[end-start]^h, prime1)
//	}
//
//go:noescape
func wordsAVX2(out *uint64, text *byte, ends *[2]int32, n int, fold uint64)
