package local

import (
	"cmp"
	"fmt"
	"io"

	"github.com/marquee-api/marquee/internal/gateway"
	"github.com/marquee-api/marquee/internal/stack"
)

// readTemplate reads the template with the parameters of the configuration file and those given.
func readTemplate(o Options, config *stack.Config) (*stack.Stack, error) {
	parameters := map[string]string{}
	for name, value := range config.Parameters {
		parameters[name] = value
	}
	for name, value := range o.Parameters {
		parameters[name] = value
	}
	policies, err := stack.ReadPolicies(o.Policies)
	if err != nil {
		return nil, err
	}
	options := stack.Options{
		Name: config.StackName, Region: config.Region, AccountID: accountID, Parameters: parameters, Exports: o.Exports, ManagedPolicies: policies,
	}
	if options.Name == "" {
		options.Name = "marquee-local"
	}
	if options.Region == "" {
		options.Region = "us-east-1"
	}
	return stack.Load(o.Template, options)
}

// printWarnings names what a template says and this does not do, and what does not work on AWS either: the last of it, which
// roles may not invoke and which functions run for nobody, only the gateway's configuration says.
func printWarnings(w io.Writer, s *stack.Stack, apis []gateway.API) {
	for _, warning := range s.Warnings {
		fmt.Fprintf(w, "warning: %s: %s %s: %s\n", warning.Position, warning.Resource, warning.Property, warning.Message)
	}
	for i, api := range apis { // in the order of the stack's, with their routes
		for j, route := range api.Routes {
			why := cmp.Or(route.Unpermitted, route.Throttled)
			if from := s.APIs[i].Routes[j]; why != "" && from.Unpermitted == "" {
				fmt.Fprintf(w, "warning: %s: %s %s %s: AWS answers 500, and so does this: %s\n", from.Position, s.APIs[i].LogicalID, from.Method, from.Path, why)
			}
		}
	}
}
