package stack_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/marquee-api/marquee/internal/stack"
)

// TestOwnTemplate reads the template of this repository with its own configuration, and holds it to what the design
// promises: signed methods, a private API whose fence is a Deny, callers that need nothing but their invoke right.
func TestOwnTemplate(t *testing.T) {
	config, err := stack.LoadConfig("../../samconfig.toml", "local")
	if err != nil {
		t.Fatal(err)
	}
	check(t, "the configuration", []string{config.Env, config.StackName, config.Region}, []string{"local", "marquee-local", "ap-northeast-2"})
	s, err := stack.Load("../../template.yaml", stack.Options{Name: config.StackName, Region: config.Region, AccountID: "123456789012", Parameters: config.Parameters})
	if err != nil {
		t.Fatal(err)
	}
	check(t, "the warnings", len(s.Warnings), 0)
	if len(s.APIs) != 1 || len(s.Functions) != 2 || len(s.Tables) != 1 {
		t.Fatalf("got %d APIs, %d functions, %d tables; want 1, 2, 1", len(s.APIs), len(s.Functions), len(s.Tables))
	}
	api, root := s.APIs[0], absolute(t, "../..")
	check(t, "the API", []string{api.LogicalID, api.Stage, api.EndpointType}, []string{"MoviesApi", "dev", "PRIVATE"})
	for _, r := range api.Routes {
		check(t, r.Method+" "+r.Path, []string{r.FunctionID, r.Authorization, r.InvokeRole, r.Integration}, []string{"MovieListFunction", "AWS_IAM", "NONE", "aws_proxy"})
	}
	have := map[string]bool{}
	for _, r := range api.Routes {
		have[r.Method+" "+r.Path] = true
	}
	for _, want := range []string{"GET /movie_list", "GET /movie_list/{year}/{title}", "HEAD /movie_list/{year}/{title}",
		"PUT /movie_list/{year}/{title}", "DELETE /movie_list/{year}/{title}"} {
		if !have[want] {
			t.Errorf("the API has no %s", want)
		}
	}
	for _, f := range s.Functions {
		check(t, f.LogicalID, []string{f.Name, f.CodeURI, f.BuildMethod}, []string{"marquee-local-" + f.LogicalID, root, "makefile"})
	}
	check(t, "the roles", []string{s.Functions[0].RoleID, s.Functions[1].RoleID}, []string{"MovieListRole", "CallerRole"})
	check(t, "the table's name", s.Functions[0].Environment["TABLE_NAME"], s.Tables[0].Name)
	check(t, "the table's key", s.Tables[0].KeySchema, []stack.KeyElement{{Name: "pk", Type: "HASH"}, {Name: "sk", Type: "RANGE"}})
	check(t, "the table's time to live", s.Tables[0].TTLAttribute, "expires")
	check(t, "the API's URL", s.Functions[1].Environment["MARQUEE_URL"], "https://"+api.ID+".execute-api.ap-northeast-2.amazonaws.com/dev")
}

func absolute(t *testing.T, path string) string {
	t.Helper()
	full, err := filepath.Abs(path)
	if err != nil {
		t.Fatal(err)
	}
	return full
}

// statement is as much of a policy's statement as these tests look at.
type statement struct {
	Effect    string
	Principal any
	Action    any
	Resource  any
	Condition map[string]map[string]any
}

func statements(t *testing.T, document json.RawMessage) []statement {
	t.Helper()
	var d struct{ Statement []statement }
	if err := json.Unmarshal(document, &d); err != nil {
		t.Fatalf("%s: %v", document, err)
	}
	return d.Statement
}

func TestOwnTemplateFence(t *testing.T) {
	s, err := stack.Load("../../template.yaml", stack.Options{Name: "marquee-local", Region: "ap-northeast-2", AccountID: "123456789012"})
	if err != nil {
		t.Fatal(err)
	}
	var endpoint *stack.VPCEndpoint
	for _, e := range s.Endpoints {
		if e.LogicalID == "ApiEndpoint" {
			endpoint = e
		}
	}
	if endpoint == nil || endpoint.Service != "execute-api" || endpoint.Policy == nil {
		t.Fatalf("got the endpoint %+v, want ApiEndpoint for execute-api with a policy", endpoint)
	}
	check(t, "the association", s.APIs[0].VPCEndpointIDs, []string{endpoint.ID})
	fenced := false
	for _, st := range statements(t, s.APIs[0].ResourcePolicy) {
		if st.Effect == "Allow" && (st.Principal == "*" || len(st.Condition) > 0) {
			t.Errorf("got the Allow %+v: within an account that lets every signer in", st)
		}
		if st.Effect == "Deny" && st.Principal == "*" {
			check(t, "the fence", st.Condition, map[string]map[string]any{"StringNotEquals": {"aws:SourceVpce": []any{endpoint.ID}}})
			fenced = true
		}
	}
	if !fenced {
		t.Errorf("no statement denies other endpoints: %s", s.APIs[0].ResourcePolicy)
	}
}

// TestOwnTemplatePartners reads it with every optional part on: another VPC, partners, no private DNS.
func TestOwnTemplatePartners(t *testing.T) {
	s, err := stack.Load("../../template.yaml", stack.Options{Name: "m", Region: "eu-west-1", Parameters: map[string]string{
		"Stage": "prod", "ExpectedAccountId": "123456789012", "VpcId": "vpc-0123456789abcdef0", "SubnetIds": "subnet-0123456789abcdef0,subnet-0123456789abcdef1",
		"PartnerAccountIds": "111122223333,444455556666", "PrivateDns": "false",
	}})
	if err != nil {
		t.Fatal(err)
	}
	check(t, "the endpoints", len(s.Endpoints), 1)
	endpoint := s.Endpoints[0]
	check(t, "the VPC", endpoint.VPCID, "vpc-0123456789abcdef0")
	var partners []any
	for _, st := range statements(t, s.APIs[0].ResourcePolicy) {
		if p, ok := st.Principal.(map[string]any); ok {
			if list, ok := p["AWS"].([]any); ok {
				partners = list
			}
		}
	}
	check(t, "the partners", partners, []any{"111122223333", "444455556666"})
	for _, f := range s.Functions {
		if f.LogicalID == "CallerFunction" {
			check(t, "the endpoint's name", f.Environment["MARQUEE_VPCE"], endpoint.DNSName)
			check(t, "in the VPC", f.InVPC, true)
		}
	}
}

// TestOwnTemplateOptions reads it with every option that a laptop can honour or say that it does not.
func TestOwnTemplateOptions(t *testing.T) {
	parameters := everyOption(t)
	delete(parameters, "WebAcl")
	s, err := stack.Load("../../template.yaml", stack.Options{Name: "m", Region: "us-east-1", AccountID: "123456789012", Parameters: parameters})
	if err != nil {
		t.Fatal(err)
	}
	api := s.APIs[0]
	for _, r := range api.Routes {
		check(t, r.Method+" "+r.Path+" needs a key", []any{r.Authorization, r.APIKeyRequired}, []any{"AWS_IAM", true})
		want := (*stack.Throttle)(nil)
		switch r.Method {
		case "PUT", "DELETE":
			want = &stack.Throttle{RateLimit: 20, BurstLimit: 40}
		case "GET":
			if r.Path == "/movie_list" { // the cached one repeats the stage's
				want = &stack.Throttle{RateLimit: 50, BurstLimit: 100}
			}
		}
		check(t, "the throttle of "+r.Method+" "+r.Path, r.Throttle, want)
	}
	check(t, "the plans and keys", []int{len(s.UsagePlans), len(s.APIKeys)}, []int{1, 1})
	check(t, "the plan's keys", s.UsagePlans[0].KeyIDs, []string{s.APIKeys[0].ID})
	check(t, "the plan's quota", s.UsagePlans[0].Quota, &stack.Quota{Limit: 100000, Period: "DAY"})
	check(t, "the plan's stage", s.UsagePlans[0].Stages, []stack.UsagePlanStage{{APIID: api.ID, Stage: "prod"}})
	fence := statements(t, api.ResourcePolicy)[0]
	check(t, "the fence", fence.Condition["StringNotEquals"]["aws:SourceVpce"],
		any([]any{s.Endpoints[0].ID, "vpce-0123456789abcdef0", "vpce-0123456789abcdef1"}))
	for _, f := range s.Functions {
		if f.LogicalID == "MovieListFunction" {
			check(t, "the function's concurrency", *f.ReservedConcurrency, 100)
		}
	}
}

// everyOption reads scripts/all-options.
func everyOption(t *testing.T) map[string]string {
	t.Helper()
	text, err := os.ReadFile("../../scripts/all-options")
	if err != nil {
		t.Fatal(err)
	}
	values := map[string]string{}
	for line := range strings.Lines(string(text)) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), "="); ok && !strings.HasPrefix(line, "#") {
			values[name] = value
		}
	}
	if len(values) == 0 {
		t.Fatal("scripts/all-options holds no values")
	}
	return values
}

// TestOwnTemplateRules: what does not go together is refused, with the reason.
func TestOwnTemplateRules(t *testing.T) {
	for name, test := range map[string]struct {
		parameters map[string]string
		want       string
	}{
		"half a network":             {map[string]string{"VpcId": "vpc-0123456789abcdef0"}, "ExistingNetworkIsComplete"},
		"a group of no network":      {map[string]string{"FurtherCallerGroupId": "sg-0123456789abcdef0"}, "FurtherGroupIsOfTheExistingNetwork"},
		"a domain without its key":   {map[string]string{"DomainName": "movies.example.com"}, "DomainIsComplete"},
		"a zone without a domain":    {map[string]string{"DomainZoneId": "Z0123456789ABC"}, "DomainIsComplete"},
		"a deployment unbraked":      {map[string]string{"GradualDeployment": "AllAtOnce", "Alarms": "false"}, "GradualDeploymentHasABrake"},
		"a reader of no alarms":      {map[string]string{"AlarmEmail": "a@example.com", "Alarms": "false"}, "SomebodyToTellNeedsAlarms"},
		"production anywhere":        {map[string]string{"Stage": "prod"}, "ProductionNamesItsAccount"},
		"an address of no network":   {map[string]string{"VpcCidr": "10.256.0.0/16"}, "VpcCidr"},
		"callers of no network":      {map[string]string{"CallerCidr": "300.0.0.0/8"}, "CallerCidr"},
		"the whole internet":         {map[string]string{"CallerCidr": "0.0.0.0/0"}, "CallerCidr"},
		"a key that is text":         {map[string]string{"RequireApiKey": "false"}, "RequireApiKey"},
		"a firewall of another kind": {map[string]string{"WebAcl": "arn:aws:wafv2:us-east-1:123456789012:global/webacl/a/01234567-89ab-cdef-0123-456789abcdef"}, "WebAcl"},
		"an alias for a key":         {map[string]string{"KmsKeyArn": "arn:aws:kms:us-east-1:123456789012:alias/a"}, "KmsKeyArn"},
		"more than can be sent":      {map[string]string{"CompressFromBytes": "10485761"}, "CompressFromBytes"},
		"an endpoint that is a VPC":  {map[string]string{"AdmittedEndpointIds": "vpc-0123456789abcdef0"}, "AdmittedEndpointIds"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := stack.Load("../../template.yaml", stack.Options{Region: "us-east-1", Parameters: test.parameters})
			if err == nil || !strings.Contains(err.Error(), test.want+": ") {
				t.Errorf("got %v, want an error about %s", err, test.want)
			}
		})
	}
}

// TestOwnTemplateProduction: samconfig.toml says all that a deployment to production needs.
func TestOwnTemplateProduction(t *testing.T) {
	config, err := stack.LoadConfig("../../samconfig.toml", "prod")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := stack.Load("../../template.yaml", stack.Options{Name: config.StackName, Region: config.Region, Parameters: config.Parameters}); err != nil {
		t.Fatal(err)
	}
	check(t, "the account", len(config.Parameters["ExpectedAccountId"]), 12)
}
