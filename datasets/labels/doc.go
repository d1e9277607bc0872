// Package labels turns the names of classes into what models train on, and back.
//
// [Learn] and [LearnSets] find the classes of a data set; [New] takes given ones. The [Classes] then make ids of names,
// one a row, or rows of zeros and ones where a row may have several names.
package labels
