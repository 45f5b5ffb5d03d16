// Package architecture holds the table of which package may import which, and the test that keeps it. It has no code.
package architecture
