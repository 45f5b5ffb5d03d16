// Package stack reads a SAM or CloudFormation template, with values for its parameters, into the typed stack that it
// would deploy: REST APIs with their routes and policies, functions, roles, VPC endpoints, tables, usage plans.
//
// What a local run cannot honour becomes a Warning. What would make a local run more permissive than AWS in who may
// call what is an error: an authorizer that nobody knows, a policy that cannot be resolved, a private API without a
// resource policy. Errors name file, line, resource and property, and come all at once.
//
// It runs nothing, evaluates no policy, and never talks to AWS.
package stack

import (
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// Defaults of the zero Options.
const (
	DefaultName      = "local"
	DefaultRegion    = "us-east-1"
	DefaultAccountID = "123456789012"
)

// Options say what the template does not.
type Options struct {
	// Name is AWS::StackName; empty means DefaultName.
	Name string
	// Region is AWS::Region; empty means DefaultRegion.
	Region string
	// AccountID is AWS::AccountId; empty means DefaultAccountID.
	AccountID string
	// Partition is AWS::Partition; empty means the region's: aws-cn, aws-us-gov, else aws.
	Partition string
	// Parameters win over a parameter's Default. A name that the template does not have is an error.
	Parameters map[string]string
	// Exports are the values for Fn::ImportValue.
	Exports map[string]string
	// ManagedPolicies holds the documents of managed policies that a template only names, by ARN. Without its document
	// a customer managed policy or a permissions boundary is an error, since it may deny. A document may be JSON or YAML,
	// plain or as `aws iam get-policy-version` shows it.
	ManagedPolicies map[string]json.RawMessage
}

// ReadPolicies reads the files that hold the documents of managed policies, by ARN, and returns them as plain JSON.
func ReadPolicies(files map[string]string) (map[string]json.RawMessage, error) {
	policies := make(map[string]json.RawMessage, len(files))
	for _, arn := range sortedKeys(files) {
		if !policyARNForm.MatchString(arn) {
			return nil, fmt.Errorf("managed policy %q: this is no ARN of one: want arn:aws:iam::123456789012:policy/name", arn)
		}
		text, err := readAtMost(files[arn])
		if err != nil {
			return nil, fmt.Errorf("managed policy %s: %w", arn, err)
		}
		v, err := parseText(files[arn], text)
		if err != nil {
			return nil, fmt.Errorf("managed policy %s: %w", arn, err)
		}
		policies[arn] = policyOf(v).json()
	}
	return policies, nil
}

var policyARNForm = regexp.MustCompile(`^arn:[a-z-]+:iam::([0-9]{12}|aws):policy/[\w+=,.@/-]+$`)

// Load reads a template file. Relative CodeUri and included files start at its folder.
// The error is one or more *Error, joined; errors.As finds the first.
func Load(path string, opts Options) (*Stack, error) {
	data, err := readAtMost(path)
	if err != nil {
		return nil, fmt.Errorf("read the template: %w", err)
	}
	full, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("read the template: %w", err)
	}
	b := newBuilder(path, opts)
	b.t.dir = filepath.Dir(full)
	b.r.readFile = readBounded
	return b.build(data)
}

// Parse reads a template from memory; name stands for the file in errors. Files that the template names are not read,
// and a relative CodeUri stays relative.
func Parse(name string, data []byte, opts Options) (*Stack, error) {
	return newBuilder(name, opts).build(data)
}

// builder collects the stack, and all that is wrong on the way.
type builder struct {
	opts  Options
	t     *template
	n     naming
	r     *resolver
	stack *Stack
	errs  []*Error

	events   map[string][]*apiEvent // by logical id of the API
	policies map[string]cursor      // AWS::IAM::ManagedPolicy documents by ARN
	assumed  map[string]string      // values that a review made up for parameters, which say nothing of the real ones

	undecided map[string]bool // conditions that nobody can decide and that have their error, by place and message
}

func newBuilder(file string, opts Options) *builder {
	fill := func(s *string, value string) {
		if *s == "" {
			*s = value
		}
	}
	fill(&opts.Name, DefaultName)
	fill(&opts.Region, DefaultRegion)
	fill(&opts.AccountID, DefaultAccountID)
	fill(&opts.Partition, partitionOf(opts.Region))
	t := &template{
		file: file, params: map[string]*parameter{}, conditions: map[string]*value{},
		resources: map[string]*resource{}, globals: map[string]*value{},
	}
	n := naming{stack: opts.Name, region: opts.Region, account: opts.AccountID, partition: opts.Partition}
	return &builder{
		opts: opts, t: t, n: n,
		r: &resolver{
			t: t, n: n, exports: opts.Exports, known: map[string]bool{}, names: map[string]string{},
			includes: map[string]*value{}, busy: map[string]bool{},
		},
		stack: &Stack{
			Name: n.stack, Region: n.region, AccountID: n.account, Partition: n.partition,
			Parameters: map[string]string{}, Outputs: map[string]string{},
		},
		events: map[string][]*apiEvent{}, policies: map[string]cursor{}, undecided: map[string]bool{},
	}
}

func partitionOf(region string) string {
	switch {
	case strings.HasPrefix(region, "cn-"):
		return "aws-cn"
	case strings.HasPrefix(region, "us-gov-"):
		return "aws-us-gov"
	}
	return "aws"
}

func (b *builder) fail(pos Position, resource, property, format string, args ...any) {
	b.errs = append(b.errs, &Error{Position: pos, Resource: resource, Property: property, Message: fmt.Sprintf(format, args...)})
}

func (b *builder) warn(pos Position, resource, property, message string) {
	w := Warning{Position: pos, Resource: resource, Property: property, Message: message}
	if !slices.Contains(b.stack.Warnings, w) {
		b.stack.Warnings = append(b.stack.Warnings, w)
	}
}

// build reads everything and reports all that is wrong at once.
func (b *builder) build(data []byte) (*Stack, error) {
	root, err := parseText(b.t.file, data)
	if err != nil {
		return nil, err
	}
	b.readTemplate(root)
	if len(b.errs) > 0 {
		return nil, report(b.errs) // the rest would only report what follows from these
	}
	b.checkConditions()
	b.expandSAM()
	b.warnProperties()
	b.readParametersOut()
	b.readFunctions()
	b.readIAM()
	b.linkRoles()
	b.readEndpoints()
	b.readTables()
	b.readAPIs()
	b.readUsagePlans()
	b.readUnserved()
	b.readOutputs()
	if err := report(b.errs); err != nil {
		return nil, err
	}
	slices.SortStableFunc(b.stack.Warnings, func(a, c Warning) int {
		if d := strings.Compare(a.File, c.File); d != 0 {
			return d
		}
		return a.Line - c.Line
	})
	return b.stack, nil
}

// ofType lists the resources of some types that are created, in the order of the template.
func (b *builder) ofType(types ...string) []*resource {
	var out []*resource
	for _, id := range b.t.order {
		res := b.t.resources[id]
		if slices.Contains(types, res.typ) && b.isCreated(res) {
			out = append(out, res)
		}
	}
	return out
}

// isCreated decides a resource's condition.
func (b *builder) isCreated(res *resource) bool {
	if res.condition == "" {
		return true
	}
	yes, err := b.r.condition(res.condition, res.pos)
	if err != nil {
		cursor{b: b, resource: res.id, property: "Condition"}.failWith(err)
	}
	return yes
}

// checkConditions names what is wrong with a condition wherever a resource has it, be it one that nothing reads.
func (b *builder) checkConditions() {
	for _, id := range b.t.order {
		b.isCreated(b.t.resources[id])
	}
}

// id and name are what Ref and the name property give; recorded errors yield empty text.
func (b *builder) id(res *resource) string {
	text, err := b.r.physicalID(res, res.pos)
	if err != nil {
		cursor{b: b, resource: res.id}.failWith(err)
	}
	return text
}

func (b *builder) name(res *resource) string {
	text, err := b.r.nameOf(res, res.pos)
	if err != nil {
		cursor{b: b, resource: res.id}.failWith(err)
	}
	return text
}

func (b *builder) arn(res *resource) string {
	v, err := b.r.attribute(res.id, "Arn", res.pos)
	if err != nil {
		cursor{b: b, resource: res.id}.failWith(err)
		return ""
	}
	return v.text
}

func (b *builder) readParametersOut() {
	for _, name := range b.t.paramOrder {
		p := b.t.params[name]
		if p.missing != "" {
			continue
		}
		b.stack.Parameters[name] = p.text
		if p.noEcho {
			b.stack.Parameters[name] = "****"
		}
	}
}

// readOutputs leaves out what cannot be resolved: nothing local needs it.
func (b *builder) readOutputs() {
	for _, f := range fieldsOf(b.t.outputs) {
		if c := f.value.get("Condition"); c != nil {
			yes, err := b.r.condition(c.text, c.pos)
			if err != nil {
				cursor{b: b, resource: "Outputs", property: f.key + ".Condition"}.failWith(err)
			}
			if !yes {
				continue
			}
		}
		at := f.value.get("Value")
		if at == nil {
			b.fail(f.pos, "Outputs", f.key, "the output has no Value")
			continue
		}
		v, err := b.r.head(at)
		switch {
		case err != nil:
			message := err.Error()
			if e := new(Error); errors.As(err, &e) {
				message = e.Message
			}
			b.warn(f.pos, "Outputs", f.key, "left out: "+message)
		case v != nil && v.scalar():
			b.stack.Outputs[f.key] = v.text
		default:
			b.warn(f.pos, "Outputs", f.key, "left out: its value is not text")
		}
	}
}
