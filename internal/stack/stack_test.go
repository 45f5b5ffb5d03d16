package stack_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/marquee-api/marquee/internal/stack"
)

// options are those of every test that does not say otherwise.
var options = stack.Options{Name: "s", Region: "eu-west-1", AccountID: "111122223333"}

// parse reads a template that must be right.
func parse(t *testing.T, text string) *stack.Stack {
	t.Helper()
	s, err := stack.Parse("t.yaml", []byte(text), options)
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return s
}

// refuse reads a template that must be wrong, and returns the lines of the error.
func refuse(t *testing.T, text string) []string {
	t.Helper()
	s, err := stack.Parse("t.yaml", []byte(text), options)
	if err == nil {
		t.Fatalf("got a stack, want an error:\n%s", text)
	}
	if s != nil {
		t.Errorf("got a stack beside the error %v", err)
	}
	var e *stack.Error
	if !errors.As(err, &e) {
		t.Errorf("got %T, want a *stack.Error: %v", err, err)
	}
	return strings.Split(err.Error(), "\n")
}

// warnings are a stack's warnings as lines.
func warnings(s *stack.Stack) []string {
	var out []string
	for _, w := range s.Warnings {
		out = append(out, w.String())
	}
	return out
}

func check(t *testing.T, what string, got, want any) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s: got (+), want (-):\n%s", what, diff)
	}
}

// sam is the top of a SAM template.
const sam = "Transform: AWS::Serverless-2016-10-31\n"

// function is a function that is right, and no more.
const function = "{Type: AWS::Serverless::Function, Properties: {Runtime: provided.al2023, Handler: bootstrap}}"

// routes writes routes for comparison: method, path, function, authorization, key, credentials.
func routes(api *stack.API) []string {
	var out []string
	for _, r := range api.Routes {
		words := []string{r.Method, r.Path, r.FunctionID, r.Authorization}
		if r.Integration != "aws_proxy" {
			words[2] = "(" + r.Integration + ")"
		}
		if r.APIKeyRequired {
			words = append(words, "key")
		}
		if r.InvokeRole != "NONE" {
			words = append(words, r.InvokeRole)
		}
		out = append(out, strings.Join(words, " "))
	}
	return out
}

func TestDefaults(t *testing.T) {
	s, err := stack.Parse("t.yaml", []byte("Resources: {T: {Type: AWS::SNS::Topic}}"), stack.Options{})
	if err != nil {
		t.Fatal(err)
	}
	check(t, "the stack", []string{s.Name, s.Region, s.AccountID, s.Partition}, []string{"local", "us-east-1", "123456789012", "aws"})
	for region, partition := range map[string]string{"cn-north-1": "aws-cn", "us-gov-west-1": "aws-us-gov", "ap-northeast-2": "aws"} {
		s, err := stack.Parse("t.yaml", []byte("Resources: {T: {Type: AWS::SNS::Topic}}"), stack.Options{Region: region})
		if err != nil {
			t.Fatal(err)
		}
		check(t, region, s.Partition, partition)
	}
}

func TestAllErrorsAtOnce(t *testing.T) {
	got := refuse(t, sam+`
Resources:
  A:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: provided.al2023
      Timeout: never
      MemorySize: [1]
  B:
    Type: AWS::EC2::VPCEndpoint
    Properties: {VpcId: v, ServiceName: !Ref Nothing}
`)
	check(t, "the error", got, []string{
		`t.yaml:8: A: Timeout: "never" is not a whole number`,
		`t.yaml:9: A: MemorySize: this is text, not a list`,
		`t.yaml:12: B: ServiceName: there is no parameter or resource "Nothing" in the template`,
	})
}

func TestPosition(t *testing.T) {
	check(t, "with a line", stack.Position{File: "template.yaml", Line: 12}.String(), "template.yaml:12")
	check(t, "without", stack.Position{File: "template.yaml"}.String(), "template.yaml")
	w := stack.Warning{Position: stack.Position{File: "f", Line: 1}, Resource: "R", Property: "P", Message: "m"}
	check(t, "a warning", w.String(), "f:1: R: P: m")
}

func TestLoadMissing(t *testing.T) {
	if _, err := stack.Load("testdata/none.yaml", options); err == nil || !strings.Contains(err.Error(), "testdata/none.yaml") {
		t.Errorf("got %v, want an error that names the file", err)
	}
}

func contains(t *testing.T, err error, want string) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("got %v, want an error with %q", err, want)
	}
}
