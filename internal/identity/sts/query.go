package sts

import (
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// parameters are those of a Query request: each name once.
type parameters map[string]string

// maxParameters is more than any action has: two for each of 50 tags, 50 transitive ones, and a few.
const maxParameters = 400

// add reads an urlencoded form. Unlike url.ParseQuery it refuses a name that is there twice: of two values, the one that
// was signed for is not to be told from the one that was slipped in.
func (p parameters) add(form string) *refusal {
	for rest, more := form, form != ""; more; {
		var pair string
		pair, rest, more = strings.Cut(rest, "&")
		if pair == "" {
			continue
		}
		rawName, rawValue, _ := strings.Cut(pair, "=")
		name, err := url.QueryUnescape(rawName)
		if err != nil {
			return refuseMalformed("a parameter's name is not percent-encoded")
		}
		value, err := url.QueryUnescape(rawValue)
		switch {
		case err != nil:
			return refuseMalformed(fmt.Sprintf("parameter %.100q is not percent-encoded", name))
		case p.has(name):
			return refuseMalformed(fmt.Sprintf("parameter %.100q is there twice", name))
		case len(p) == maxParameters:
			return refuseMalformed(fmt.Sprintf("there are more than %d parameters", maxParameters))
		}
		p[name] = value
	}
	return nil
}

func (p parameters) get(name string) string { return p[name] }

func (p parameters) has(name string) bool {
	_, ok := p[name]
	return ok
}

// hasUnder reports whether there is a parameter of that name or one inside it, as Tags.member.1.Key is inside Tags.
func (p parameters) hasUnder(name string) bool {
	for key := range p {
		if key == name && p[key] != "" || strings.HasPrefix(key, name+".") {
			return true
		}
	}
	return false
}

// members returns the names of the members of a list, "Tags.member.1" and so on, by their numbers. It reports false for a
// name under the list that is no member's: to pass it over could be to pass over a tag.
func (p parameters) members(list string) ([]string, bool) {
	names := map[int]string{}
	for key := range p {
		under, ok := strings.CutPrefix(key, list+".")
		if !ok {
			continue
		}
		digits, _, _ := strings.Cut(strings.TrimPrefix(under, "member."), ".")
		number, err := strconv.Atoi(digits)
		if err != nil || number < 1 || strconv.Itoa(number) != digits || !strings.HasPrefix(under, "member.") {
			return nil, false
		}
		names[number] = list + ".member." + digits
	}
	sorted := make([]string, 0, len(names))
	for _, number := range slices.Sorted(maps.Keys(names)) {
		sorted = append(sorted, names[number])
	}
	return sorted, true
}
