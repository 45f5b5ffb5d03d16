package stack_test

import (
	"strings"
	"testing"

	"github.com/marquee-api/marquee/internal/stack"
)

// withParameter is a template with one parameter P, and its value in a function's environment.
func withParameter(definition string) string {
	return sam + "Parameters:\n  P: " + definition + `
Resources:
  Fn:
    Type: AWS::Serverless::Function
    Properties: {Runtime: provided.al2023, Environment: {Variables: {V: !Join ["|", [!Ref P]]}}}
`
}

func TestParameters(t *testing.T) {
	tests := map[string]struct {
		definition string
		given      map[string]string
		want       string
	}{
		"default":                 {`{Type: String, Default: d}`, nil, "d"},
		"given wins":              {`{Type: String, Default: d}`, map[string]string{"P": "g"}, "g"},
		"given empty wins":        {`{Type: String, Default: d}`, map[string]string{"P": ""}, ""},
		"empty default":           {`{Type: String, Default: ""}`, nil, ""},
		"number":                  {`{Type: Number, Default: 1.5, MinValue: 1, MaxValue: 2}`, nil, "1.5"},
		"number with exponent":    {`{Type: Number, MinValue: 1}`, map[string]string{"P": "+1.5e3"}, "+1.5e3"},
		"boolean default":         {`{Type: String, Default: true, AllowedValues: [true, false]}`, nil, "true"},
		"allowed value":           {`{Type: String, Default: a, AllowedValues: [a, b]}`, map[string]string{"P": "b"}, "b"},
		"looking ahead":           {`{Type: String, AllowedPattern: "(?!b)[ab]+"}`, map[string]string{"P": "ab"}, "ab"},
		"allowed pattern":         {`{Type: String, AllowedPattern: "[a-z]+"}`, map[string]string{"P": "abc"}, "abc"},
		"length":                  {`{Type: String, MinLength: 2, MaxLength: 3}`, map[string]string{"P": "äöü"}, "äöü"},
		"SSM name":                {`{Type: "AWS::SSM::Parameter::Name", Default: /a/b}`, nil, "/a/b"},
		"SSM value given":         {`{Type: "AWS::SSM::Parameter::Value<String>", Default: /a/b}`, map[string]string{"P": "v"}, "v"},
		"key pair":                {`{Type: "AWS::EC2::KeyPair::KeyName"}`, map[string]string{"P": "v"}, "v"},
		"empty list keeps a part": {`{Type: String, Default: ","}`, nil, ","},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			opts := options
			opts.Parameters = tt.given
			s, err := stack.Parse("t.yaml", []byte(withParameter(tt.definition)), opts)
			if err != nil {
				t.Fatal(err)
			}
			check(t, "V", s.Functions[0].Environment["V"], tt.want)
			check(t, "Parameters", s.Parameters["P"], tt.want)
		})
	}
}

func TestListParameters(t *testing.T) {
	for _, typ := range []string{"CommaDelimitedList", "List<String>", `"List<AWS::EC2::Subnet::Id>"`, `"AWS::SSM::Parameter::Value<List<String>>"`} {
		text := strings.Replace(withParameter("{Type: "+typ+"}"), `!Join ["|", [!Ref P]]`, `!Join ["|", !Ref P]`, 1)
		opts := options
		opts.Parameters = map[string]string{"P": "a, b ,c"}
		s, err := stack.Parse("t.yaml", []byte(text), opts)
		if err != nil {
			t.Fatalf("%s: %v", typ, err)
		}
		check(t, typ, s.Functions[0].Environment["V"], "a|b|c")
	}
}

func TestParameterErrors(t *testing.T) {
	tests := map[string]struct {
		definition string
		given      map[string]string
		want       string
	}{
		"unknown":                  {`{Type: String, Default: d}`, map[string]string{"Q": "x"}, "t.yaml: Parameters: Q: the template has no such parameter: it has P"},
		"no value":                 {`{Type: String}`, nil, "t.yaml:7: Fn: Environment.Variables.V: the parameter P has neither a value nor a Default: give it one"},
		"no type":                  {`{Default: d}`, nil, "t.yaml:3: Parameters: P: the parameter has no Type"},
		"unknown type":             {`{Type: Text, Default: d}`, nil, `t.yaml:3: Parameters: P: "Text" is not a type of a parameter`},
		"not a map":                {`d`, nil, "t.yaml:3: Parameters: P: a parameter is a map with a Type, this is text"},
		"list default":             {`{Type: String, Default: [d]}`, nil, "t.yaml:3: Parameters: P.Default: this is text or a number, not a list"},
		"not allowed":              {`{Type: String, Default: c, AllowedValues: [a, b]}`, nil, `t.yaml:3: Parameters: P: the value "c" is not one of AllowedValues`},
		"no match":                 {`{Type: String, AllowedPattern: "[a-z]+", ConstraintDescription: letters}`, map[string]string{"P": "abc1"}, `t.yaml:3: Parameters: P: the value "abc1" does not match AllowedPattern [a-z]+: letters`},
		"a line end":               {`{Type: String, AllowedPattern: "[a-z]+"}`, map[string]string{"P": "abc\n"}, `t.yaml:3: Parameters: P: the value "abc\n" does not match AllowedPattern [a-z]+`},
		"looking ahead":            {`{Type: String, Default: ba, AllowedPattern: "(?!b)[ab]+"}`, nil, `t.yaml:3: Parameters: P: the value "ba" does not match AllowedPattern (?!b)[ab]+`},
		"a form that nobody knows": {`{Type: String, Default: a, AllowedPattern: "a*+("}`, nil, "t.yaml:3: Parameters: P.AllowedPattern: whether the value matches cannot be found out, and AWS may refuse it: the pattern has a form that is not known here; write it another way"},
		"an alternative":           {`{Type: String, AllowedPattern: "a|bc"}`, map[string]string{"P": "ac"}, `t.yaml:3: Parameters: P: the value "ac" does not match AllowedPattern a|bc`},
		"secret":                   {`{Type: String, NoEcho: true, MinLength: 9}`, map[string]string{"P": "secret"}, "t.yaml:3: Parameters: P: the value is shorter than MinLength"},
		"too long":                 {`{Type: String, MaxLength: 2}`, map[string]string{"P": "abc"}, `t.yaml:3: Parameters: P: the value "abc" is longer than MaxLength`},
		"no number":                {`{Type: Number}`, map[string]string{"P": "x"}, `t.yaml:3: Parameters: P: the value "x" is not a number`},
		"a number to Go alone":     {`{Type: Number, MinValue: 1, MaxValue: 2}`, map[string]string{"P": "NaN"}, `t.yaml:3: Parameters: P: the value "NaN" is not a number`},
		"a number of base 16":      {`{Type: Number}`, map[string]string{"P": "0x1p-2"}, `t.yaml:3: Parameters: P: the value "0x1p-2" is not a number`},
		"unbalanced":               {`{Type: String, Default: x, AllowedPattern: "a)|(.*"}`, nil, "t.yaml:3: Parameters: P.AllowedPattern: whether the value matches cannot be found out, and AWS may refuse it: the pattern has a form that is not known here; write it another way"},
		"too small":                {`{Type: Number, MinValue: 5}`, map[string]string{"P": "4"}, `t.yaml:3: Parameters: P: the value "4" is below MinValue`},
		"too large":                {`{Type: Number, MaxValue: 5}`, map[string]string{"P": "6"}, `t.yaml:3: Parameters: P: the value "6" is above MaxValue`},
		"one of a list":            {`{Type: CommaDelimitedList, AllowedValues: [a, b]}`, map[string]string{"P": "a,c"}, `t.yaml:3: Parameters: P: the value "c" is not one of AllowedValues`},
		"SSM not given":            {`{Type: "AWS::SSM::Parameter::Value<String>", Default: /a/b}`, nil, "t.yaml:7: Fn: Environment.Variables.V: the parameter P comes from Parameter Store, which a laptop does not have: give its value"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			opts := options
			opts.Parameters = tt.given
			s, err := stack.Parse("t.yaml", []byte(withParameter(tt.definition)), opts)
			if err == nil {
				t.Fatalf("got %v, want an error", s.Parameters)
			}
			check(t, "the error", err.Error(), tt.want)
		})
	}
}

func TestParameterWarnings(t *testing.T) {
	s := parse(t, sam+`
Parameters:
  Vpc: {Type: AWS::EC2::VPC::Id}
  Unused: {Type: String}
  Strange: {Type: String, Default: a, AllowedPattern: "(?!b)a"}
  Secret: {Type: String, Default: hidden, NoEcho: true}
Resources:
  E: {Type: AWS::EC2::VPCEndpoint, Properties: {VpcId: !Ref Vpc, ServiceName: com.amazonaws.eu-west-1.s3}}
`)
	vpc := s.Endpoints[0].VPCID
	if !strings.HasPrefix(vpc, "vpc-0") || len(vpc) != len("vpc-0123456789abcdef0") {
		t.Errorf("got the VPC %q, want a made-up id", vpc)
	}
	check(t, "the warnings", warnings(s), []string{
		"t.yaml:4: Parameters: Vpc: no value is given, " + vpc + " is made up: AWS would refuse the deployment",
		"t.yaml:5: Parameters: Unused: no value is given: AWS would refuse the deployment",
	})
	check(t, "the secret", s.Parameters["Secret"], "****")
	if _, ok := s.Parameters["Unused"]; ok {
		t.Error("got a value for a parameter without one")
	}
}

func TestGlobals(t *testing.T) {
	s := parse(t, sam+`
Globals:
  Function:
    Runtime: provided.al2
    Timeout: 9
    MemorySize: 256
    Architectures: [arm64]
    Environment: {Variables: {A: global, B: !Sub "${AWS::Region}"}}
Resources:
  Takes: {Type: AWS::Serverless::Function}
  Wins:
    Type: AWS::Serverless::Function
    Properties: {Timeout: 1, Environment: {Variables: {B: own, C: more}}}
  Ignores:
    Type: AWS::Serverless::Function
    IgnoreGlobals: [Timeout, Architectures]
  IgnoresAll:
    Type: AWS::Serverless::Function
    IgnoreGlobals: "*"
    Properties: {Runtime: provided}
`)
	takes, wins, ignores, all := s.Functions[0], s.Functions[1], s.Functions[2], s.Functions[3]
	check(t, "Takes", []any{takes.Runtime, takes.Timeout.Seconds(), takes.MemoryMB, takes.Environment},
		[]any{"provided.al2", 9.0, 256, map[string]string{"A": "global", "B": "eu-west-1"}})
	check(t, "Wins", []any{wins.Timeout.Seconds(), wins.Environment},
		[]any{1.0, map[string]string{"A": "global", "B": "own", "C": "more"}})
	check(t, "Ignores", []any{ignores.Runtime, ignores.Timeout.Seconds(), ignores.Architectures},
		[]any{"provided.al2", 3.0, []string{"x86_64"}})
	check(t, "IgnoresAll", []any{all.Runtime, all.MemoryMB, len(all.Environment)}, []any{"provided", 128, 0})
}

func TestGlobalLists(t *testing.T) {
	s := parse(t, sam+`
Globals: {Api: {OpenApiVersion: 3.0.1, BinaryMediaTypes: [a/a], Variables: {x: global, y: global}}}
Resources:
  A:
    Type: AWS::Serverless::Api
    Properties:
      StageName: v1
      BinaryMediaTypes: [b/b]
      Variables: {x: own}
      DefinitionBody: {openapi: 3.0.1, paths: {/a: {get: {x-amazon-apigateway-integration: {type: mock}}}}}
  I:
    Type: AWS::Serverless::Api
    Properties:
      StageName: v1
      BinaryMediaTypes: !If [Yes, [c/c], []]
      DefinitionBody: {openapi: 3.0.1, paths: {/a: {get: {x-amazon-apigateway-integration: {type: mock}}}}}
Conditions: {Yes: !Equals [a, a]}
`)
	check(t, "joined", s.APIs[0].BinaryMediaTypes, []string{"a/a", "b/b"})
	check(t, "merged", s.APIs[0].StageVariables, map[string]string{"x": "own", "y": "global"})
	check(t, "an intrinsic replaces", s.APIs[1].BinaryMediaTypes, []string{"c/c"})
}

func TestGlobalsErrors(t *testing.T) {
	tests := map[string]struct{ text, want string }{
		"unknown section":  {"Globals: {Functions: {}}\nResources: {F: " + function + "}", "t.yaml:2: Globals: Functions: SAM has no such section of Globals"},
		"unknown property": {"Globals: {Function: {Policies: []}}\nResources: {F: " + function + "}", "t.yaml:2: Globals: Function.Policies: SAM does not take this property in Globals: set it on each resource"},
		"ignores nothing":  {"Globals: {Function: {Timeout: 1}}\nResources: {F: {Type: AWS::Serverless::Function, IgnoreGlobals: [Handler]}}", `t.yaml:3: F: IgnoreGlobals: "Handler" is not set in Globals`},
		"ignores wrongly":  {"Globals: {Function: {Timeout: 1}}\nResources: {F: {Type: AWS::Serverless::Function, IgnoreGlobals: all}}", `t.yaml:3: F: IgnoreGlobals: this is "*" or a list of properties`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			check(t, "the error", refuse(t, sam+tt.text)[0], tt.want)
		})
	}
}

func TestOutputs(t *testing.T) {
	s := parse(t, `
Conditions: {Never: !Equals [a, b]}
Resources:
  T: {Type: AWS::SNS::Topic, Properties: {TopicName: news}}
  O: {Type: AWS::Some::Thing}
Outputs:
  Name: {Value: !GetAtt T.TopicName}
  Gone: {Condition: Never, Value: !Ref T}
  Unknown: {Value: !GetAtt O.Arn}
`)
	check(t, "the outputs", s.Outputs, map[string]string{"Name": "news"})
	check(t, "the warnings", warnings(s), []string{
		"t.yaml:9: Outputs: Unknown: left out: the attribute Arn of O (AWS::Some::Thing) is needed here and is not known",
	})
}
