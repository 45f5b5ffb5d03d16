package gateway_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/marquee-api/marquee/internal/gateway"
	"github.com/marquee-api/marquee/internal/policy"
)

func withKeys(plan gateway.UsagePlan) options {
	return func(c *gateway.Config, _ *gateway.Door) {
		c.APIs[0].Routes[0].APIKeyRequired = true
		c.APIKeys = []gateway.APIKey{
			{ID: "k1", Name: "first", Value: "0123456789abcdefghij", Enabled: true},
			{ID: "k2", Name: "disabled", Value: "disabled-key-value-0", Enabled: false},
			{ID: "k3", Name: "without a plan", Value: "unplanned-key-value-", Enabled: true},
			{ID: "k4", Name: "second", Value: "second-key-value-012", Enabled: true},
		}
		plan.ID = "p"
		if plan.Stages == nil {
			plan.Stages = []gateway.PlanStage{{APIID: apiID, Stage: "dev"}}
		}
		plan.KeyIDs = []string{"k1", "k2", "k4"}
		c.UsagePlans = []gateway.UsagePlan{plan}
	}
}

func key(value string) map[string]string { return map[string]string{"X-Api-Key": value} }

func TestAPIKey(t *testing.T) {
	tests := map[string]struct {
		call   call
		plan   gateway.UsagePlan
		status int
	}{
		"right":                        {call{header: key("0123456789abcdefghij")}, gateway.UsagePlan{}, 200},
		"missing":                      {call{}, gateway.UsagePlan{}, 403},
		"unknown":                      {call{header: key("0123456789abcdefghiX")}, gateway.UsagePlan{}, 403},
		"disabled":                     {call{header: key("disabled-key-value-0")}, gateway.UsagePlan{}, 403},
		"in no plan":                   {call{header: key("unplanned-key-value-")}, gateway.UsagePlan{}, 403},
		"in the plan of another stage": {call{header: key("0123456789abcdefghij")}, gateway.UsagePlan{Stages: []gateway.PlanStage{{APIID: apiID, Stage: "prod"}}}, 403},
		"the method needs none":        {call{path: "/dev/movie_list/1999/Go"}, gateway.UsagePlan{}, 200},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, withKeys(tt.plan))
			got := f.do(t, tt.call)
			if got.status != tt.status {
				t.Errorf("got %d %s, want %d", got.status, got.body, tt.status)
			}
			if tt.status == 403 && (got.errorType != "ForbiddenException" || got.body != forbidden) {
				t.Errorf("got %s %s, want Forbidden", got.errorType, got.body)
			}
		})
	}
	t.Run("a key does not authorise", func(t *testing.T) {
		f := newFixture(t, withKeys(gateway.UsagePlan{}))
		if got := f.do(t, call{key: "ASIASTRANGER", header: key("0123456789abcdefghij")}); got.errorType != "AccessDeniedException" {
			t.Errorf("got %d %s, want AccessDenied before the key is looked at", got.status, got.errorType)
		}
		if got := f.do(t, call{key: "-", header: key("0123456789abcdefghij")}); got.body != missing {
			t.Errorf("got %d %s, want a missing token", got.status, got.body)
		}
	})
	t.Run("the event names it", func(t *testing.T) {
		f := newFixture(t, withKeys(gateway.UsagePlan{}))
		f.do(t, call{header: key("0123456789abcdefghij")})
		identity := f.function.event["requestContext"].(map[string]any)["identity"].(map[string]any)
		if identity["apiKey"] != "0123456789abcdefghij" || identity["apiKeyId"] != "k1" {
			t.Errorf("got %v, %v", identity["apiKey"], identity["apiKeyId"])
		}
	})
}

func TestUsagePlanBoundsEachKey(t *testing.T) {
	const first, second = "0123456789abcdefghij", "second-key-value-012"
	tests := map[string]struct {
		plan      gateway.UsagePlan
		want      []int // of the first key
		errorType string
		body      string
	}{
		"throttle":           {gateway.UsagePlan{Throttle: &gateway.Throttle{Rate: 1, Burst: 2}}, []int{200, 200, 429}, "TooManyRequestsException", `{"message":"Too Many Requests"}`},
		"throttle of method": {gateway.UsagePlan{Stages: []gateway.PlanStage{{APIID: apiID, Stage: "dev", Throttles: map[string]*gateway.Throttle{"/movie_list/GET": {Rate: 1, Burst: 1}}}}}, []int{200, 429}, "TooManyRequestsException", `{"message":"Too Many Requests"}`},
		"quota":              {gateway.UsagePlan{Quota: &gateway.Quota{Limit: 2, Period: "DAY"}}, []int{200, 200, 429}, "LimitExceededException", `{"message":"Limit Exceeded"}`},
		"quota with offset":  {gateway.UsagePlan{Quota: &gateway.Quota{Limit: 2, Offset: 1, Period: "WEEK"}}, []int{200, 429}, "LimitExceededException", `{"message":"Limit Exceeded"}`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, withKeys(tt.plan))
			for i, want := range tt.want {
				got := f.do(t, call{header: key(first)})
				if got.status != want || want == 429 && (got.errorType != tt.errorType || got.body != tt.body) {
					t.Errorf("request %d: got %d %s %s, want %d", i+1, got.status, got.errorType, got.body, want)
				}
			}
			if got := f.do(t, call{header: key(second)}); got.status != 200 {
				t.Errorf("another key: got %d %s, want 200", got.status, got.body)
			}
		})
	}
}

// A quota begins anew with its period, in UTC.
func TestQuotaPeriods(t *testing.T) {
	// 2026-03-04 is a Wednesday.
	tests := map[string]struct {
		period     string
		same, next time.Time
	}{
		"day":   {"DAY", time.Date(2026, 3, 4, 23, 59, 59, 0, time.UTC), time.Date(2026, 3, 5, 0, 0, 0, 0, time.UTC)},
		"week":  {"WEEK", time.Date(2026, 3, 7, 23, 59, 59, 0, time.UTC), time.Date(2026, 3, 8, 0, 0, 0, 0, time.UTC)},
		"month": {"MONTH", time.Date(2026, 3, 31, 23, 59, 59, 0, time.UTC), time.Date(2026, 4, 1, 0, 0, 0, 0, time.UTC)},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			clock := now
			f := newFixture(t, withKeys(gateway.UsagePlan{Quota: &gateway.Quota{Limit: 1, Period: tt.period}}),
				func(c *gateway.Config, _ *gateway.Door) { c.Now = func() time.Time { return clock } })
			for _, id := range f.people {
				id.Key.Expires = now.AddDate(1, 0, 0)
			}
			for i, step := range []struct {
				at   time.Time
				want int
			}{{now, 200}, {tt.same, 429}, {tt.next, 200}} {
				clock = step.at
				if got := f.do(t, call{header: key("0123456789abcdefghij"), date: clock}); got.status != step.want {
					t.Errorf("request %d at %v: got %d %s, want %d", i+1, step.at, got.status, got.body, step.want)
				}
			}
		})
	}
}

// A mock integration answers in place of a function; SAM makes one without authorization for preflight requests.
func TestMockIntegration(t *testing.T) {
	f := newFixture(t, func(c *gateway.Config, _ *gateway.Door) {
		c.APIs[0].ResourcePolicy = parse(t, `{"Statement":[{"Effect":"Allow","Principal":"*","Action":"execute-api:Invoke","Resource":"*"}]}`, policy.KindResource)
		c.APIs[0].Routes = append(c.APIs[0].Routes, gateway.Route{
			Method: "OPTIONS", Path: "/movie_list", NoAuth: true,
			Mock: &gateway.Mock{Status: 200, Header: http.Header{"Access-Control-Allow-Origin": {"*"}}},
		})
	})
	got := f.do(t, call{method: "OPTIONS", key: "-"})
	if got.status != 200 || got.header.Get("Access-Control-Allow-Origin") != "*" || f.function.event != nil {
		t.Errorf("got %d %v, want the mock's answer and no invocation", got.status, got.header)
	}
}
