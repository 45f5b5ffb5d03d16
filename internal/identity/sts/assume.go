package sts

import (
	"errors"
	"maps"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/marquee-api/marquee/internal/identity"
	"github.com/marquee-api/marquee/internal/policy"
)

// getCallerIdentity needs no permission and cannot be denied (STS API reference, GetCallerIdentity).
func (x *exchange) getCallerIdentity() (any, *refusal) {
	return callerIdentity{ARN: x.caller.Principal.ARN, UserID: x.caller.UniqueID, Account: x.caller.AccountID}, nil
}

// getSessionToken needs no permission either; only a user's long-term key may ask.
func (x *exchange) getSessionToken() (any, *refusal) {
	var c check
	seconds := c.integer(x.params, "DurationSeconds", 12*3600)
	c.within("durationSeconds", seconds, 900, 36*3600)
	size := c.tokenSize(x.params)
	switch {
	case len(c.faults) > 0:
		return nil, refuseValidation(c.faults)
	case x.params.hasUnder("SerialNumber") || x.params.hasUnder("TokenCode"):
		return nil, refuseMFA()
	case x.caller.Temporary():
		return nil, refuseSessionCredentials()
	}
	session, refused := x.mint(identity.Session{
		Entity: x.caller.Principal.ARN, Lifetime: time.Duration(seconds) * time.Second, TokenSize: size,
	})
	if refused != nil {
		return nil, refused
	}
	return sessionToken{Credentials: credentialsOf(session), tokenUse: useOf(session)}, nil
}

// assumption is a request of AssumeRole, checked for form.
type assumption struct {
	roleARN        string
	name           string
	seconds        int
	tokenSize      int
	externalID     string
	sourceIdentity string
	policy         string
	document       *policy.Document
	tags           []tag
	transitive     []string
}

type tag struct{ key, value string }

func (x *exchange) assumeRole() (any, *refusal) {
	a, refused := readAssumption(x.params)
	if refused != nil {
		return nil, refused
	}
	if refused := a.inherit(x.caller); refused != nil {
		return nil, refused
	}
	role, refused := x.mayAssume(a)
	if refused != nil {
		return nil, refused
	}
	switch {
	case x.caller.Temporary() && a.seconds > 3600:
		return nil, refuseChainedDuration()
	case time.Duration(a.seconds)*time.Second > role.MaxSession:
		return nil, refuseDuration()
	}
	session, refused := x.mint(a.session(x.caller))
	if refused != nil {
		return nil, refused
	}
	return assumedRole{
		SourceIdentity: a.sourceIdentity, ID: session.UniqueID, ARN: session.Principal.ARN,
		Credentials: credentialsOf(session), tokenUse: useOf(session),
	}, nil
}

// inherit takes over what a role chain hands on, which may not be changed (IAM user guide, "Pass session tags in AWS STS"
// and "Monitor and control actions taken with assumed roles").
func (a *assumption) inherit(caller *identity.Identity) *refusal {
	for _, t := range a.tags {
		for key := range caller.TransitiveTags {
			if strings.EqualFold(key, t.key) {
				return refuseTransitiveConflict()
			}
		}
	}
	switch inherited := caller.SourceIdentity; {
	case inherited == "":
	case a.sourceIdentity == "":
		a.sourceIdentity = inherited
	case a.sourceIdentity != inherited:
		return refuseAccess(caller.Principal.ARN, "sts:SetSourceIdentity", a.roleARN, policy.Verdict{}).
			because("the calling session has the source identity " + inherited + ", which no session of its chain may change")
	}
	return nil
}

// session is what is minted for the caller.
func (a *assumption) session(caller *identity.Identity) identity.Session {
	s := identity.Session{
		Entity: a.roleARN, Name: a.name, Lifetime: time.Duration(a.seconds) * time.Second, Policy: a.document,
		SourceIdentity: a.sourceIdentity, TokenSize: a.tokenSize, Tags: maps.Clone(caller.TransitiveTags),
		TransitiveTagKeys: slices.AppendSeq(slices.Clone(a.transitive), maps.Keys(caller.TransitiveTags)),
	}
	if s.Tags == nil {
		s.Tags = map[string]string{}
	}
	for _, t := range a.tags {
		s.Tags[t.key] = t.value
	}
	return s
}

func (x *exchange) mint(s identity.Session) (*identity.Identity, *refusal) {
	session, err := x.s.Directory.Mint(s)
	switch {
	case errors.Is(err, identity.ErrTooManySessions):
		return nil, refuseThrottled().because(err.Error())
	case err != nil:
		return nil, refuseInternal(err)
	}
	x.record.Session = session.Principal.ARN
	return session, nil
}

// mayAssume asks the role's trust policy and the caller's own policies: for the session, for its tags and for its source
// identity, each of which is an action of its own. A role that is not there is refused like one that trusts nobody, so
// that a stranger cannot tell them apart.
func (x *exchange) mayAssume(a *assumption) (identity.Role, *refusal) {
	role, known := x.s.Directory.Role(a.roleARN)
	if !known || role.Trust == nil {
		why := "the role has no trust policy: nobody may assume it"
		if !known {
			why = "there is no such role"
		}
		return role, refuseAccess(x.caller.Principal.ARN, "sts:AssumeRole", a.roleARN, policy.Verdict{}).because(why)
	}
	actions := []string{"sts:AssumeRole"}
	// Inherited tags are passed, too, and need the permission like those of the request (IAM user guide, "Pass session tags
	// in AWS STS", chaining roles with session tags). Only the request's own are aws:RequestTag and aws:TagKeys here.
	if len(a.tags) > 0 || len(x.caller.TransitiveTags) > 0 {
		actions = append(actions, "sts:TagSession")
	}
	if a.sourceIdentity != "" {
		actions = append(actions, "sts:SetSourceIdentity")
	}
	call := policy.Call{
		Identity: x.caller.Policies, Boundary: x.caller.Boundary, Session: x.caller.Session,
		Resource: role.Trust, ResourceAccount: role.AccountID,
	}
	request := policy.Request{Principal: x.caller.Principal, Resource: role.ARN, Context: x.context(a, role)}
	for i, action := range actions {
		request.Action = action
		verdict := call.Authorize(&request)
		if verdict.Decision != policy.Allow {
			return role, refuseAccess(x.caller.Principal.ARN, action, role.ARN, verdict).because(describe(verdict))
		}
		if i == 0 {
			x.record.Why = describe(verdict)
		}
	}
	return role, nil
}

// context sets the condition keys that STS has (service authorization reference, "Condition keys for AWS Security Token
// Service"), and the global ones. aws:SecureTransport is true: on AWS there is no plain HTTP, and the loopback hop stands
// for TLS.
func (x *exchange) context(a *assumption, role identity.Role) policy.Context {
	ctx := policy.NewContext(32)
	utc := x.now.UTC()
	ctx.Set(policy.KeyCurrentTime, utc.Format(time.RFC3339))
	ctx.Set(policy.KeyEpochTime, strconv.FormatInt(utc.Unix(), 10))
	ctx.Set(policy.KeySecureTransport, "true")
	if ip, _, err := net.SplitHostPort(x.r.RemoteAddr); err == nil {
		ctx.Set(policy.KeySourceIP, ip)
	}
	if agent := x.r.UserAgent(); agent != "" {
		ctx.Set(policy.KeyUserAgent, agent)
	}
	ctx.Set("aws:RequestedRegion", x.region)
	ctx.Set("aws:ResourceAccount", role.AccountID)
	ctx.Set("aws:PrincipalIsAWSService", "false")
	ctx.Set("aws:ViaAWSService", "false")
	ctx.FillPrincipal(x.caller.Principal)
	if x.caller.Temporary() {
		ctx.Set(policy.KeyTokenIssueTime, x.caller.IssuedAt.UTC().Format(time.RFC3339))
		ctx.Set(policy.KeyMultiFactorAuth, "false")
	}
	for key, value := range x.caller.ContextKeys {
		ctx.Set(key, value)
	}
	for key, value := range role.Tags {
		ctx.Set("aws:ResourceTag/"+key, value)
		ctx.Set("iam:ResourceTag/"+key, value)
	}
	a.fill(&ctx)
	return ctx
}

// fill sets the keys that the request itself brings.
func (a *assumption) fill(ctx *policy.Context) {
	ctx.Set("sts:RoleSessionName", a.name)
	if a.externalID != "" {
		ctx.Set("sts:ExternalId", a.externalID)
	}
	if a.sourceIdentity != "" {
		ctx.Set("sts:SourceIdentity", a.sourceIdentity)
	}
	keys := make([]string, len(a.tags))
	for i, t := range a.tags {
		keys[i] = t.key
		ctx.Set("aws:RequestTag/"+t.key, t.value)
	}
	ctx.Set("aws:TagKeys", keys...)
	ctx.Set("sts:TransitiveTagKeys", a.transitive...)
}

// policyNames are the kinds of policy as people call them.
var policyNames = map[policy.Source]string{
	policy.SourceIdentity: "caller's identity policy",
	policy.SourceResource: "role's trust policy",
	policy.SourceBoundary: "caller's permissions boundary",
	policy.SourceSession:  "caller's session policy",
}

// describe says which statement decided.
func describe(v policy.Verdict) string {
	place := policyNames[v.Source]
	if v.Decision == policy.ImplicitDeny {
		return "no statement of the " + place + " allows it"
	}
	if v.Source == policy.SourceIdentity {
		place += " " + strconv.Itoa(v.Document+1)
	}
	verb, sid := "allowed", ""
	if v.Decision == policy.ExplicitDeny {
		verb = "denied"
	}
	if v.Sid != "" {
		sid = " (" + v.Sid + ")"
	}
	return verb + " by statement " + strconv.Itoa(v.Statement+1) + sid + " of the " + place
}
