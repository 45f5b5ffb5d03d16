package stack_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/marquee-api/marquee/internal/stack"
)

// around is a template with one of everything that expressions may refer to; %s is an expression.
const around = sam + `
Parameters:
  Name: {Type: String, Default: movies}
  Zones: {Type: CommaDelimitedList, Default: "a, b,c"}
  Count: {Type: Number, Default: 3}
Mappings:
  Sizes:
    eu-west-1: {small: "1", list: [x, y]}
Conditions:
  Yes: !Equals [!Ref Name, movies]
  No: !Not [{Condition: Yes}]
Resources:
  Table: {Type: AWS::Serverless::SimpleTable}
  Named: {Type: AWS::SNS::Topic, Properties: {TopicName: !Sub "${Name}-topic"}}
  Gone: {Type: AWS::SNS::Topic, Condition: No}
  Other: {Type: AWS::Some::Thing}
  Fn:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: provided.al2023
      Environment:
        Variables:
          V: %s
`

func TestIntrinsics(t *testing.T) {
	tests := map[string]struct{ expr, want string }{
		"plain":                     {`text`, "text"},
		"number":                    {`1.50`, "1.50"},
		"boolean":                   {`True`, "true"},
		"Ref parameter":             {`!Ref Name`, "movies"},
		"Ref long":                  {`{Ref: Name}`, "movies"},
		"Ref number":                {`!Ref Count`, "3"},
		"Ref named resource":        {`!Ref Named`, "arn:aws:sns:eu-west-1:111122223333:movies-topic"},
		"Ref table":                 {`!Ref Table`, "s-Table"},
		"GetAtt":                    {`!GetAtt Table.Arn`, "arn:aws:dynamodb:eu-west-1:111122223333:table/s-Table"},
		"GetAtt list":               {`!GetAtt [Table, Arn]`, "arn:aws:dynamodb:eu-west-1:111122223333:table/s-Table"},
		"GetAtt long":               {`{"Fn::GetAtt": [Table, Arn]}`, "arn:aws:dynamodb:eu-west-1:111122223333:table/s-Table"},
		"GetAtt long text":          {`{"Fn::GetAtt": Table.Arn}`, "arn:aws:dynamodb:eu-west-1:111122223333:table/s-Table"},
		"Sub":                       {`!Sub "${Name}:${Table}:${Table.Arn}:${!Literal}:$x:${"`, "movies:s-Table:arn:aws:dynamodb:eu-west-1:111122223333:table/s-Table:${Literal}:$x:${"},
		"Sub with map":              {`!Sub ["${A}-${Name}", {A: !Join [".", [x, !Ref Count]], Name: own}]`, "x.3-own"},
		"Sub with dotted map":       {`!Sub ["${A.B}", {A.B: dotted}]`, "dotted"},
		"Sub pseudo":                {`!Sub "${AWS::Region} ${AWS::AccountId} ${AWS::Partition} ${AWS::StackName} ${AWS::URLSuffix}"`, "eu-west-1 111122223333 aws s amazonaws.com"},
		"Join":                      {`!Join ["-", [a, !Ref Name, 3, true]]`, "a-movies-3-true"},
		"Join list parameter":       {`!Join ["|", !Ref Zones]`, "a|b|c"},
		"Join drops NoValue":        {`!Join ["-", [a, !Ref AWS::NoValue, b]]`, "a-b"},
		"Select":                    {`!Select [1, [x, y]]`, "y"},
		"Select text index":         {`!Select ["2", !Ref Zones]`, "c"},
		"Select from Split":         {`!Select [1, !Split [":", "a:b:c"]]`, "b"},
		"Split joined again":        {`!Join ["", !Split [",", "a,,b"]]`, "ab"},
		"If yes":                    {`!If [Yes, a, b]`, "a"},
		"If no":                     {`!If [No, !Ref Nothing, b]`, "b"},
		"If long":                   {`{"Fn::If": [Yes, {Ref: Name}, b]}`, "movies"},
		"FindInMap":                 {`!FindInMap [Sizes, !Ref AWS::Region, small]`, "1"},
		"FindInMap list":            {`!Select [1, !FindInMap [Sizes, eu-west-1, list]]`, "y"},
		"FindInMap default":         {`!FindInMap [Sizes, us-east-1, small, {DefaultValue: d}]`, "d"},
		"ImportValue":               {`!ImportValue shared-name`, "imported"},
		"ImportValue of Sub":        {`!ImportValue {"Fn::Sub": "shared-${X}"}`, "imported"},
		"Base64":                    {`!Base64 hello`, "aGVsbG8="},
		"Base64 of Sub":             {`{"Fn::Base64": !Sub "${Name}"}`, "bW92aWVz"},
		"GetAZs":                    {`!Select [2, !GetAZs ""]`, "eu-west-1c"},
		"GetAZs of another":         {`!Select [0, !GetAZs us-east-1]`, "us-east-1a"},
		"a lazy neighbour":          {`!Select [0, [a, !GetAtt Other.Unknown]]`, "a"},
		"Ref of an unknown type":    {`!Select [0, !Split ["-", !Ref Other]]`, "s"},
		"nested quotes and unicode": {`!Sub "é ${Name} <&>"`, "é movies <&>"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			opts := options
			opts.Exports = map[string]string{"shared-name": "imported"}
			text := fmt.Sprintf(around, tt.expr)
			if strings.Contains(tt.expr, "shared-${X}") {
				text = strings.Replace(text, "Parameters:\n", "Parameters:\n  X: {Type: String, Default: name}\n", 1)
			}
			s, err := stack.Parse("t.yaml", []byte(text), opts)
			if err != nil {
				t.Fatal(err)
			}
			check(t, tt.expr, s.Functions[0].Environment["V"], tt.want)
		})
	}
}

func TestNoValueDropsTheProperty(t *testing.T) {
	s := parse(t, fmt.Sprintf(around, `!Ref AWS::NoValue`))
	if v, ok := s.Functions[0].Environment["V"]; ok {
		t.Errorf("got V=%q, want no V", v)
	}
}

// TestIntrinsicErrors has the expression in line 24 of the template.
func TestIntrinsicErrors(t *testing.T) {
	tests := map[string]struct{ expr, want string }{
		"unknown intrinsic":      {`!Zones ["10.0.0.0/16", 2, 8]`, "the intrinsic Fn::Zones is not supported, and its value is needed here"},
		"invented intrinsic":     {`!Magic x`, "the intrinsic Fn::Magic is not supported, and its value is needed here"},
		"unknown name":           {`!Ref Nothing`, `there is no parameter or resource "Nothing" in the template`},
		"unknown pseudo":         {`!Ref AWS::Nothing`, `there is no pseudo parameter "AWS::Nothing"`},
		"unknown resource":       {`!GetAtt Nothing.Arn`, `there is no resource "Nothing" in the template`},
		"unknown attribute":      {`!GetAtt Other.Arn`, "the attribute Arn of Other (AWS::Some::Thing) is needed here and is not known"},
		"no attribute":           {`!GetAtt Other`, `Fn::GetAtt takes Resource.Attribute, not "Other"`},
		"a resource not created": {`!Ref Gone`, "the resource Gone is needed here, and its condition No is false"},
		"an attribute of it":     {`!GetAtt Gone.TopicName`, "the resource Gone is needed here, and its condition No is false"},
		"a stream without one":   {`!GetAtt Table.StreamArn`, "the table Table has no StreamSpecification, so it has no StreamArn"},
		"Sub of the unknown":     {`!Sub "${Nothing}"`, `there is no parameter or resource "Nothing" in the template`},
		"Sub of a list":          {`!Sub "${Zones}"`, "${Zones} of Fn::Sub is not text"},
		"Sub of a list literal":  {`!Sub [a, b, c]`, "Fn::Sub takes a list of 2"},
		"IAM variable in a Sub":  {`!Sub "${aws:username}"`, `there is no parameter or resource "aws:username" in the template`},
		"Join without a list":    {`!Join ["", a]`, "the second argument of Fn::Join is not a list"},
		"Join of maps":           {`!Join ["", [{a: b}]]`, "an item of Fn::Join is a map, not text"},
		"Select past the end":    {`!Select [3, !Ref Zones]`, "Fn::Select wants item 3 of a list of 3, counted from 0"},
		"Select below zero":      {`!Select [-1, !Ref Zones]`, "Fn::Select wants item -1 of a list of 3, counted from 0"},
		"Select by name":         {`!Select [x, !Ref Zones]`, `the index of Fn::Select is "x", not a number`},
		"Split at nothing":       {`!Select [0, !Split ["", a]]`, "the delimiter of Fn::Split is empty"},
		"If of the unknown":      {`!If [Maybe, a, b]`, `there is no condition "Maybe" in Conditions`},
		"If of two":              {`!If [Yes, a]`, "Fn::If takes a list of 3"},
		"FindInMap misses":       {`!FindInMap [Sizes, us-east-1, small]`, "Mappings has no Sizes.us-east-1.small"},
		"ImportValue misses":     {`!ImportValue other`, `Fn::ImportValue needs the export "other" of another stack: give its value`},
		"a condition function":   {`!Equals [a, b]`, "Fn::Equals stands only in Conditions: name the condition there and use Fn::If"},
		"beside other keys":      {`{"Fn::Sub": a, b: c}`, "Fn::Sub stands beside other keys: an intrinsic stands alone in its map"},
		"a list":                 {`!Ref Zones`, "this is text, not a list"},
		"ToJsonString alone":     {`{"Fn::ToJsonString": {a: b}}`, "Fn::ToJsonString needs AWS::LanguageExtensions in Transform"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got := refuse(t, fmt.Sprintf(around, tt.expr))
			check(t, tt.expr, got, []string{"t.yaml:24: Fn: Environment.Variables.V: " + tt.want})
		})
	}
}

func TestLanguageExtensions(t *testing.T) {
	text := strings.Replace(around, sam, "Transform: [AWS::LanguageExtensions, AWS::Serverless-2016-10-31]\n", 1)
	for expr, want := range map[string]string{
		`{"Fn::ToJsonString": {a: [!Ref Name, 1, true]}}`: `{"a":["movies",1,true]}`,
		`{"Fn::Length": !Ref Zones}`:                      "3",
	} {
		s := parse(t, fmt.Sprintf(text, expr))
		check(t, expr, s.Functions[0].Environment["V"], want)
	}
}

func TestConditions(t *testing.T) {
	tests := map[string]struct {
		expr string
		want bool
	}{
		"equal":             {`!Equals [a, a]`, true},
		"not equal":         {`!Equals [a, b]`, false},
		"text and boolean":  {`!Equals ["true", true]`, true},
		"text and number":   {`!Equals [!Ref N, 3]`, true},
		"case matters":      {`!Equals [a, A]`, false},
		"not":               {`!Not [!Equals [a, b]]`, true},
		"and":               {`!And [!Equals [a, a], !Equals [b, b]]`, true},
		"and fails":         {`!And [!Equals [a, a], !Equals [a, b]]`, false},
		"or":                {`!Or [!Equals [a, b], !Equals [b, b]]`, true},
		"or fails":          {`!Or [!Equals [a, b], !Equals [b, c]]`, false},
		"long form":         {`{"Fn::Or": [{"Fn::Equals": [a, b]}, {"Fn::Not": [{"Fn::Equals": [a, b]}]}]}`, true},
		"another condition": {`!Not [!Condition Is3]`, false},
		"in long form":      {`{Condition: Is3}`, true},
		"of a join":         {`!Equals [!Join ["", [a, b]], ab]`, true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			s := parse(t, sam+"Parameters: {N: {Type: Number, Default: 3}}\nConditions:\n  Is3: !Equals [!Ref N, 3]\n  C: "+tt.expr+
				"\nResources:\n  T: {Type: AWS::SNS::Topic}\n  Table: {Type: AWS::Serverless::SimpleTable, Condition: C}\n")
			check(t, tt.expr, len(s.Tables) == 1, tt.want)
		})
	}
}

func TestConditionErrors(t *testing.T) {
	tests := map[string]struct{ conditions, want string }{
		"a circle":      {"{C: !Not [!Condition D], D: !Not [!Condition C]}", `t.yaml:2: T: Condition: the condition C depends on itself`},
		"unknown":       {"{}", `t.yaml:3: T: Condition: there is no condition "C" in Conditions`},
		"no function":   {"{C: yes}", `t.yaml:2: T: Condition: a condition is one of Fn::Equals, Fn::And, Fn::Or, Fn::Not or Condition`},
		"one too few":   {"{C: !And [!Equals [a, b]]}", `t.yaml:2: T: Condition: Fn::And takes a list of 2 to 10`},
		"not condition": {"{C: !Join [a, [b]]}", `t.yaml:2: T: Condition: Fn::Join is not a condition function`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got := refuse(t, "# Conditions\nConditions: "+tt.conditions+"\nResources: {T: {Type: AWS::DynamoDB::Table, Condition: C}}\n")
			check(t, "the error", got[0], tt.want)
		})
	}
}

func TestNamesThatNeedEachOther(t *testing.T) {
	got := refuse(t, `
Resources:
  A: {Type: AWS::IAM::User, Properties: {UserName: !Sub "${B}-a"}}
  B: {Type: AWS::IAM::User, Properties: {UserName: !Ref A}}
`)
	check(t, "the error", got[:2], []string{
		"t.yaml:3: B: the name of B depends on itself",
		"t.yaml:4: A: the name of A depends on itself",
	})
}
