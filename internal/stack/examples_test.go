package stack_test

import (
	"strings"
	"testing"

	"github.com/marquee-api/marquee/internal/stack"
)

// TestPublicExample: everybody may send, and only signers with a right are answered.
func TestPublicExample(t *testing.T) {
	s, err := stack.Load("../../examples/public-api/template.yaml", stack.Options{Name: "p", Region: "eu-west-1", AccountID: "123456789012"})
	if err != nil {
		t.Fatal(err)
	}
	check(t, "the warnings", len(s.Warnings), 0)
	check(t, "the API", []any{s.APIs[0].EndpointType, s.APIs[0].ResourcePolicy == nil, len(s.Endpoints)}, []any{"REGIONAL", true, 0})
	check(t, "the routes", routes(s.APIs[0]), []string{
		"GET /movie_list MovieListFunction AWS_IAM", "GET /movie_list/{year}/{title} MovieListFunction AWS_IAM",
		"PUT /movie_list/{year}/{title} MovieListFunction AWS_IAM", "DELETE /movie_list/{year}/{title} MovieListFunction AWS_IAM",
	})
	for _, r := range s.APIs[0].Routes {
		check(t, "who invokes for "+r.Method+" "+r.Path, r.InvokeRole, "NONE")
	}
	own, err := stack.Load("../../template.yaml", stack.Options{Region: "eu-west-1"})
	if err != nil {
		t.Fatal(err)
	}
	check(t, "the table's keys", s.Tables[0].KeySchema, own.Tables[0].KeySchema)
	check(t, "the table's indexes", s.Tables[0].GlobalIndexes, own.Tables[0].GlobalIndexes)
	check(t, "where the code is", s.Functions[0].CodeURI, absolute(t, "../.."))
}

// TestCallerExample: the role holds the right to one path, in whichever account and region the API is.
func TestCallerExample(t *testing.T) {
	network := map[string]string{"ApiId": "a1b2c3d4e5", "SubnetIds": "subnet-0123456789abcdef0", "SecurityGroupIds": "sg-0123456789abcdef0"}
	for name, test := range map[string]struct {
		parameters    map[string]string
		resource, url string
		condition     map[string]map[string]any
		endpointName  string
	}{
		"the same account": {
			nil, "arn:aws:execute-api:eu-west-1:123456789012:a1b2c3d4e5/dev/GET/movie_list",
			"https://a1b2c3d4e5.execute-api.eu-west-1.amazonaws.com/dev", nil, "",
		},
		"another account, another region, through one endpoint": {
			map[string]string{"ApiAccountId": "210987654321", "ApiRegion": "eu-central-1", "Stage": "prod", "Method": "PUT", "Path": "movie_list/*/*",
				"EndpointId": "vpce-0123456789abcdef0", "EndpointName": "vpce-0123456789abcdef0-abcdefgh.execute-api.eu-central-1.vpce.amazonaws.com"},
			"arn:aws:execute-api:eu-central-1:210987654321:a1b2c3d4e5/prod/PUT/movie_list/*/*",
			"https://a1b2c3d4e5.execute-api.eu-central-1.amazonaws.com/prod",
			map[string]map[string]any{"StringEquals": {"aws:SourceVpce": "vpce-0123456789abcdef0"}},
			"vpce-0123456789abcdef0-abcdefgh.execute-api.eu-central-1.vpce.amazonaws.com",
		},
	} {
		t.Run(name, func(t *testing.T) {
			parameters := map[string]string{}
			for _, given := range []map[string]string{network, test.parameters} {
				for key, value := range given {
					parameters[key] = value
				}
			}
			s, err := stack.Load("../../examples/caller-stack/template.yaml", stack.Options{Region: "eu-west-1", AccountID: "123456789012", Parameters: parameters})
			if err != nil {
				t.Fatal(err)
			}
			check(t, "the policies", len(s.Roles[0].Policies), 1)
			rights := statements(t, s.Roles[0].Policies[0].Document)
			check(t, "the rights", len(rights), 1)
			check(t, "the action", rights[0].Action, any("execute-api:Invoke"))
			check(t, "the path", rights[0].Resource, any(test.resource))
			check(t, "the condition", rights[0].Condition, test.condition)
			check(t, "the URL", s.Functions[0].Environment["MARQUEE_URL"], test.url)
			check(t, "the endpoint's name", s.Functions[0].Environment["MARQUEE_VPCE"], test.endpointName)
			check(t, "in a VPC", s.Functions[0].InVPC, true)
		})
	}
}

// TestCallerExampleRefuses: a right to more than one path is no value for the parameter.
func TestCallerExampleRefuses(t *testing.T) {
	for _, path := range []string{"*", "*/movie_list", "movie_list/**", "/movie_list", "movie_list/", ""} {
		_, err := stack.Load("../../examples/caller-stack/template.yaml", stack.Options{Region: "eu-west-1", Parameters: map[string]string{
			"ApiId": "a1b2c3d4e5", "SubnetIds": "subnet-0123456789abcdef0", "SecurityGroupIds": "sg-0123456789abcdef0", "Path": path,
		}})
		if err == nil || !strings.Contains(err.Error(), "Path: the value") {
			t.Errorf("Path=%q: got %v, want an error about Path", path, err)
		}
	}
}
