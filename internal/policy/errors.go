package policy

import (
	"fmt"
	"strconv"
)

// A SyntaxError says where a document cannot be accepted, and why.
type SyntaxError struct {
	// Kind of the document.
	Kind Kind
	// Statement is the index of the statement, -1 if the fault is outside of one.
	Statement int
	// Sid of that statement, if it has one.
	Sid string
	// Path of the element inside the statement (or inside the document), such as Condition.StringEquals.aws:SourceVpce[1].
	// It is empty if the statement as a whole is meant.
	Path string
	// Reason says what is wrong and what is wanted.
	Reason string
}

// Error returns one line such as:
//
//	resource policy: Statement[1] (Sid "Fence"): Condition.StringEqualz: unknown operator
func (e *SyntaxError) Error() string {
	place := ""
	if e.Statement >= 0 {
		place = ": Statement[" + strconv.Itoa(e.Statement) + "]"
		if e.Sid != "" {
			place += fmt.Sprintf(" (Sid %q)", e.Sid)
		}
	}
	if e.Path != "" {
		place += ": " + e.Path
	}
	return e.Kind.String() + place + ": " + e.Reason
}

// fault is a SyntaxError in the making: the place is added on the way up.
func fault(path, format string, args ...any) *SyntaxError {
	return &SyntaxError{Statement: -1, Path: path, Reason: fmt.Sprintf(format, args...)}
}

// under puts a name in front of the path of a fault.
func (e *SyntaxError) under(name string) *SyntaxError {
	switch {
	case e.Path == "":
		e.Path = name
	case e.Path[0] == '[':
		e.Path = name + e.Path
	default:
		e.Path = name + "." + e.Path
	}
	return e
}

func index(i int) string { return "[" + strconv.Itoa(i) + "]" }
