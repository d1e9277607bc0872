package text

import (
	"context"
	"unicode/utf8"
	"unsafe"

	"golang.org/x/text/unicode/norm"
)

// Unicode is what may happen to the characters of a text before its [Standardization], which treats bytes and so knows
// ASCII alone. The zero value leaves texts as they are, as Keras does. Bytes that are no UTF-8 stay as they are.
//
// Characters are those of Unicode 15; which of later ones NFC composes is golang.org/x/text's.
type Unicode struct {
	// Lower makes the letters of all scripts lower case, a character for a character: "ÉCOLE Σ" becomes "école σ". ASCII's
	// are among them, whatever the Standardization does.
	Lower bool `json:",omitempty"`
	// NFC composes characters (Unicode's Normalization Form C): "e" with U+0301 after it becomes "é", so that texts that look
	// the same are the same.
	NFC bool `json:",omitempty"`
}

// Apply returns the text with the changes.
func (u Unicode) Apply(s string) string {
	if u.Lower {
		s = Lower.Apply(s)
	}
	var f folded
	if w := (watch{ctx: context.Background()}); u.fold(&w, &f, s) {
		return string(f.bytes)
	}
	return s
}

// folded is memory for a text with Unicode's changes. It is used again for the next text.
type folded struct {
	bytes []byte // the text
	lower []byte // a piece of it in lower case
	runes norm.Iter
}

// text is the text in the memory of f: good until that is used again.
func (f *folded) text() string { return unsafe.String(unsafe.SliceData(f.bytes), len(f.bytes)) }

// lowered is the piece in lower case: good until the next one.
func (f *folded) lowered() string { return unsafe.String(unsafe.SliceData(f.lower), len(f.lower)) }

// compose appends a piece in NFC, as norm.NFC.AppendString does, with memory that is used again.
func (f *folded) compose(piece string) {
	for piece != "" {
		n := norm.NFC.QuickSpanString(piece)
		f.bytes = append(f.bytes, piece[:n]...)
		if piece = piece[n:]; piece == "" {
			break
		}
		f.runes.InitString(norm.NFC, piece)
		f.bytes = append(f.bytes, f.runes.Next()...)
		piece = piece[f.runes.Pos():]
	}
	f.runes = norm.Iter{} // which has the text
}

// fold leaves s with the changes in f.bytes, unless there are none. Where these are ASCII's lower case alone, there are
// none: the table of bytes, which all texts go through, has that. When the context is done it leaves the front of the text.
func (u Unicode) fold(w *watch, f *folded, s string) (changes bool) {
	for i := 0; i < len(s) && (i == 0 || !w.stop()); {
		end := foldPiece(s, i)
		piece := s[i:end]
		lowers, composes := u.looks(piece)
		if !changes && (lowers || composes) {
			f.bytes = append(f.bytes[:0], s[:i]...)
			changes = true
		}
		switch {
		case lowers:
			f.lower = appendLower(f.lower[:0], piece)
			if u.NFC {
				f.compose(f.lowered())
			} else {
				f.bytes = append(f.bytes, f.lower...)
			}
		case composes:
			f.compose(piece)
		case changes:
			f.bytes = append(f.bytes, piece...)
		}
		i = end
	}
	return changes
}

// foldPiece returns where a piece of s ends that begins at i and is about watchBytes long: no character after it composes
// with one before it.
func foldPiece(s string, i int) (end int) {
	if len(s)-i <= watchBytes {
		return len(s)
	}
	middle := i + watchBytes
	for k := middle; k < min(len(s), middle+watchBytes); k++ {
		if s[k] < utf8.RuneSelf { // ASCII composes with nothing before it
			return k
		}
	}
	for middle < len(s) && !utf8.RuneStart(s[middle]) {
		middle++
	}
	if n := norm.NFC.NextBoundaryInString(s[middle:], true); n > 0 {
		return middle + n
	}
	return len(s)
}

// looks reports whether a piece has characters beyond ASCII with a lower case, and whether it is not in NFC.
func (u Unicode) looks(s string) (lowers, composes bool) {
	mask := uint64(high)
	for i := 0; i < len(s); {
		if i+8 <= len(s) && load(s, i)&mask == 0 {
			i += 8
			continue
		}
		if s[i] < utf8.RuneSelf {
			i++
			continue
		}
		r, size := utf8.DecodeRuneInString(s[i:])
		i += size
		if u.Lower && !lowers {
			// A letter may compose with what follows as a small one alone, such as an h with U+0331.
			before := i > size && 'A' <= s[i-size-1] && s[i-size-1] <= 'Z'
			lowers = lower(r) != r || u.NFC && before && r >= firstCombining && !norm.NFC.PropertiesString(s[i-size:]).BoundaryBefore()
		}
		composes = composes || r >= firstCombining && size > 1
		if lowers && composes {
			break
		}
	}
	return lowers, u.NFC && composes && norm.NFC.QuickSpanString(s) < len(s)
}

// firstCombining is the first character that is not alike in NFC whatever stands around it.
const firstCombining = 0x300

// appendLower appends a text in lower case.
func appendLower(dst []byte, s string) []byte {
	for i := 0; i < len(s); {
		if c := s[i]; c < utf8.RuneSelf {
			dst = append(dst, byte(lower(rune(c))))
			i++
			continue
		}
		r, size := utf8.DecodeRuneInString(s[i:])
		if size == 1 {
			dst = append(dst, s[i])
		} else {
			dst = utf8.AppendRune(dst, lower(r))
		}
		i += size
	}
	return dst
}
