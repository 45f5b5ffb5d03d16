package policy

// Call is what takes part in the decision on one caller's call: the policies of the caller, of the API and of the door.
// It is not changed by Authorize and may be used by many goroutines at once.
type Call struct {
	// Identity policies of the caller, in order. An anonymous caller has none; they are not looked at then.
	Identity []*Document
	// Boundary is the permissions boundary of the caller; nil is none.
	Boundary *Document
	// Session is the session policy passed when the role was assumed; nil is none.
	Session *Document
	// Resource is the resource-based policy; nil is silent. A trust policy must allow even in the same account.
	Resource *Document
	// Endpoint is the policy of the VPC endpoint; nil means that the call came through none, or that the policy was
	// evaluated before.
	Endpoint *Document
	// ResourceAccount owns the API or role.
	ResourceAccount string
}

// Verdict is the decision on a call and what made it.
type Verdict struct {
	// Decision on the call.
	Decision Decision
	// Source is the type of policy that decided: that has the deciding statement, or, for an implicit deny, the first
	// that failed to allow what had to be allowed. It is SourceNone for the root user, who needs no Allow.
	Source Source
	// Document is the index among the identity policies, 0 for other sources. Statement is the index in its document
	// and Sid its name. For an implicit deny they are -1, -1 and "".
	Document, Statement int
	Sid                 string
}

// Authorize decides the call.
//
// An explicit deny in any policy wins; of several the first is reported, in the order endpoint, resource, identity,
// boundary, session. Then the endpoint policy must allow on its own. Then identity policies (within boundary and session
// policy) and resource policy are combined by tables A (same account: one Allow is enough) and B (cross account: both
// must allow) of the API Gateway developer guide. An Allow of the resource policy to the account as a whole only
// delegates: in the same account it grants nothing alone. An anonymous caller needs an Allow of the resource policy.
//
// An Allow is reported as that of the identity policy if that allows, else of the resource policy.
func (c *Call) Authorize(r *Request) Verdict {
	f := c.findings(r)
	return c.decide(&r.Principal, &f)
}

// Check is what one of the policies of a call said, for a record of the decision.
type Check struct {
	Source Source
	// Document is the index among the identity policies of the one that decided for them, 0 for other sources.
	Document int
	Result   Result
}

// Explain is Authorize with what each policy that took part said, in the order of the explicit denies.
func (c *Call) Explain(r *Request) (Verdict, []Check) {
	f := c.findings(r)
	var checks []Check
	for _, check := range f.checks() {
		if c.has(check.Source) {
			checks = append(checks, check)
		}
	}
	return c.decide(&r.Principal, &f), checks
}

func (c *Call) has(source Source) bool {
	switch source {
	case SourceEndpoint:
		return c.Endpoint != nil
	case SourceResource:
		return c.Resource != nil
	case SourceIdentity:
		return len(c.Identity) > 0
	case SourceBoundary:
		return c.Boundary != nil
	}
	return c.Session != nil
}

func (c *Call) decide(p *Principal, f *findings) Verdict {
	if v, denied := f.explicitDeny(); denied {
		return v
	}
	if c.Endpoint != nil && f.endpoint.Decision != Allow {
		return implicit(SourceEndpoint)
	}
	switch {
	case p.Type == Anonymous || p.Type == Service:
		if f.resource.Decision == Allow {
			return f.resource.verdict(SourceResource, 0)
		}
		return implicit(SourceResource)
	case p.Account != c.ResourceAccount:
		return c.crossAccount(p, f)
	}
	return c.sameAccount(p, f)
}

// findings are the results of all policies of a call.
type findings struct {
	endpoint, resource, identity, boundary, session Result
	identityIndex                                   int
}

func (c *Call) findings(r *Request) findings {
	e := newEvaluation(r)
	e.bounded = c.Boundary != nil && r.Principal.Type != Anonymous
	f := findings{endpoint: silent, resource: silent, identity: silent, boundary: silent, session: silent}
	evaluate := func(d *Document, to *Result) {
		if d != nil {
			*to = d.evaluate(&e)
		}
	}
	evaluate(c.Endpoint, &f.endpoint)
	evaluate(c.Resource, &f.resource)
	if t := r.Principal.Type; t == Anonymous || t == Service {
		return f
	}
	for i, d := range c.Identity {
		if d == nil {
			continue
		}
		result := d.evaluate(&e)
		if result.Decision > f.identity.Decision {
			f.identity, f.identityIndex = result, i
		}
		if result.Decision == ExplicitDeny {
			break
		}
	}
	evaluate(c.Boundary, &f.boundary)
	evaluate(c.Session, &f.session)
	return f
}

var silent = Result{Statement: -1}

// checks lists the findings in the order in which their explicit denies are reported.
func (f *findings) checks() [5]Check {
	return [...]Check{
		{SourceEndpoint, 0, f.endpoint},
		{SourceResource, 0, f.resource},
		{SourceIdentity, f.identityIndex, f.identity},
		{SourceBoundary, 0, f.boundary},
		{SourceSession, 0, f.session},
	}
}

func (f *findings) explicitDeny() (Verdict, bool) {
	if max(f.endpoint.Decision, f.resource.Decision, f.identity.Decision, f.boundary.Decision,
		f.session.Decision) != ExplicitDeny {
		return Verdict{}, false
	}
	checks := f.checks()
	for i := range checks {
		if x := &checks[i]; x.Result.Decision == ExplicitDeny {
			return x.Result.verdict(x.Source, x.Document), true
		}
	}
	return Verdict{}, false
}

// sameAccount is table A. What a resource policy grants to the caller itself (or to everyone) is not limited by the
// silence of its boundary and session policy; what it grants to the role is.
func (c *Call) sameAccount(p *Principal, f *findings) Verdict {
	mustDelegate := c.Resource != nil && c.Resource.kind == KindTrust
	if mustDelegate && f.resource.Decision != Allow {
		return implicit(SourceResource)
	}
	if p.Type == Root {
		return Verdict{Decision: Allow, Document: -1, Statement: -1}
	}
	if f.resource.grant == grantDirect && f.identity.Decision != Allow {
		return f.resource.verdict(SourceResource, 0)
	}
	limit, limited := c.limit(f)
	switch {
	case f.identity.Decision == Allow && !limited:
		return f.identity.verdict(SourceIdentity, f.identityIndex)
	case f.resource.grant == grantDirect, f.resource.grant == grantRole && !limited:
		return f.resource.verdict(SourceResource, 0)
	case limited && (f.identity.Decision == Allow || f.resource.grant == grantRole):
		return implicit(limit)
	}
	return implicit(SourceIdentity)
}

// crossAccount is table B: each side must allow for itself. The root user has every permission of its own account.
func (c *Call) crossAccount(p *Principal, f *findings) Verdict {
	if f.resource.Decision != Allow {
		return implicit(SourceResource)
	}
	if p.Type == Root {
		return f.resource.verdict(SourceResource, 0)
	}
	if f.identity.Decision != Allow {
		return implicit(SourceIdentity)
	}
	if limit, limited := c.limit(f); limited {
		return implicit(limit)
	}
	return f.identity.verdict(SourceIdentity, f.identityIndex)
}

// limit names the boundary or session policy that does not allow, if there is one.
func (c *Call) limit(f *findings) (Source, bool) {
	switch {
	case c.Boundary != nil && f.boundary.Decision != Allow:
		return SourceBoundary, true
	case c.Session != nil && f.session.Decision != Allow:
		return SourceSession, true
	}
	return SourceNone, false
}

func (r *Result) verdict(source Source, document int) Verdict {
	return Verdict{Decision: r.Decision, Source: source, Document: document, Statement: r.Statement, Sid: r.Sid}
}

func implicit(source Source) Verdict {
	return Verdict{Decision: ImplicitDeny, Source: source, Document: -1, Statement: -1}
}
