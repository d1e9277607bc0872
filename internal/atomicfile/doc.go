// Package atomicfile replaces files whole: at any moment, a power cut included, there is the old file or the new one under
// a name. [Write] writes to a temporary name in the same folder, brings file and folder to the disk, and renames. [Check]
// finds out beforehand whether Write could.
//
// A temporary file is named .NAME.DIGITS.linnet-tmp. It is removed after every error. What a killed process left
// behind, the next Write of the same file removes, on systems with file locks; elsewhere it stays.
//
// The new file has the old one's mode, and its owner and group where the process may set them. It has none of the old
// one's extended attributes, and other hard links to the old file keep the old content.
package atomicfile
