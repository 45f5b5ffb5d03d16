package policy

// Result is what one document says to a call.
type Result struct {
	// Decision of the document.
	Decision Decision
	// Statement is the index of the statement that decided and Sid its name; -1 and "" for an implicit deny. Of several
	// that match, the first Deny decides; without one, the Allow that names the caller most closely, of these the first.
	Statement int
	Sid       string
	// grant of the Allow.
	grant grant
}

// evaluation holds what is prepared once for all documents of a call.
type evaluation struct {
	request *Request
	action  string
	target  target
	// bounded: the caller has a permissions boundary. A Deny with NotPrincipal then always applies, whoever it lists
	// (IAM user guide, "AWS JSON policy elements: NotPrincipal").
	bounded bool
}

func newEvaluation(r *Request) evaluation {
	return evaluation{request: r, action: lowerASCII(r.Action), target: newTarget(r.Resource)}
}

// Evaluate says what the document alone says to the call. How several documents combine is for Call to say. An Allow to
// a whole account counts as Allow here.
func (d *Document) Evaluate(r *Request) Result {
	e := newEvaluation(r)
	return d.evaluate(&e)
}

func (d *Document) evaluate(e *evaluation) Result {
	result := Result{Statement: -1}
	for i := range d.statements {
		s := &d.statements[i]
		// A statement that could not improve the result need not be looked at.
		if !s.deny && result.grant == grantDirect {
			continue
		}
		g := s.match(e)
		switch {
		case g == grantNone:
		case s.deny:
			return Result{Decision: ExplicitDeny, Statement: i, Sid: s.sid}
		case g > result.grant:
			result = Result{Decision: Allow, Statement: i, Sid: s.sid, grant: g}
		}
	}
	return result
}

// match reports whether the statement applies to the call and, if so, how it named the caller. Identity policies name
// nobody: they are the caller's own.
func (s *statement) match(e *evaluation) grant {
	if !s.matchAction(e.action) {
		return grantNone
	}
	ctx := &e.request.Context
	if s.resources != nil && !s.matchResource(&e.target, ctx) {
		return grantNone
	}
	g := grantDirect
	switch {
	case s.principals == nil:
	case s.notPrincipal:
		if !e.bounded && s.principals.excepts(&e.request.Principal) {
			return grantNone
		}
	default:
		if g = s.principals.match(&e.request.Principal); g == grantNone {
			return grantNone
		}
	}
	for i := range s.conditions {
		if !s.conditions[i].holds(ctx) {
			return grantNone
		}
	}
	return g
}

func (s *statement) matchAction(action string) bool {
	for i := range s.actions {
		if s.actions[i].glob.match(action) {
			return !s.notAction
		}
	}
	return s.notAction
}

// matchResource applies Resource or NotResource. A variable without a value makes the statement not apply ("any attempt
// to match it fails and causes the statement to be invalid", IAM user guide, policy variables), also under NotResource.
func (s *statement) matchResource(t *target, ctx *Context) bool {
	for i := range s.resources {
		matched, known := s.resources[i].match(t, ctx)
		if matched {
			return !s.notResource
		}
		if !known && s.notResource {
			return false
		}
	}
	return s.notResource
}
