package wordvectors

import (
	"bytes"
	"fmt"
	"math"
	"strconv"
)

// powers are the powers of ten that a float64 holds exactly.
var powers = [...]float64{
	1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11,
	1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
}

// parseFast reads the number that s begins with, up to a space or the end, and returns how many bytes it has. It is the
// float32 nearest to the number, as strconv gives it, or ok is false and the number is left to parseSlow.
//
// The digits make an integer m below 2^53, which a float64 holds exactly, and so does the power of ten: their product or
// quotient is then rounded once (Clinger, "How to read floating point numbers accurately", 1990). Rounding that again to
// a float32 gives what one rounding would have given unless it lies exactly between two of them.
func parseFast(s []byte) (value float32, n int, ok bool) {
	i := 0
	negative := false
	if len(s) > 0 && (s[0] == '-' || s[0] == '+') {
		negative = s[0] == '-'
		i = 1
	}
	var m uint64
	first := i
	for i < len(s) && s[i]-'0' <= 9 {
		m = m*10 + uint64(s[i]-'0')
		i++
	}
	count, exponent := i-first, 0
	if i < len(s) && s[i] == '.' {
		i++
		first = i
		for i < len(s) && s[i]-'0' <= 9 {
			m = m*10 + uint64(s[i]-'0')
			i++
		}
		count += i - first
		exponent = first - i
	}
	if count == 0 || count > 19 || m > 1<<53 { // 19 digits fit into 64 bits
		return 0, 0, false
	}
	if i < len(s) && s[i]|0x20 == 'e' {
		i++
		minus := false
		if i < len(s) && (s[i] == '-' || s[i] == '+') {
			minus = s[i] == '-'
			i++
		}
		e := 0
		first = i
		for i < len(s) && s[i]-'0' <= 9 {
			e = e*10 + int(s[i]-'0')
			i++
		}
		if i == first || i-first > 3 {
			return 0, 0, false
		}
		if minus {
			e = -e
		}
		exponent += e
	}
	if i < len(s) && s[i] != ' ' || exponent < -22 || exponent > 22 {
		return 0, 0, false
	}
	d := float64(m)
	if exponent < 0 {
		d /= powers[-exponent]
	} else {
		d *= powers[exponent]
	}
	const below = 1<<29 - 1 // the bits that a float32 has not
	if d != 0 && (d < 0x1p-126 || d >= math.MaxFloat32 || math.Float64bits(d)&below == 1<<28) {
		return 0, 0, false
	}
	value = float32(d)
	if negative {
		value = -value
	}
	return value, i, true
}

// parseSlow reads a field of any form that strconv knows as a decimal number; its errors have no place yet.
func parseSlow(field []byte) (float32, error) {
	if !numeric(field) {
		return 0, fmt.Errorf("%q is no number", shorten(field))
	}
	f, err := strconv.ParseFloat(string(field), 32)
	switch {
	case math.IsNaN(f), math.IsInf(f, 0) && err == nil:
		return 0, fmt.Errorf("%q is not finite", shorten(field))
	case math.IsInf(f, 0):
		return 0, fmt.Errorf("%q is too large for a float32", shorten(field))
	case err != nil:
		return 0, fmt.Errorf("%q is no number", shorten(field))
	}
	return float32(f), nil
}

// numeric says whether a field is made as a number is: of digits, signs, a point and an exponent, or the name of a value
// that is not finite. It keeps strconv's other forms (hexadecimal, underscores) out.
func numeric(field []byte) bool {
	digit := false
	for _, c := range field {
		switch {
		case '0' <= c && c <= '9':
			digit = true
		case c == '+' || c == '-' || c == '.':
		case (c == 'e' || c == 'E') && digit:
		default:
			return notFiniteName(field)
		}
	}
	return digit
}

func notFiniteName(field []byte) bool {
	if len(field) > 0 && (field[0] == '+' || field[0] == '-') {
		field = field[1:]
	}
	for _, name := range [...]string{"nan", "inf", "infinity"} {
		if bytes.EqualFold(field, []byte(name)) {
			return true
		}
	}
	return false
}
