package gateway

import (
	"net/http"

	"github.com/marquee-api/marquee/internal/policy"
)

// Decision is what the gateway says to a request, and by what.
type Decision struct {
	// Allowed: the caller may make this call. An API key that is missing and a limit that is used up are not asked.
	Allowed bool
	// Fails: nothing runs for one who is let in, whoever that is. Record says what is answered.
	Fails bool
	// Record is what would be recorded. Its Route is there for a caller who is refused, too; its Status is 0 for one who is
	// let in, unless the call fails.
	Record Record
	// Verdict is that of the policies: of the one that refused, else of the resource and identity policies. Nil means that
	// none decided.
	Verdict *policy.Verdict
	// APIKeyRequired: the method wants an API key besides.
	APIKeyRequired bool
}

// Decide says whether a request without a body would be let in through a door. It runs the checks of a served request
// that depend on who calls what, on the same code, and none that counts requests, breaks them or runs a function. Nobody
// observes it.
func (g *Gateway) Decide(door Door, r *http.Request) Decision {
	x := &exchange{g: g, door: &door, r: r, now: g.now(), hash: emptyHash}
	x.record = Record{Time: x.now, Door: door.Name, Method: r.Method, Host: r.Host, Path: r.URL.Path}
	refusal := x.decide()
	d := Decision{Allowed: refusal == nil}
	if d.Allowed {
		refusal = x.certain()
		d.Fails = refusal != nil
	}
	if refusal != nil {
		x.record.refused(refusal)
		x.record.Status = x.refuse(refusal).Status
	}
	if x.route != nil {
		x.record.Route = x.route.name
	}
	d.Record, d.APIKeyRequired = x.record, x.route != nil && x.route.APIKeyRequired
	if x.judged {
		d.Verdict = &x.verdict
	}
	return d
}

func (x *exchange) decide() *Refusal {
	if refusal := x.limit(); refusal != nil {
		return x.record.fail("limits", refusal)
	}
	if refusal := x.find(); refusal != nil {
		return x.record.fail("api", refusal)
	}
	for _, check := range []func() *Refusal{x.authenticate, x.authorize, x.routed, x.passOn} {
		if refusal := check(); refusal != nil {
			return refusal
		}
	}
	return nil
}
