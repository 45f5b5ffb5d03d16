package deployment

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math/big"
	"slices"
	"strconv"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
)

// bound takes over from the library, in a schema and all below it, what does not end at the first error there: the items of
// arrays, and the search for equal ones.
func bound(s *jsonschema.Schema, seen map[*jsonschema.Schema]bool) {
	if s == nil || seen[s] {
		return
	}
	seen[s] = true
	for _, below := range subschemas(s) {
		bound(below, seen)
	}
	switch of := s.Items.(type) {
	case *jsonschema.Schema:
		s.Items, s.Extensions = nil, append(s.Extensions, eachItem{of, 0})
	case []*jsonschema.Schema:
		if rest, ok := s.AdditionalItems.(*jsonschema.Schema); ok {
			s.AdditionalItems, s.Extensions = nil, append(s.Extensions, eachItem{rest, len(of)})
		}
	}
	if s.Items2020 != nil {
		s.Items2020, s.Extensions = nil, append(s.Extensions, eachItem{s.Items2020, len(s.PrefixItems)})
	}
	if s.UniqueItems {
		s.UniqueItems, s.Extensions = false, append(s.Extensions, unique{})
	}
}

// subschemas are those that a schema consists of.
func subschemas(s *jsonschema.Schema) []*jsonschema.Schema {
	all := []*jsonschema.Schema{
		s.Ref, s.RecursiveRef, s.Not, s.If, s.Then, s.Else, s.PropertyNames, s.UnevaluatedProperties, s.Contains, s.Items2020,
		s.UnevaluatedItems, s.ContentSchema,
	}
	all = slices.Concat(all, s.AllOf, s.AnyOf, s.OneOf, s.PrefixItems)
	all = slices.AppendSeq(all, maps.Values(s.Properties))
	all = slices.AppendSeq(all, maps.Values(s.PatternProperties))
	all = slices.AppendSeq(all, maps.Values(s.DependentSchemas))
	if s.DynamicRef != nil {
		all = append(all, s.DynamicRef.Ref)
	}
	for _, one := range append(slices.Collect(maps.Values(s.Dependencies)), s.Items, s.AdditionalItems, s.AdditionalProperties) {
		switch one := one.(type) {
		case *jsonschema.Schema:
			all = append(all, one)
		case []*jsonschema.Schema:
			all = append(all, one...)
		}
	}
	return all
}

// eachItem holds the items of an array, from one on, to a schema.
type eachItem struct {
	schema *jsonschema.Schema
	from   int
}

// Validate stops at the first item that does not fit, or after some where places are asked for.
func (e eachItem) Validate(ctx *jsonschema.ValidatorContext, v any) {
	array, _ := v.([]any)
	wrong := 0
	for i := e.from; i < len(array); i++ {
		err := ctx.Validate(e.schema, array[i], []string{strconv.Itoa(i)})
		if err == nil {
			continue
		}
		ctx.AddErr(err)
		wrong++
		if invalid, ok := err.(*jsonschema.ValidationError); !ok || invalid.ErrorKind == nil || wrong == mostReasons {
			return
		}
	}
}

// unique wants the items of an array to differ. The library's own search compares every item with all of the same hash, and
// lists that are nested in different ways have the same.
type unique struct{}

func (unique) Validate(ctx *jsonschema.ValidatorContext, v any) {
	array, _ := v.([]any)
	seen := make(map[[sha256.Size]byte]int, len(array))
	for i, item := range array {
		hash := sha256.New()
		writeValue(hash, item)
		sum := [sha256.Size]byte(hash.Sum(nil))
		if first, ok := seen[sum]; ok {
			ctx.AddError(&kind.UniqueItems{Duplicates: [2]int{first, i}})
			return
		}
		seen[sum] = i
	}
}

// writeValue writes equal values alike, and others otherwise: each part says how long it is.
func writeValue(w io.Writer, v any) {
	switch v := v.(type) {
	case map[string]any:
		fmt.Fprintf(w, "{%d:", len(v))
		for _, name := range slices.Sorted(maps.Keys(v)) {
			writeValue(w, name)
			writeValue(w, v[name])
		}
	case []any:
		fmt.Fprintf(w, "[%d:", len(v))
		for _, item := range v {
			writeValue(w, item)
		}
	case json.Number:
		text := v.String()
		if exact, ok := new(big.Rat).SetString(text); ok {
			text = exact.RatString() // 1.0 and 1 are equal
		}
		fmt.Fprintf(w, "%d#%s", len(text), text)
	case string:
		fmt.Fprintf(w, "%d\"%s", len(v), v)
	default:
		fmt.Fprintf(w, "%v;", v) // null, true and false
	}
}
