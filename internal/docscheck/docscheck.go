// Package docscheck holds the tests that keep the documents true: what they show is run, what they link to is there, and
// what they promise to explain is explained. It has no code.
//
// A block of shell in README.md or docs says what becomes of it, in a comment above it that no reader sees:
//
//	<!-- runs -->                         each command is run against a local stack and has to end with 0,
//	                                      or with what a remark behind it says: "# exit status 4"
//	<!-- runs: shows "Rush", "1997" -->   and the output holds these
//	<!-- not run: needs an account -->    nothing is run, for a reason
//
// A block of the language console has prompts ("$ ") and output: each line of output has to come, in this order, and "…"
// stands for anything. Blocks run in the order of the documents, in a copy of this folder. The ports that they name are
// the usual ones and are replaced by those of the stack that the test runs.
//
// A block of Go is a file, or the body of a function that returns an error, and says what that function is given. It
// compiles, and looks at each of its errors:
//
//	<!-- compiles -->
//	<!-- compiles with ctx context.Context, cfg aws.Config -->
package docscheck
