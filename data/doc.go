// Package data holds the sample movies as a file, and the test that keeps them valid. It has no code.
package data
