package deployment_test

import (
	"strings"
	"testing"
	"time"

	"github.com/marquee-api/marquee/internal/deployment"
)

// Models that lead back to themselves end, in an error or a verdict.
func TestModelsThatGoInCircles(t *testing.T) {
	for name, schema := range map[string]string{
		"a reference to itself": `{$ref: "#"}`,
		"two references":        `{$ref: "#/definitions/a", definitions: {a: {$ref: "#/definitions/b"}, b: {$ref: "#/definitions/a"}}}`,
		"all of itself":         `{allOf: [{$ref: "#"}]}`,
		"a tree":                `{type: object, properties: {a: {$ref: "#"}}}`,
	} {
		t.Run(name, func(t *testing.T) {
			text := strings.Replace(withModels, "Schema: {type: string, minLength: 1}", "Schema: "+schema, 1)
			if text == withModels {
				t.Fatal("nothing was replaced")
			}
			done := make(chan error, 1)
			go func() {
				apis, err := deployment.APIs(parse(t, strings.Replace(text, "application/json: !Ref Movie", "application/json: !Ref Name", 1)))
				if err == nil {
					_ = apis[0].Routes[0].Validation.Models["application/json"].Validate(map[string]any{"a": map[string]any{"a": "x"}})
				}
				done <- err
			}()
			select {
			case <-done:
			case <-time.After(10 * time.Second):
				t.Error("it goes on and on")
			}
		})
	}
}
