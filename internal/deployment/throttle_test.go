package deployment_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/marquee-api/marquee/internal/deployment"
	"github.com/marquee-api/marquee/internal/gateway"
)

// The regions and figures of "Amazon API Gateway quotas".
func TestAccountThrottle(t *testing.T) {
	tests := map[string]struct {
		regions []string
		want    gateway.Throttle
	}{
		"the usual quota": {[]string{"us-east-1", "eu-central-1", "ap-northeast-2", "ap-southeast-2"}, gateway.Throttle{Rate: 10_000, Burst: 5000}},
		"a quarter": {[]string{
			"af-south-1",     // Cape Town
			"eu-south-1",     // Milan
			"ap-southeast-3", // Jakarta
			"me-central-1",   // UAE
			"ap-south-2",     // Hyderabad
			"ap-southeast-4", // Melbourne
			"eu-south-2",     // Spain
			"eu-central-2",   // Zurich
			"il-central-1",   // Tel Aviv
			"ca-west-1",      // Calgary
			"ap-southeast-5", // Malaysia
			"ap-southeast-7", // Thailand
			"mx-central-1",   // Mexico
		}, gateway.Throttle{Rate: 2500, Burst: 1250}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			for _, region := range tt.regions {
				if got := *deployment.AccountThrottle(region); got != tt.want {
					t.Errorf("%s: got %+v, want %+v", region, got, tt.want)
				}
			}
		})
	}
}

// What MethodSettings says of every method is the API's, and what it says of one is the route's, which the gateway puts in
// its place.
func TestThrottlesOfAStage(t *testing.T) {
	text := strings.Replace(template, "      Auth:\n", `      MethodSettings:
        - {ResourcePath: "/*", HttpMethod: "*", ThrottlingRateLimit: 50, ThrottlingBurstLimit: 100}
        - {ResourcePath: "/~1x~1{id}", HttpMethod: PUT, ThrottlingRateLimit: 20, ThrottlingBurstLimit: 40}
      Auth:
`, 1)
	text = strings.Replace(text, "Method: get}}}", "Method: get}}, Put: {Type: Api, Properties: {RestApiId: !Ref Api, Path: \"/x/{id}\", Method: put}}}", 1)
	apis, err := deployment.APIs(parse(t, text))
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]*gateway.Throttle{"stage": apis[0].Throttle}
	for _, r := range apis[0].Routes {
		got[r.Method] = r.Throttle
	}
	want := map[string]*gateway.Throttle{"stage": {Rate: 50, Burst: 100}, "GET": nil, "PUT": {Rate: 20, Burst: 40}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
