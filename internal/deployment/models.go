package deployment

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/marquee-api/marquee/internal/gateway"
	"github.com/marquee-api/marquee/internal/stack"
)

// models compiles the schemas of an API's request bodies. API Gateway's models are JSON schema draft 4 ("Data models for
// REST APIs").
type models struct {
	compiler  *jsonschema.Compiler
	opposites int // how many were made
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
		model, err := m.compile(absolute(place))
		if err != nil {
			return nil, fmt.Errorf("%s: %s %s: the model of %s: %w", r.Position, r.Method, r.Path, media, err)
		}
		v.Models[media] = model
	}
	return v, nil
}
