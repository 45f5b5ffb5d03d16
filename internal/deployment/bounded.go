package deployment

import (
	"errors"
	"strconv"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// model is a schema that is asked in bounded memory. The library keeps an error with its place for everything that is
// wrong, which is two gigabytes for a body of ten megabytes.
type model struct {
	schema *jsonschema.Schema
	// opposite fits what the schema does not. Under "not" the library keeps no places, and leaves an object at its first error.
	opposite *jsonschema.Schema
}

// compile makes the model of a schema that was added.
func (m *models) compile(place string) (model, error) {
	schema, err := m.compiler.Compile(place)
	if err != nil {
		return model{}, err
	}
	m.opposites++
	at := modelBase + "opposites/" + strconv.Itoa(m.opposites)
	if err := m.compiler.AddResource(at, map[string]any{"not": map[string]any{"$ref": place}}); err != nil {
		return model{}, err
	}
	opposite, err := m.compiler.Compile(at)
	if err != nil {
		return model{}, err
	}
	bound(opposite, map[*jsonschema.Schema]bool{}) // and with it the schema
	return model{schema, opposite}, nil
}

// What is said of a body that does not fit: the places only of one that is neither large nor deep.
const (
	mostReasons     = 10
	mostText        = 4000
	mostExplained   = 10_000 // values, and hundreds of bytes of their texts
	deepestExplains = 100
)

func (m model) Validate(value any) error {
	if err := checkNumbers(value); err != nil {
		return err
	}
	if m.opposite.Validate(value) != nil {
		return nil
	}
	left := mostExplained
	if !explainable(value, &left, deepestExplains) {
		return errors.New("the body does not fit the model, and is too large or too deep to say where")
	}
	err := m.schema.Validate(value)
	var invalid *jsonschema.ValidationError
	if !errors.As(err, &invalid) {
		return err
	}
	reasons := mostReasons
	shorten(invalid, &reasons)
	text := invalid.Error()
	if len(text) > mostText {
		text = strings.ToValidUTF8(text[:mostText], "") + "…"
	}
	return errors.New(text)
}

// explainable reports whether a value has few enough parts, which it takes off left, and is not too deep.
func explainable(value any, left *int, depth int) bool {
	*left--
	switch value := value.(type) {
	case map[string]any:
		for name, member := range value {
			*left -= len(name) / 100
			if depth == 0 || !explainable(member, left, depth-1) {
				return false
			}
		}
	case []any:
		for _, element := range value {
			if depth == 0 || !explainable(element, left, depth-1) {
				return false
			}
		}
	case string:
		*left -= len(value) / 100
	}
	return *left >= 0
}

// shorten cuts off the reasons that are too many.
func shorten(e *jsonschema.ValidationError, left *int) {
	if len(e.Causes) == 0 {
		*left--
	}
	for i, cause := range e.Causes {
		if *left == 0 {
			e.Causes = e.Causes[:i]
			return
		}
		shorten(cause, left)
	}
}
