package stack

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Position is a line of a template. Line counts from 1; 0 means the file as a whole.
type Position struct {
	File string
	Line int
}

// String gives "template.yaml:12".
func (p Position) String() string {
	if p.Line == 0 {
		return p.File
	}
	return p.File + ":" + strconv.Itoa(p.Line)
}

// Warning names one thing of the template that a local run cannot honour, and that makes it no more permissive than AWS.
type Warning struct {
	Position
	Resource, Property, Message string
}

// String gives "template.yaml:12: MoviesApi: CacheClusterEnabled: …".
func (w Warning) String() string {
	return locate(w.Position, w.Resource, w.Property, w.Message)
}

// Error is one thing of a template that cannot be read, that AWS would refuse, or that would make a local run more
// permissive than AWS.
type Error struct {
	Position
	Resource string // logical id, or the section's name
	Property string // dotted path, may be empty
	Message  string // what is wrong and what to do next
}

// Error gives "template.yaml:12: MoviesApi: Auth.DefaultAuthorizer: …".
func (e *Error) Error() string {
	return locate(e.Position, e.Resource, e.Property, e.Message)
}

func locate(parts ...any) string {
	var words []string
	for _, part := range parts {
		if text := fmt.Sprint(part); text != "" {
			words = append(words, text)
		}
	}
	return strings.Join(words, ": ")
}

// maxErrors bounds a report: past it, one more line helps nobody.
const maxErrors = 50

// report joins what was found, in the order of lines, each thing once.
func report(found []*Error) error {
	if len(found) == 0 {
		return nil
	}
	slices.SortStableFunc(found, func(a, b *Error) int {
		if c := strings.Compare(a.File, b.File); c != 0 {
			return c
		}
		return a.Line - b.Line
	})
	var all []error
	for i, e := range found {
		if i > 0 && *e == *found[i-1] {
			continue
		}
		if len(all) == maxErrors {
			break
		}
		all = append(all, e)
	}
	return errors.Join(all...)
}
