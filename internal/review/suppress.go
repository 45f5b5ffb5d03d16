package review

import (
	"fmt"

	"github.com/marquee-api/marquee/internal/stack"
)

// suppression is an entry of Metadata.Marquee.Skip: a rule that does not count for a resource, or for the whole template
// where the template's own Metadata says so, and why.
type suppression struct {
	rule, resource string
	stack.Position
	used bool
}

// suppress drops the findings that the template explains away, and finds fault with explanations that explain nothing.
func (s *subject) suppress() {
	entries := s.suppressions(s.Metadata, "")
	for _, r := range s.Resources() {
		entries = append(entries, s.suppressions(r.Attributes.At("Metadata"), r.LogicalID)...)
	}
	var kept []Finding
	for _, f := range s.found {
		if f.Rule.ID == suppressionRule.ID {
			kept = append(kept, f)
			continue
		}
		hidden := false
		for i := range entries {
			e := &entries[i]
			if e.rule == f.Rule.ID && (e.resource == "" || e.resource == f.Resource) {
				hidden, e.used = true, true
			}
		}
		if !hidden {
			kept = append(kept, f)
		}
	}
	s.found = kept
	for _, e := range entries {
		if !e.used {
			s.faulty(e, "%s finds nothing here: take its suppression away", e.rule)
		}
	}
}

func (s *subject) suppressions(metadata stack.Node, resource string) []suppression {
	var out []suppression
	for _, item := range metadata.At("Marquee", "Skip").Items() {
		id, reason := item.At("Rule").Text(), item.At("Reason").Text()
		_, known := Find(id)
		entry := suppression{rule: id, resource: resource, Position: item.Position}
		switch {
		case !known:
			s.faulty(entry, "%q is no rule: an entry of Skip has a Rule and a Reason", id)
		case reason == "":
			s.faulty(entry, "the suppression of %s has no Reason", id)
		default:
			out = append(out, entry)
		}
	}
	return out
}

func (s *subject) faulty(e suppression, format string, args ...any) {
	s.found = append(s.found, Finding{Rule: suppressionRule, Resource: e.resource, Message: fmt.Sprintf(format, args...), Position: e.Position})
}
