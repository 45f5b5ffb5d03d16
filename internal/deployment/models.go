package deployment

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/marquee-api/marquee/internal/gateway"
	"github.com/marquee-api/marquee/internal/stack"
)

// models compiles the schemas of an API's request bodies. API Gateway's models are JSON schema draft 4 ("Data models for
// REST APIs").
type models struct {
	compiler *jsonschema.Compiler
}

// nowhere loads nothing: a schema refers to what the template holds, never to a file or an address.
type nowhere struct{}

func (nowhere) Load(url string) (any, error) {
	return nil, fmt.Errorf("%s is no model of this API", url)
}

// modelBase makes the places of the stack's schemas absolute, as the compiler wants them.
const modelBase = "https://apigateway.amazonaws.com/"

func newModels(a *stack.API) (*models, error) {
	m := &models{compiler: jsonschema.NewCompiler()}
	m.compiler.DefaultDraft(jsonschema.Draft4)
	m.compiler.UseLoader(nowhere{})
	for url, text := range a.Schemas {
		document, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
		if err != nil {
			return nil, fmt.Errorf("%s: API %s: the schema %s: %w", a.Position, a.LogicalID, url, err)
		}
		if err := m.compiler.AddResource(absolute(url), document); err != nil {
			return nil, fmt.Errorf("%s: API %s: the schema %s: %w", a.Position, a.LogicalID, url, err)
		}
	}
	return m, nil
}

func absolute(url string) string {
	if strings.HasPrefix(url, modelBase) {
		return url
	}
	return modelBase + url
}

// validation is what the gateway checks of a route's requests.
func (m *models) validation(r *stack.Route) (*gateway.Validation, error) {
	if r.Validation == nil {
		return nil, nil
	}
	v := &gateway.Validation{Models: map[string]gateway.Model{}}
	for _, p := range r.Validation.Parameters {
		v.Parameters = append(v.Parameters, gateway.Parameter(p))
	}
	for media, place := range r.Validation.Models {
		schema, err := m.compiler.Compile(absolute(place))
		if err != nil {
			return nil, fmt.Errorf("%s: %s %s: the model of %s: %w", r.Position, r.Method, r.Path, media, err)
		}
		v.Models[media] = model{schema}
	}
	return v, nil
}

// model is a schema that is asked about bounded numbers only.
type model struct{ schema *jsonschema.Schema }

func (m model) Validate(value any) error {
	if err := checkNumbers(value); err != nil {
		return err
	}
	err := m.schema.Validate(value)
	var invalid *jsonschema.ValidationError
	if errors.As(err, &invalid) {
		left := mostReasons
		shorten(invalid, &left)
	}
	return err
}

// mostReasons is how many places are named at which a body is wrong.
const mostReasons = 10

// shorten cuts off the reasons that are too many. The text of all of them may take a hundred times the body.
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

// The longest number that a schema is asked about, and the largest power of ten in it: a double's (RFC 8259, section 6).
const (
	longestNumber = 1000
	mostExponent  = 324
)

// checkNumbers refuses numbers that take the validator's exact arithmetic long to write out, or that it panics on.
func checkNumbers(value any) error {
	switch value := value.(type) {
	case map[string]any:
		for _, member := range value {
			if err := checkNumbers(member); err != nil {
				return err
			}
		}
	case []any:
		for _, element := range value {
			if err := checkNumbers(element); err != nil {
				return err
			}
		}
	case json.Number:
		text := strings.ToLower(value.String())
		_, exponent, scientific := strings.Cut(text, "e")
		power, err := strconv.Atoi(exponent)
		if len(text) > longestNumber || scientific && (err != nil || max(power, -power) > mostExponent) {
			return fmt.Errorf("the number %.40s is beyond what is compared here: at most %d characters and a power of ten up to %d", text, longestNumber, mostExponent)
		}
	}
	return nil
}
