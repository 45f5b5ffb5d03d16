package stack_test

import (
	"os"
	"regexp"
	"strconv"
	"testing"

	"github.com/marquee-api/marquee/internal/stack"
)

const inspected = sam + `Metadata: {Owner: us}
Parameters:
  Stage: {Type: String, Default: dev}
  Size: {Type: Number, MinValue: 7}
  Kind: {Type: String, AllowedValues: [b, a]}
  Who: {Type: String}
  Odd: {Type: String, AllowedPattern: "^(|[a-z]{3}-[0-9]+)$"}
  Vpc: {Type: "AWS::EC2::VPC::Id"}
Conditions: {Never: !Equals [a, b]}
Globals: {Function: {Timeout: 9}}
Resources:
  Table:
    Type: AWS::Serverless::SimpleTable
    DeletionPolicy: Retain
  F:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: provided.al2023
      CodeUri: .
      MemorySize: !Ref Nobody
      ReservedConcurrentExecutions: !If [Never, 1, !Ref AWS::NoValue]
      Environment:
        Variables:
          TABLE: !Sub ["${Table}-${Own}-${!Not}-x", {Own: !If [Never, !Ref Gone, y]}]
          STAGE: !Ref Stage
  Gone: {Type: AWS::SNS::Topic, Condition: Never}
`

func inspect(t *testing.T, text string, opts stack.Options) *stack.Inspection {
	t.Helper()
	in, err := stack.Inspect(write(t, "template.yaml", text), opts)
	if err != nil {
		t.Fatal(err)
	}
	return in
}

// TestInspect holds that a refused template can be looked at all the same: what was written, where, and what it means.
func TestInspect(t *testing.T) {
	in := inspect(t, inspected, stack.Options{})
	if in.Stack != nil || len(in.Errors) != 1 || in.Errors[0].Property != "MemorySize" {
		t.Fatalf("got the stack %v and errors %v, want the one of MemorySize", in.Stack, in.Errors)
	}
	check(t, "the section", in.Metadata.At("Owner").Text(), "us")
	var ids []string
	for _, r := range in.Resources() {
		ids = append(ids, r.LogicalID+" "+r.Type)
	}
	check(t, "the resources as written", ids, []string{"Table AWS::Serverless::SimpleTable", "F AWS::Serverless::Function"})
	check(t, "an attribute", in.Resource("Table").Attributes.At("DeletionPolicy").Text(), "Retain")
	check(t, "those of a type", len(in.Resources("AWS::Serverless::Function")), 1)

	p := in.Resource("F").Properties
	check(t, "from Globals", p.At("Timeout").Text(), "9")
	memory := p.At("MemorySize")
	check(t, "what cannot be known", []any{memory.Exists(), memory.Known(), memory.Text(), memory.Intrinsic()}, []any{true, false, "", "Ref"})
	reserved := p.At("ReservedConcurrentExecutions")
	check(t, "what a condition takes out", []any{reserved.Exists(), p.Writes("ReservedConcurrentExecutions"), p.Writes("Role")}, []any{false, true, false})
	variables := p.At("Environment", "Variables")
	check(t, "what is resolved", variables.At("STAGE").Text(), "dev")
	check(t, "what is mentioned", []bool{variables.Mentions("Table"), variables.Mentions("Stage"), variables.Mentions("Tab")}, []bool{true, true, false})
	check(t, "all that is mentioned", p.Names(), []string{"Nobody", "AWS::NoValue", "Table", "Stage"})
	check(t, "the line of a key", variables.At("STAGE").Line, 26)
	check(t, "the line of what is absent", p.At("VpcConfig", "SubnetIds").Line, p.Line)
	check(t, "an absent value", []any{p.At("Role").Exists(), p.At("Role").Text(), p.At("Role").Items()}, []any{false, "", []stack.Node(nil)})
}

// TestAssumed holds that a template can be inspected before anybody has chosen values for its parameters.
func TestAssumed(t *testing.T) {
	in := inspect(t, inspected, stack.Options{Parameters: map[string]string{"Who": "me"}})
	check(t, "what was made up", in.Assumed, map[string]string{"Size": "7", "Kind": "b", "Odd": "xxx-1"})
	check(t, "without a choice", inspect(t, inspected, stack.Options{}).Assumed, map[string]string{"Size": "7", "Kind": "b", "Odd": "xxx-1", "Who": "example"})
}

// TestAssumedPatterns holds that what is made up is what the parameter takes: CloudFormation's check, on every pattern of
// the project's own template.
func TestAssumedPatterns(t *testing.T) {
	tried := 0
	for _, pattern := range []string{`^[a-z0-9]{10}$`, `vpce?-[0-9a-f]{8,17}`, `.+@[^@]+`, `^(dev|live)$`, `[^/]*`, `(?i)arn:aws:.*`} {
		in := inspect(t, "Parameters: {P: {Type: String, AllowedPattern: "+strconv.Quote(pattern)+"}}\nResources: {T: {Type: AWS::SNS::Topic}}\n", stack.Options{})
		if len(in.Errors) > 0 || in.Assumed["P"] == "" && pattern != `[^/]*` {
			t.Errorf("%s: got %q, %v", pattern, in.Assumed["P"], in.Errors)
		}
		tried++
	}
	own, err := os.ReadFile("../../template.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile(`(?m)^    AllowedPattern: (".*")$`).FindAllStringSubmatch(string(own), -1) {
		in := inspect(t, "Parameters: {P: {Type: String, AllowedPattern: "+m[1]+"}}\nResources: {T: {Type: AWS::SNS::Topic}}\n", stack.Options{})
		if len(in.Errors) > 0 {
			t.Errorf("%s: got %q, %v", m[1], in.Assumed["P"], in.Errors)
		}
		tried++
	}
	if tried < 12 {
		t.Errorf("%d patterns were tried", tried)
	}
}

// TestInspectWall holds that a template is reviewed although a laptop cannot honour what guards its API besides.
func TestInspectWall(t *testing.T) {
	in := inspect(t, sam+`Resources:
  F: {Type: AWS::Serverless::Function, Properties: {Runtime: provided.al2023, Events: {E: {Type: Api, Properties: {Path: /, Method: get}}}}}
  W: {Type: AWS::WAFv2::WebACLAssociation, Properties: {ResourceArn: !Sub "arn:aws:apigateway:${AWS::Region}::/restapis/${ServerlessRestApi}/stages/Prod", WebACLArn: x}}
`, stack.Options{})
	if len(in.Errors) != 0 || in.Stack == nil || len(in.Stack.APIs) != 1 {
		t.Errorf("got the stack %v and errors %v, want the stack", in.Stack, in.Errors)
	}
}

func TestInspectNoTemplate(t *testing.T) {
	for name, text := range map[string]string{"a list": "- a\n", "no YAML": "a: [\n", "nothing": ""} {
		if _, err := stack.Inspect(write(t, "template.yaml", text), stack.Options{}); err == nil {
			t.Errorf("%s: want an error", name)
		}
	}
}

// A value that is made up for a parameter is as long as the parameter asks for, and is no key of an API that AWS would refuse.
func TestInspectWithMadeUpValues(t *testing.T) {
	in := inspect(t, `
Parameters:
  Key: {Type: String, NoEcho: true}
  Other: {Type: String, NoEcho: true}
  Long: {Type: String, MinLength: 12}
Resources:
  K: {Type: AWS::ApiGateway::ApiKey, Properties: {Value: !Ref Key}}
  L: {Type: AWS::ApiGateway::ApiKey, Properties: {Value: !Ref Other}}
  M: {Type: AWS::ApiGateway::ApiKey, Properties: {Value: short}}
`, stack.Options{})
	check(t, "the value of Long", in.Assumed["Long"], "examplexxxxx")
	if len(in.Errors) != 1 || in.Errors[0].Resource != "M" {
		t.Errorf("got %v, want the key that is written out alone", in.Errors)
	}
}
