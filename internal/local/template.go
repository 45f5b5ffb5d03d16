package local

import "github.com/marquee-api/marquee/internal/stack"

// readTemplate reads the template with the parameters of its configuration file and those given.
func readTemplate(o Options) (*stack.Stack, error) {
	config, err := stack.LoadConfig(o.Config, o.ConfigEnv)
	if err != nil {
		return nil, err
	}
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
