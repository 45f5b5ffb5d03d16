package gateway

import (
	"strconv"
	"time"

	"github.com/marquee-api/marquee/internal/policy"
)

const invokeAction = "execute-api:Invoke"

// policyNames are the kinds of policy as AWS names them in a denial ("Troubleshoot access denied error messages").
var policyNames = map[policy.Source]string{
	policy.SourceIdentity: "identity-based policy",
	policy.SourceResource: "resource-based policy",
	policy.SourceEndpoint: "VPC endpoint policy",
	policy.SourceBoundary: "permissions boundary",
	policy.SourceSession:  "session policy",
}

// checkEndpointPolicy asks the policy of the endpoint on its own, before the API's: it must allow. Without one there is
// AWS's default, which allows everything.
func (x *exchange) checkEndpointPolicy() *Refusal {
	if x.door.Policy == nil {
		return nil
	}
	verdict, asked := x.ofBothPaths(x.policyRequest(), func(request *policy.Request) policy.Verdict {
		result := x.door.Policy.Evaluate(request)
		return policy.Verdict{
			Decision: result.Decision, Source: policy.SourceEndpoint, Document: min(result.Statement, 0), Statement: result.Statement, Sid: result.Sid,
		}
	})
	x.keepOpinion(asked, opinion{source: policy.SourceEndpoint, document: x.door.Policy, decided: verdict})
	if verdict.Decision != policy.Allow {
		x.verdict, x.judged = verdict, true
		return x.record.fail("endpoint policy", x.denied(verdict))
	}
	x.record.pass("endpoint policy", describeVerdict(verdict))
	return nil
}

// authorize asks the resource policy and the caller's policies together.
func (x *exchange) authorize() *Refusal {
	if x.noAuth() && x.identity != nil {
		x.asked = x.requestOf(nil) // who signed is nobody to the policy of a method that asks for no signature
	}
	request := x.policyRequest()
	call := policy.Call{Resource: x.target.api.ResourcePolicy, ResourceAccount: x.g.accountID}
	switch {
	case x.noAuth() && call.Resource == nil:
		x.record.pass("authorization", "the method asks for none, and there is no resource policy")
		return nil
	case !x.noAuth():
		call.Identity, call.Boundary, call.Session = x.identity.Policies, x.identity.Boundary, x.identity.Session
	}
	verdict, asked := x.ofBothPaths(request, call.Authorize)
	x.verdict, x.judged = verdict, true
	x.keepOpinions(asked, &call, verdict)
	if verdict.Decision != policy.Allow {
		return x.record.fail("authorization", x.denied(verdict))
	}
	x.record.pass("authorization", describeVerdict(verdict))
	return nil
}

// ofBothPaths asks about the path as it came and, where that is another, about the normalised one, which is routed. AWS
// names the first in its denials. Doubled slashes so open nothing that a policy closes, and pass where both paths do. The
// request returned is the one that the verdict is of.
func (x *exchange) ofBothPaths(request *policy.Request, ask func(*policy.Request) policy.Verdict) (policy.Verdict, *policy.Request) {
	verdict := ask(request)
	if x.plainARN == "" || verdict.Decision != policy.Allow {
		return verdict, request
	}
	plain := *request
	plain.Resource = x.plainARN
	return ask(&plain), &plain
}

// passOn checks what a method needs that invokes its function as the caller: the caller's right to do so. What API
// Gateway answers without it is not documented; nothing runs either way.
func (x *exchange) passOn() *Refusal {
	if x.route.CallerInvokes == "" {
		return nil
	}
	request := policy.Request{Principal: x.identity.Principal, Action: "lambda:InvokeFunction", Resource: x.route.CallerInvokes, Context: x.policyRequest().Context}
	call := policy.Call{Identity: x.identity.Policies, Boundary: x.identity.Boundary, Session: x.identity.Session, ResourceAccount: x.g.accountID}
	if verdict := call.Authorize(&request); verdict.Decision != policy.Allow {
		x.verdict, x.judged = verdict, true
		return x.record.fail("caller credentials", refuseInternal.because(
			"the method invokes its function with the caller's credentials (SAM's default InvokeRole), and %s may not invoke %s; set InvokeRole: NONE",
			x.identity.Principal.ARN, x.route.CallerInvokes))
	}
	return nil
}

// denied words a denial as AWS does.
func (x *exchange) denied(v policy.Verdict) *Refusal {
	kind := policyNames[v.Source]
	suffix := " because no " + kind + " allows the execute-api:Invoke action"
	if v.Decision == policy.ExplicitDeny {
		article := "a "
		if v.Source == policy.SourceIdentity {
			article = "an "
		}
		suffix = " with an explicit deny in " + article + kind
	}
	who := policy.AnonymousName
	if x.identity != nil && !(x.noAuth() && v.Source != policy.SourceEndpoint) {
		who = x.identity.Principal.ARN
	}
	refusal := refuseAccess(who, x.arn, suffix)
	refusal.Why = describeVerdict(v)
	return refusal
}

// describeVerdict says which statement decided.
func describeVerdict(v policy.Verdict) string {
	kind := policyNames[v.Source]
	switch {
	case v.Decision == policy.ImplicitDeny:
		return "no statement of the " + kind + " allows it"
	case v.Source == policy.SourceNone:
		return "allowed: the root user"
	}
	text := "allowed by statement " + strconv.Itoa(v.Statement+1)
	if v.Decision == policy.ExplicitDeny {
		text = "denied by statement " + strconv.Itoa(v.Statement+1)
	}
	if v.Sid != "" {
		text += " (" + v.Sid + ")"
	}
	text += " of the " + kind
	if v.Source == policy.SourceIdentity {
		text += " " + strconv.Itoa(v.Document+1)
	}
	return text
}

// policyRequest is the call as policies see it: who, what, and the condition keys. All policies see the same but on a
// method that asks for no signature: there the endpoint policy alone sees who signed all the same ("VPC endpoint
// policies").
func (x *exchange) policyRequest() *policy.Request {
	if x.asked.Action == "" {
		x.asked = x.requestOf(x.identity)
	}
	return &x.asked
}

// requestOf is the call as one of an identity's, or nobody's if it is nil.
func (x *exchange) requestOf(id *Identity) policy.Request {
	request := policy.Request{Action: invokeAction, Resource: x.arn, Context: x.context(id)}
	if id != nil {
		request.Principal = id.Principal
	}
	return request
}

// second is a second as condition keys write it. Most requests share it with the one before, and writing it out is a
// twentieth of a decision's time.
type second struct {
	unix        int64
	text, epoch string
}

func (g *Gateway) secondOf(now time.Time) *second {
	unix := now.Unix()
	if last := g.second.Load(); last != nil && last.unix == unix {
		return last
	}
	s := &second{unix: unix, text: now.UTC().Format(time.RFC3339), epoch: strconv.FormatInt(unix, 10)}
	g.second.Store(s)
	return s
}

// context sets the condition keys that API Gateway has ("AWS condition keys that can be used in API Gateway resource
// policies"). aws:SourceIp is absent for a call through an endpoint, and aws:SecureTransport is true: on AWS there is no
// plain HTTP, and the loopback hop stands for TLS.
func (x *exchange) context(id *Identity) policy.Context {
	ctx := policy.NewContext(18)
	now := x.g.secondOf(x.now)
	ctx.Set(policy.KeyCurrentTime, now.text)
	ctx.Set(policy.KeyEpochTime, now.epoch)
	ctx.Set(policy.KeySecureTransport, "true")
	ip := sourceIP(x.r)
	if x.door.private() {
		ctx.Set(policy.KeySourceVPCE, x.door.VPCEndpointID)
		ctx.Set(policy.KeySourceVPC, x.door.VPCID)
		ctx.Set(policy.KeyVPCSourceIP, ip)
	} else {
		ctx.Set(policy.KeySourceIP, ip)
	}
	if referer := x.r.Referer(); referer != "" {
		ctx.Set(policy.KeyReferer, referer)
	}
	if agent := x.r.UserAgent(); agent != "" {
		ctx.Set(policy.KeyUserAgent, agent)
	}
	if id != nil {
		ctx.FillPrincipal(id.Principal)
		if id.Key.SessionToken != "" { // temporary credentials
			ctx.Set(policy.KeyTokenIssueTime, id.IssuedAt.UTC().Format(time.RFC3339))
			ctx.Set(policy.KeyMultiFactorAuth, "false")
		}
		for key, value := range id.ContextKeys {
			ctx.Set(key, value)
		}
	}
	return ctx
}
