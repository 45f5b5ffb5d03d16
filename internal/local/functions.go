package local

import (
	"context"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/marquee-api/marquee/internal/deployment"
	"github.com/marquee-api/marquee/internal/gateway"
	"github.com/marquee-api/marquee/internal/gobuild"
	"github.com/marquee-api/marquee/internal/identity"
	"github.com/marquee-api/marquee/internal/lambdahost"
	"github.com/marquee-api/marquee/internal/stack"
)

// addresses are the names of the template's network and where they are on this machine.
type addresses struct {
	stack    *stack.Stack
	vpce     string // URL of the endpoint's door
	public   string // URL of the public door
	dynamodb string // empty: the stack has no table
	sts      string
	hosts    []string // the names of this machine that count as loopback
}

// environment is what a function's process gets: the template's variables, with the names that only AWS resolves
// replaced by the doors they stand for, its role's credentials, and where DynamoDB is.
func (a *addresses) environment(f *stack.Function, role *identity.Identity) []string {
	env := maps.Clone(f.Environment)
	if env == nil {
		env = map[string]string{}
	}
	for name, value := range env {
		env[name] = a.localize(value, f.InVPC)
	}
	env["AWS_REGION"], env["AWS_DEFAULT_REGION"] = a.stack.Region, a.stack.Region
	env["AWS_ACCESS_KEY_ID"], env["AWS_SECRET_ACCESS_KEY"], env["AWS_SESSION_TOKEN"] = role.AccessKeyID, role.Key.SecretAccessKey, role.Key.SessionToken
	env["AWS_EC2_METADATA_DISABLED"] = "true" // no credentials but the role's
	if a.sts != "" {
		env["AWS_ENDPOINT_URL_STS"] = a.sts
	}
	if a.dynamodb != "" {
		env["AWS_ENDPOINT_URL_DYNAMODB"] = a.dynamodb
	}
	lines := make([]string, 0, len(env))
	for _, name := range slices.Sorted(maps.Keys(env)) {
		lines = append(lines, name+"="+env[name])
	}
	return lines
}

// localize replaces the invoke URLs of the stack's APIs. A function in the VPC reaches them through the endpoint, any
// other comes from the public internet and is refused there by a private API, as on AWS.
func (a *addresses) localize(value string, inVPC bool) string {
	door := a.public
	if inVPC {
		door = a.vpce
	}
	for _, endpoint := range a.stack.Endpoints {
		if endpoint.DNSName == "" || endpoint.Service != "execute-api" {
			continue
		}
		if value == endpoint.DNSName {
			return strings.TrimPrefix(door, "http://")
		}
		value = strings.ReplaceAll(value, "https://"+endpoint.DNSName, door)
		for _, api := range a.stack.APIs {
			value = strings.ReplaceAll(value, "https://"+api.ID+"-"+endpoint.ID+a.suffix(), door)
		}
	}
	if !a.privateDNS() {
		door = a.public
	}
	for _, api := range a.stack.APIs {
		value = strings.ReplaceAll(value, "https://"+api.ID+a.suffix(), door)
	}
	return value
}

// privateDNS says whether the API's own name leads to the endpoint. Of an endpoint that is not of the template it is not
// known, and the usual case taken.
func (a *addresses) privateDNS() bool {
	known := false
	for _, endpoint := range a.stack.Endpoints {
		if endpoint.Service == "execute-api" {
			if endpoint.PrivateDNS {
				return true
			}
			known = true
		}
	}
	return !known
}

func (a *addresses) suffix() string { return ".execute-api." + a.stack.Region + ".amazonaws.com" }

// fleet runs the functions of a stack.
type fleet struct {
	byName map[string]*lambdahost.Function
	invoke *lambdahost.InvokeAPI
}

// Invoke runs a function for the gateway.
func (f *fleet) Invoke(ctx context.Context, name string, event gateway.Event) (gateway.Answer, error) {
	function, ok := f.byName[name]
	if !ok {
		return gateway.Answer{}, fmt.Errorf("function %s has no binary here", name)
	}
	result, err := function.Invoke(ctx, lambdahost.Invocation{Payload: event.Payload, TraceID: event.TraceID})
	if err != nil {
		return gateway.Answer{}, err
	}
	return gateway.Answer{Payload: result.Payload, FunctionError: result.FunctionError}, nil
}

// drain waits for the asynchronous invocations on their way, until the context ends, and takes no more.
func (f *fleet) drain(ctx context.Context) { _ = f.invoke.Close(ctx) }

// close ends every process.
func (f *fleet) close(ctx context.Context) error {
	var group errgroup.Group
	for _, function := range f.byName {
		group.Go(func() error { return function.Close(ctx) })
	}
	return group.Wait()
}

// newFleet makes a host for each function that was built. hosts are the names under which the Invoke API answers.
func newFleet(a *addresses, binaries map[string]string, ids *identity.Directory, log func(lambdahost.LogLine)) (*fleet, error) {
	f := &fleet{byName: map[string]*lambdahost.Function{}}
	f.invoke = &lambdahost.InvokeAPI{
		Functions: f.byName, AllowedHosts: a.hosts, Region: a.stack.Region, Account: a.stack.AccountID,
	}
	for _, fn := range a.stack.Functions {
		bootstrap, ok := binaries[fn.LogicalID]
		if !ok {
			continue
		}
		role, err := deployment.FunctionSession(ids, a.stack, fn)
		if err != nil {
			return nil, err
		}
		config := lambdahost.Config{
			Name: fn.Name, ARN: fn.ARN, Bootstrap: bootstrap, Dir: filepath.Dir(bootstrap), Handler: fn.Handler,
			Env: a.environment(fn, role), Timeout: fn.Timeout, MemoryMB: fn.MemoryMB, Log: log,
		}
		if fn.ReservedConcurrency != nil {
			config.Concurrency = reserved(*fn.ReservedConcurrency)
		}
		host, err := lambdahost.New(config)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", fn.Position, err)
		}
		f.byName[fn.Name] = host
	}
	return f, nil
}

// reserved maps a reserved concurrency to the host's, where zero means the default and a negative one means none.
func reserved(n int) int {
	if n == 0 {
		return -1
	}
	return n
}

// builds are the functions that can run here: those of other languages and those whose code lies elsewhere were named in a
// warning, and answer as a function that cannot be invoked.
func (s *Stack) builds() []gobuild.Function {
	var functions []gobuild.Function
	for _, f := range s.template.Functions {
		if f.CodeURI != "" && runsHere(f.Runtime) {
			functions = append(functions, gobuild.Function{LogicalID: f.LogicalID, CodeURI: f.CodeURI, Method: f.BuildMethod})
		}
	}
	return functions
}

// build makes the functions' binaries.
func (s *Stack) build(ctx context.Context) (map[string]string, error) {
	output, err := filepath.Abs(s.files.artifacts)
	if err != nil {
		return nil, err
	}
	s.builder = &gobuild.Builder{Output: output}
	functions := s.builds()
	if len(functions) > 0 { // the first time takes a while, and silence would look like a fault
		names := make([]string, len(functions))
		for i, f := range functions {
			names[i] = f.LogicalID
		}
		fmt.Fprintf(s.options.Out, "building %s\n", strings.Join(names, ", "))
	}
	artifacts, err := s.builder.Build(ctx, functions...)
	if err != nil {
		return nil, err
	}
	binaries := make(map[string]string, len(artifacts))
	for _, a := range artifacts {
		binaries[a.LogicalID] = a.Bootstrap
	}
	return binaries, nil
}

// watch builds a function again when its sources change; new calls then go to the new binary.
func (s *Stack) watch(ctx context.Context) error {
	return s.builder.Watch(ctx, gobuild.Watch{
		Functions: s.builds(),
		Changed: func(a gobuild.Artifact) {
			name := s.state.Functions[a.LogicalID]
			if err := s.fleet.byName[name].Replace(a.Bootstrap); err != nil {
				fmt.Fprintf(s.options.Out, "warning: function %s goes on as it was: %v\n", a.LogicalID, err)
				return
			}
			fmt.Fprintf(s.options.Out, "function %s was built again in %v\n", a.LogicalID, a.Took.Round(time.Millisecond))
		},
		Failed: func(err error) { fmt.Fprintf(s.options.Out, "warning: %v\n", err) },
	})
}

func runsHere(runtime string) bool {
	return strings.HasPrefix(runtime, "provided") || strings.HasPrefix(runtime, "go1")
}
