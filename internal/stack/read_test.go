package stack_test

import (
	"os"
	"strings"
	"testing"

	"github.com/marquee-api/marquee/internal/stack"
)

// TestBoundedFiles holds that no file is read without a bound: what a template names has to be an ordinary file, and what
// somebody names on the command line is read up to the size of a template.
func TestBoundedFiles(t *testing.T) {
	const endless = "/dev/zero"
	if _, err := os.Stat(endless); err != nil {
		t.Skip("this system has no " + endless)
	}
	naming := func(location string) string {
		return sam + "Resources:\n  A: {Type: AWS::Serverless::Api, Properties: {StageName: v1, OpenApiVersion: 3.0.1, DefinitionBody: {Fn::Transform: {Name: AWS::Include, Parameters: {Location: " + location + "}}}}}\n"
	}
	_, err := stack.Load(write(t, "template.yaml", naming(endless)), options)
	contains(t, err, "the file the template names cannot be read: /dev/zero is not an ordinary file")
	_, err = stack.Load(write(t, "template.yaml", naming("api.yaml"), "api.yaml", strings.Repeat("#", 1<<20+1)), options)
	contains(t, err, "api.yaml has more than 1048576 bytes")
	_, err = stack.Load(endless, options)
	contains(t, err, "/dev/zero has more than 1048576 bytes")
	_, err = stack.Inspect(endless, options)
	contains(t, err, "/dev/zero has more than 1048576 bytes")
	_, err = stack.ReadPolicies(map[string]string{"arn:aws:iam::111122223333:policy/p": endless})
	contains(t, err, "/dev/zero has more than 1048576 bytes")
	_, err = stack.LoadConfig(endless, "dev")
	contains(t, err, "/dev/zero has more than 1048576 bytes")
}
