package stack_test

import (
	"fmt"
	"strings"
	"testing"
)

func TestYAML(t *testing.T) {
	tests := map[string]struct{ text, want string }{
		"anchor and alias": {`
Metadata: {Shared: &vars {V: shared}}
Resources:
  Fn: {Type: AWS::Lambda::Function, Properties: {Runtime: provided.al2023, Role: r, Environment: {Variables: *vars}}}
`, "shared"},
		"merge key": {`
Metadata: {Shared: &vars {V: shared, W: w}}
Resources:
  Fn: {Type: AWS::Lambda::Function, Properties: {Runtime: provided.al2023, Role: r, Environment: {Variables: {<<: *vars, V: own}}}}
`, "own"},
		"merge list, the first wins": {`
Metadata: {A: &a {V: first}, B: &b {V: second}}
Resources:
  Fn: {Type: AWS::Lambda::Function, Properties: {Runtime: provided.al2023, Role: r, Environment: {Variables: {<<: [*a, *b]}}}}
`, "first"},
		"block text": {`
Resources:
  Fn:
    Type: AWS::Lambda::Function
    Properties:
      Runtime: provided.al2023
      Role: r
      Environment:
        Variables:
          V: >-
            one
            two
`, "one two"},
		"a date is text": {`
Resources:
  Fn: {Type: AWS::Lambda::Function, Properties: {Runtime: provided.al2023, Role: r, Environment: {Variables: {V: 2012-10-17}}}}
`, "2012-10-17"},
		"hexadecimal": {`
Resources:
  Fn: {Type: AWS::Lambda::Function, Properties: {Runtime: provided.al2023, Role: r, Environment: {Variables: {V: 0x1F}}}}
`, "31"},
		"an account id": {`
Resources:
  Fn: {Type: AWS::Lambda::Function, Properties: {Runtime: provided.al2023, Role: r, Environment: {Variables: {V: 123456789012}}}}
`, "123456789012"},
		"JSON": {"\ufeff" + `{"Resources": {"Fn": {"Type": "AWS::Lambda::Function", "Properties":
  {"Runtime": "provided.al2023", "Role": "r", "Environment": {"Variables": {"V": {"Fn::Join": ["\/", ["\ud83d\ude00", 1]]}}}}}}}`, "😀/1"},
		"JSON with tabs": {"{\n\t\"Resources\": {\"Fn\": {\"Type\": \"AWS::Lambda::Function\", \"Properties\":\n\t{\"Runtime\": \"provided.al2023\", \"Role\": \"r\", \"Environment\": {\"Variables\": {\"V\": true}}}}}}", "true"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			check(t, "V", parse(t, strings.TrimPrefix(tt.text, "\ufeff")).Functions[0].Environment["V"], tt.want)
		})
	}
}

// laughs doubles a list with each anchor: 2^30 values.
func laughs() string {
	var b strings.Builder
	b.WriteString("Metadata:\n  A0: &a0 [x, x]\n")
	for i := 1; i < 30; i++ {
		fmt.Fprintf(&b, "  A%d: &a%d [*a%d, *a%d]\n", i, i, i-1, i-1)
	}
	return b.String() + "Resources: {T: {Type: AWS::SNS::Topic}}\n"
}

func TestYAMLErrors(t *testing.T) {
	tests := map[string]struct{ text, want string }{
		"empty":            {"", "t.yaml: the file is empty"},
		"a comment only":   {"# nothing\n", "t.yaml: the file is empty"},
		"not YAML":         {"a: [1\nb: 2", "t.yaml:2: not YAML: did not find expected ',' or ']'"},
		"tabs":             {"a:\n\tb: 1", "t.yaml:2: not YAML: found character that cannot start any token"},
		"duplicate key":    {"Resources:\n  A: {Type: X}\n  A: {Type: Y}", `t.yaml:3: the key "A" stands here for the second time, the first is in line 2`},
		"JSON duplicate":   {"{\"Resources\": {\n\"A\": 1,\n\"A\": 2}}", `t.yaml:3: the key "A" stands here for the second time, the first is in line 2`},
		"two documents":    {"a: 1\n---\nb: 2", "t.yaml:2: a second YAML document starts here, a template is one document"},
		"alias to itself":  {"a: &a [*a]", "t.yaml:1: the alias *a stands inside what it stands for"},
		"unknown alias":    {"a: *b", "t.yaml: not YAML: unknown anchor 'b' referenced"},
		"billion laughs":   {laughs(), "t.yaml:2: the template has more than 200000 values with its aliases expanded"},
		"too deep":         {strings.Repeat("[", 200) + strings.Repeat("]", 200), "t.yaml:1: values are nested more than 128 deep"},
		"JSON too deep":    {`{"a":` + strings.Repeat("[", 200) + strings.Repeat("]", 200) + "}", "t.yaml:1: values are nested more than 128 deep"},
		"a map as key":     {"? {a: b}\n: c", "t.yaml:1: a key must be text"},
		"a null as key":    {"Null: {a: b}", "t.yaml:1: the key Null is YAML's null, not text: put it into quotes"},
		"merge of text":    {"a: {<<: x}", "t.yaml:1: the merge key << takes a map, this is text"},
		"binary":           {"a: !!binary aGk=", "t.yaml:1: binary values cannot stand in a template"},
		"leading zero":     {"a: 012345678901", "t.yaml:1: 012345678901 starts with a zero, which YAML readers take for octal or not as they like: quote it"},
		"infinite":         {"a: .inf", `t.yaml:1: ".inf" is not a number that CloudFormation takes`},
		"a list":           {"- a", "t.yaml:1: a template is a map with Resources, this is a list"},
		"no resources":     {"Parameters: {}", "t.yaml:1: Resources: the template has no resources"},
		"misspelt section": {"Resource: {}\nResources: {A: {Type: AWS::SNS::Topic}}", "t.yaml:1: Resource: not a section of a template; the sections are AWSTemplateFormatVersion, Conditions, Description, Globals, Hooks, Mappings, Metadata, Outputs, Parameters, Resources, Rules, Transform"},
		"no type":          {"Resources:\n  A: {Properties: {}}", "t.yaml:2: A: Type: the resource has no Type"},
		"not a resource":   {"Resources:\n  A: text", "t.yaml:2: A: a resource is a map with Type and Properties, this is text"},
		"no transform":     {"Resources:\n  A: {Type: AWS::Serverless::Function}", "t.yaml:2: A: Type: AWS::Serverless::Function needs Transform: AWS::Serverless-2016-10-31 at the top of the template"},
		"for each":         {"Resources:\n  Fn::ForEach::Tables: [a, [b], {}]", "t.yaml:2: Fn::ForEach::Tables: Fn::ForEach::Tables among the resources is not supported: write the resources out"},
		"too large":        {strings.Repeat("#", 1<<20+1), "t.yaml: the file has 1048577 bytes, CloudFormation takes at most 1048576"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			check(t, "the error", refuse(t, tt.text)[0], tt.want)
		})
	}
}

// TestExpensive holds against templates that are small and ask for much.
func TestExpensive(t *testing.T) {
	var doubling strings.Builder
	doubling.WriteString("Resources:\n  T0: {Type: AWS::SNS::Topic, Properties: {TopicName: " + strings.Repeat("x", 64) + "}}\n")
	for i := 1; i < 60; i++ {
		fmt.Fprintf(&doubling, "  T%d: {Type: AWS::SSM::Parameter, Properties: {Name: !Sub \"${T%d}${T%d}\"}}\n", i, i-1, i-1)
	}
	doubling.WriteString("  L: {Type: AWS::DynamoDB::Table, Properties: {TableName: !Ref T59}}\n")
	got := refuse(t, doubling.String())
	if want := "the intrinsics of the template make more than 33554432 bytes of text"; !strings.Contains(got[0], want) {
		t.Errorf("got %.200s, want %s", got[0], want)
	}
	var chain strings.Builder
	chain.WriteString("Resources:\n")
	for i := range 3000 {
		fmt.Fprintf(&chain, "  T%d: {Type: AWS::SSM::Parameter, Properties: {Name: !Ref T%d}}\n", i, i+1)
	}
	chain.WriteString("  T3000: {Type: AWS::SSM::Parameter}\n  L: {Type: AWS::DynamoDB::Table, Properties: {TableName: !Ref T0}}\n")
	got = refuse(t, chain.String())
	if want := "more than 1000 things depend on each other in a row"; !strings.Contains(got[0], want) {
		t.Errorf("got %.200s, want %s", got[0], want)
	}
}
