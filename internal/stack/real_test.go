package stack_test

import (
	"strings"
	"testing"

	"github.com/marquee-api/marquee/internal/stack"
)

// TestRealTemplate reads one large template of the usual kind in both of its environments.
func TestRealTemplate(t *testing.T) {
	load := func(parameters map[string]string) *stack.Stack {
		t.Helper()
		s, err := stack.Load("testdata/real/orders.yaml", stack.Options{Name: "orders", Region: "eu-central-1", AccountID: "111122223333", Parameters: parameters})
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	test := load(nil)
	live := load(map[string]string{"Environment": "live", "VpcId": "vpc-1", "SubnetIds": "subnet-1,subnet-2"})

	want := []string{
		"GET /orders ReadFunction AWS_IAM", "POST /orders WriteFunction AWS_IAM",
		"GET /orders/{id} ReadFunction AWS_IAM", "DELETE /orders/{id} WriteFunction AWS_IAM",
		"GET /health ReadFunction NONE",
	}
	check(t, "the routes of test", routes(test.APIs[0]), want)
	check(t, "the routes of live", routes(live.APIs[0]), want)
	check(t, "the name", live.APIs[0].Name, "orders-live")
	check(t, "the throttles", []any{test.APIs[0].Throttle, live.APIs[0].Throttle, live.APIs[0].Routes[1].Throttle},
		[]any{&stack.Throttle{RateLimit: 10, BurstLimit: 20}, &stack.Throttle{RateLimit: 500, BurstLimit: 1000}, &stack.Throttle{RateLimit: 1, BurstLimit: 1}})
	check(t, "statements of test", len(statements(t, test.APIs[0].ResourcePolicy)), 2)
	policy := statements(t, live.APIs[0].ResourcePolicy)
	check(t, "the partners", policy[1].Principal, any(map[string]any{"AWS": []any{"210987654321", "345678901234"}}))
	check(t, "their resource", policy[1].Resource, any("execute-api:/live/GET/orders/*"))
	check(t, "the fence", policy[0].Condition["StringNotEquals"]["aws:SourceVpce"], any(live.Endpoints[0].ID))

	read, written := live.Functions[0], live.Functions[1]
	check(t, "the memory", []int{test.Functions[0].MemoryMB, read.MemoryMB}, []int{256, 512})
	check(t, "the VPC", []bool{read.InVPC, written.InVPC}, []bool{false, true})
	check(t, "the environment", written.Environment, map[string]string{
		"LOG_LEVEL": "info", "STAGE": "live", "TABLE": "orders-OrdersTable", "TOPIC": "arn:aws:sns:eu-central-1:111122223333:orders-Placed",
		"READ": read.ARN, "SECRET": "{{resolve:secretsmanager:live/orders:SecretString:key}}",
	})
	roles := map[string]*stack.Role{}
	for _, r := range live.Roles {
		roles[r.LogicalID] = r
	}
	check(t, "the roles", []string{read.RoleID, written.RoleID}, []string{"ReadFunctionRole", "WriteFunctionRole"})
	check(t, "managed policies of the reader", roles["ReadFunctionRole"].ManagedPolicyARNs, []string{
		"arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole", "arn:aws:iam::aws:policy/AWSXrayWriteOnlyAccess",
		"arn:aws:iam::aws:policy/CloudWatchLambdaInsightsExecutionRolePolicy",
	})
	check(t, "the partner's right", string(roles["Partner"].Policies[0].Document), `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"execute-api:Invoke",`+
		`"Resource":"arn:aws:execute-api:eu-central-1:111122223333:`+live.APIs[0].ID+`/live/GET/orders/*"}]}`)
	check(t, "the outputs", live.Outputs, map[string]string{
		"Url": "https://" + live.APIs[0].ID + ".execute-api.eu-central-1.amazonaws.com/live/", "Dns": live.Endpoints[0].DNSName,
	})
	var got []string
	for _, w := range warnings(live) {
		got = append(got, strings.TrimPrefix(w, "testdata/real/orders.yaml:"))
	}
	check(t, "the warnings of live", got, []string{
		"113: WriteFunction: Environment.Variables.SECRET: the dynamic reference is handed on as it is: only AWS can look it up",
		"117: WriteFunction: Events.Nightly: events of type Schedule do not happen here: invoke the function by hand",
	})
}
