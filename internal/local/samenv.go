package local

import (
	"maps"
	"strings"
)

// samEnvironment is what `sam local invoke --env-vars` takes: for each function the variables that lead to this stack,
// by the name under which a container reaches its host.
func (s *Stack) samEnvironment() map[string]map[string]string {
	inContainer := func(url string) string { return strings.ReplaceAll(url, "//"+loopback+":", "//host.docker.internal:") }
	where := &addresses{
		stack: s.template, vpce: inContainer(s.doors[doorVPCE].url()), public: inContainer(s.doors[doorPublic].url()),
		dynamodb: inContainer(s.state.DynamoDBURL),
	}
	functions := make(map[string]map[string]string, len(s.template.Functions))
	for _, f := range s.template.Functions {
		env := maps.Clone(f.Environment)
		for name, value := range env {
			env[name] = where.localize(value, f.InVPC)
		}
		// SAM passes on only variables that the template declares.
		if _, declared := env["AWS_ENDPOINT_URL_DYNAMODB"]; declared {
			env["AWS_ENDPOINT_URL_DYNAMODB"] = where.dynamodb
		}
		functions[f.LogicalID] = env
	}
	return functions
}
