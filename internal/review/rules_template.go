package review

import (
	"strings"

	"github.com/marquee-api/marquee/internal/policy"
	"github.com/marquee-api/marquee/internal/stack"
)

// suppressionRule is found by the review itself.
var suppressionRule = &Rule{
	ID: "MQ002", Name: "bad-suppression", Severity: Warning,
	Title: "A suppression names no rule, gives no reason or hides nothing",
	Why:   "An exception that nobody can judge any more hides the next defect, too.",
	Fix:   "Write Metadata: {Marquee: {Skip: [{Rule: MQ504, Reason: why}]}} on the resource, or take the entry away.",
}

var templateRules = []*Rule{
	{
		ID: "MQ001", Name: "refused", Severity: Error,
		Title: "AWS would refuse the template, or it means less than it says",
		Why:   "A type or property that nobody knows, a path that API Gateway does not take, a reference that leads nowhere or a policy that cannot be resolved fails the deployment or, worse, is dropped without a word.",
		Fix:   "Do as the message says; it names the property.",
		check: func(s *subject, report reporter) {
			for _, e := range s.Errors {
				if claimant(e) == "" {
					report(e.Position, e.Resource, "%s", described(e))
				}
			}
		},
	},
	suppressionRule,
	{
		ID: "MQ003", Name: "policy-not-understood", Severity: Error,
		Title: "A policy holds something that IAM does not know",
		Why:   "IAM refuses a misspelt operator or condition key at deployment, or never matches it: a Deny that never matches denies nothing.",
		Fix:   "Correct the element that the message names.",
		check: policiesUnderstood,
	},
	circleRule,
}

func described(e *stack.Error) string {
	if e.Property == "" {
		return e.Message
	}
	return e.Property + ": " + e.Message
}

// claims are the errors of the template's reader that a rule of their own is about, by a part of the property and of the
// message.
var claims = []struct{ rule, property, message string }{
	{"MQ102", "Authorizer", "AWS_IAM"},
	{"MQ105", "", "SAM overlooks this Auth"},
	{"MQ105", "", "SAM cannot put Auth"},
	{"MQ105", "", "SAM takes Auth only"},
	{"MQ107", "", "has no resource policy"},
	{"MQ119", "EndpointConfiguration", "not a type of endpoint"},
	{"MQ413", "MethodSettings", "throttle would hold for nothing"},
}

// claimant is the rule that an error belongs to, "" for the general one.
func claimant(e *stack.Error) string {
	for _, c := range claims {
		if strings.Contains(e.Property, c.property) && strings.Contains(e.Message, c.message) {
			return c.rule
		}
	}
	return ""
}

// claimed makes a check of the errors that belong to a rule.
func claimed(id string) func(*subject, reporter) {
	return func(s *subject, report reporter) {
		for _, e := range s.Errors {
			if claimant(e) == id {
				report(e.Position, e.Resource, "%s", described(e))
			}
		}
	}
}

// policiesUnderstood parses every policy as it would be evaluated.
func policiesUnderstood(s *subject, report reporter) {
	if s.Stack == nil {
		return
	}
	try := func(raw []byte, kind policy.Kind, at stack.Position, resource string, options ...policy.Option) {
		if raw == nil {
			return
		}
		if _, err := policy.Parse(raw, kind, options...); err != nil {
			report(at, resource, "%v", err)
		}
	}
	for _, api := range s.Stack.APIs {
		full := policy.API{Partition: s.Stack.Partition, Region: s.Stack.Region, Account: s.Stack.AccountID, ID: api.ID}
		try(api.ResourcePolicy, policy.KindResource, s.policyPlace(api), api.LogicalID, policy.WithAPI(full))
	}
	for _, e := range s.Stack.Endpoints {
		if e.Service == "execute-api" {
			try(e.Policy, policy.KindEndpoint, e.Position, e.LogicalID)
		}
	}
	for _, r := range s.Stack.Roles {
		for _, p := range r.Policies {
			try(p.Document, policy.KindIdentity, p.Position, r.LogicalID)
		}
		try(r.Trust, policy.KindTrust, r.Position, r.LogicalID)
		try(r.Boundary, policy.KindIdentity, r.Position, r.LogicalID)
	}
}
