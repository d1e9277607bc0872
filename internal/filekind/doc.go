// Package filekind names what lies under a path that should be a plain file, for errors.
package filekind
