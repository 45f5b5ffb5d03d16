// Package policy reads IAM policy documents and decides calls by them, as AWS does for API Gateway.
//
// A document is parsed strictly: what cannot be evaluated wholly (an unknown element, operator, condition key or policy
// variable) is refused when it is loaded, with the place in the document, and never ignored. A decision has three values
// and names the statement that made it.
//
// The package knows the policy language and the combination of policies (tables A and B of the API Gateway developer
// guide, "How API Gateway resource policies affect authorization workflow"). It does no HTTP, no signatures, no service
// control policies and no AWS error texts; callers compose those from a Verdict. It uses the standard library only.
package policy

// Kind says where a document is attached; it decides which elements the document must and must not have.
type Kind int

// The kinds of documents. Permissions boundaries and session policies have the form of KindIdentity.
const (
	// KindIdentity is attached to a user or role: no Principal.
	KindIdentity Kind = iota + 1
	// KindResource is attached to an API: Principal or NotPrincipal.
	KindResource
	// KindEndpoint is attached to a VPC endpoint: Principal or NotPrincipal.
	KindEndpoint
	// KindTrust is the trust policy of a role: Principal, and no Resource.
	KindTrust
)

// String returns the kind's name in error messages.
func (k Kind) String() string {
	switch k {
	case KindIdentity:
		return "identity policy"
	case KindResource:
		return "resource policy"
	case KindEndpoint:
		return "endpoint policy"
	case KindTrust:
		return "trust policy"
	}
	return "policy of unknown kind"
}

// Decision is what a document, or several together, say to a call. The zero value is ImplicitDeny.
type Decision int

// The three values of a decision.
const (
	// ImplicitDeny means that no statement matched: nothing said yes.
	ImplicitDeny Decision = iota
	// Allow means that a statement allowed the call and none denied it.
	Allow
	// ExplicitDeny means that a Deny statement matched. Nothing overrides it.
	ExplicitDeny
)

// String returns "implicit_deny", "allow" or "explicit_deny".
func (d Decision) String() string {
	switch d {
	case Allow:
		return "allow"
	case ExplicitDeny:
		return "explicit_deny"
	}
	return "implicit_deny"
}

// Source names the type of policy that decided. The zero value is no source.
type Source int

// The types of policies that take part in a decision.
const (
	// SourceNone: no policy decided, as for the root user of the API's own account.
	SourceNone Source = iota
	// SourceIdentity is an identity-based policy of the caller.
	SourceIdentity
	// SourceResource is the resource-based policy: an API's policy or a role's trust policy.
	SourceResource
	// SourceEndpoint is the policy of the VPC endpoint through which the call came.
	SourceEndpoint
	// SourceBoundary is the caller's permissions boundary.
	SourceBoundary
	// SourceSession is the session policy passed when the caller's role was assumed.
	SourceSession
)

// String returns "identity", "resource", "endpoint", "boundary", "session", or "" for SourceNone.
func (s Source) String() string {
	switch s {
	case SourceIdentity:
		return "identity"
	case SourceResource:
		return "resource"
	case SourceEndpoint:
		return "endpoint"
	case SourceBoundary:
		return "boundary"
	case SourceSession:
		return "session"
	}
	return ""
}

// Request is one call to be decided. It is not changed by an evaluation and may be shared by several.
type Request struct {
	// Principal is the caller; the zero value is the anonymous caller.
	Principal Principal
	// Action is the action's full name, such as "execute-api:Invoke". Case does not matter.
	Action string
	// Resource is the ARN that is acted on, with the path as it was requested. Case matters. Trust policies have no
	// resource and do not look at it.
	Resource string
	// Context holds the condition keys of the call. An absent key is absent, see the IAM guide on missing keys.
	Context Context
}
