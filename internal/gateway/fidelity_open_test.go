package gateway_test

import (
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/marquee-api/marquee/internal/gateway"
	"github.com/marquee-api/marquee/internal/policy"
)

// withOpen adds a method that asks for no signature.
func withOpen(c *gateway.Config, _ *gateway.Door) {
	c.APIs[0].Routes = append(c.APIs[0].Routes, gateway.Route{Method: http.MethodGet, Path: "/open", Function: "open", NoAuth: true})
}

// On a method that asks for no signature the endpoint policy sees who signed all the same, by Principal and by condition
// keys alike ("VPC endpoint policies": a valid SigV4 is that identity); the resource policy sees nobody.
func TestFidelityOpenMethods(t *testing.T) {
	const (
		all       = `{"Effect":"Allow","Action":"*","Resource":"*","Principal":"*"}`
		deny      = `{"Effect":"Deny","Action":"*","Resource":"*","Principal":`
		allow     = `{"Effect":"Allow","Action":"*","Resource":"*","Principal":`
		role      = `{"AWS":"arn:aws:iam::123456789012:role/Reader"}`
		ofRole    = `"*","Condition":{"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::123456789012:role/Reader"}}`
		ofTag     = `"*","Condition":{"StringEquals":{"aws:PrincipalTag/team":"movies"}}`
		ofSession = `"*","Condition":{"Null":{"aws:TokenIssueTime":"false"}}`
		nobody    = `"*","Condition":{"Null":{"aws:PrincipalArn":"true"}}`
		denied    = " with an explicit deny in a VPC endpoint policy"
		silent    = " because no VPC endpoint policy allows the execute-api:Invoke action"
	)
	reader, stranger, unsigned := call{path: "/dev/open"}, call{path: "/dev/open", key: "ASIASTRANGER"}, call{path: "/dev/open", key: "-"}
	tests := map[string]struct {
		endpoint, resource string
		call               call
		body               string
	}{
		"2.1/a Deny of the role":                         {document(all, deny+role+"}"), document(all), reader, denial(readerARN, "dev/GET/open", denied)},
		"2.1/a Deny of its ARN":                          {document(all, deny+ofRole+"}"), document(all), reader, denial(readerARN, "dev/GET/open", denied)},
		"2.1/a Deny of its tag":                          {document(all, deny+ofTag+"}"), document(all), reader, denial(readerARN, "dev/GET/open", denied)},
		"2.1/a Deny of sessions":                         {document(all, deny+ofSession+"}"), document(all), reader, denial(readerARN, "dev/GET/open", denied)},
		"2.1/a Deny of another's ARN":                    {document(all, deny+ofRole+"}"), document(all), stranger, `{}`},
		"2.1/a Deny of an ARN, unsigned":                 {document(all, deny+ofRole+"}"), document(all), unsigned, `{}`},
		"2.1/an Allow of the ARN alone":                  {document(allow + ofRole + "}"), document(all), reader, `{}`},
		"2.1/an Allow of the ARN alone, unsigned":        {document(allow + ofRole + "}"), document(all), unsigned, denial("anonymous", "dev/GET/open", silent)},
		"2.1/an Allow of the ARN alone, another calls":   {document(allow + ofRole + "}"), document(all), stranger, denial(strangerARN, "dev/GET/open", silent)},
		"2.1/a Deny of nobody":                           {document(all, deny+nobody+"}"), document(all), reader, `{}`},
		"2.2/the resource policy sees no ARN":            {document(all), document(all, deny+ofRole+"}"), reader, `{}`},
		"2.2/the resource policy sees no tag":            {document(all), document(allow + ofTag + "}"), reader, denial("anonymous", "dev/GET/open", " because no resource-based policy allows the execute-api:Invoke action")},
		"2.2/the resource policy sees nobody":            {document(all), document(allow + nobody + "}"), reader, `{}`},
		"2.2/after an endpoint policy that saw somebody": {document(allow + ofRole + "}"), document(all, deny+ofRole+"}"), reader, `{}`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, withOpen, withResourcePolicy(t, tt.resource), func(_ *gateway.Config, d *gateway.Door) {
				d.Policy = parse(t, tt.endpoint, policy.KindEndpoint)
			})
			f.people["ASIAREADER"].ContextKeys = map[string]string{"aws:PrincipalTag/team": "movies"}
			if got := f.do(t, tt.call); got.body != tt.body {
				t.Errorf("got %d %s\nwant %s", got.status, got.body, tt.body)
			}
		})
	}
}

// What the policies of an open method are shown to have said is what they said: each of the caller that it saw.
func TestDetailOfAnOpenMethod(t *testing.T) {
	const onlyTheRole = `{"Sid":"Role","Effect":"Allow","Action":"*","Resource":"*","Principal":"*","Condition":{"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::123456789012:role/Reader"}}}`
	const onlyNobody = `{"Sid":"Nobody","Effect":"Allow","Action":"*","Resource":"*","Principal":"*","Condition":{"Null":{"aws:PrincipalArn":"true"}}}`
	f := newFixture(t, withOpen, withResourcePolicy(t, document(onlyNobody)), func(c *gateway.Config, d *gateway.Door) {
		c.DetailBytes = 1 << 10
		d.Policy = parse(t, document(onlyTheRole), policy.KindEndpoint)
	})
	if got := f.do(t, call{path: "/dev/open"}); got.status != http.StatusOK {
		t.Fatalf("got %d %s", got.status, got.body)
	}
	var got []string
	for _, p := range f.next(t).Detail.Policies {
		got = append(got, p.Kind+": "+p.Decision+" by "+p.Sid)
	}
	if diff := cmp.Diff([]string{"VPC endpoint policy: allow by Role", "resource-based policy: allow by Nobody"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
