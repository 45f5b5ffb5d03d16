package deployment

import (
	"fmt"

	"github.com/marquee-api/marquee/internal/policy"
	"github.com/marquee-api/marquee/internal/stack"
)

// unpermitted says why the method may not invoke its function; empty if it may. A role that the method invokes with is
// asked as API Gateway asks it: who may assume it, and what it may do.
func unpermitted(s *stack.Stack, r *stack.Route, f *stack.Function) (string, error) {
	if r.Unpermitted != "" {
		return r.Unpermitted, nil
	}
	for _, role := range s.Roles {
		if role.ARN != r.InvokeRole {
			continue
		}
		trusted, err := trusts(role)
		if err != nil {
			return "", err
		}
		if !trusted {
			return "the method invokes its function as " + role.ARN + ", which apigateway.amazonaws.com may not assume", nil
		}
		arn := invokedARN(r, f)
		if allowed, err := mayCall(s, role, arn); err != nil || allowed {
			return "", err
		}
		return "the method invokes its function as " + role.ARN + ", which may not lambda:InvokeFunction on " + arn, nil
	}
	return "", nil
}

// invokedARN is what a policy has to allow. A right to the function itself is none to its aliases and versions
// ("Fine-tuning the Resources and Conditions sections of policies" in the Lambda developer guide).
func invokedARN(r *stack.Route, f *stack.Function) string {
	if r.Qualifier == "" {
		return f.ARN
	}
	return f.ARN + ":" + r.Qualifier
}

func trusts(role *stack.Role) (bool, error) {
	trust, err := policy.Parse(role.Trust, policy.KindTrust)
	if err != nil {
		return false, fmt.Errorf("%s: role %s, trust policy: %w", role.Position, role.LogicalID, err)
	}
	service, err := policy.ParsePrincipal("apigateway.amazonaws.com")
	if err != nil {
		return false, err
	}
	return trust.Evaluate(&policy.Request{Principal: service, Action: "sts:AssumeRole", Resource: role.ARN}).Decision == policy.Allow, nil
}

func mayCall(s *stack.Stack, role *stack.Role, function string) (bool, error) {
	call := policy.Call{ResourceAccount: s.AccountID}
	for _, p := range role.Policies {
		document, err := policy.Parse(p.Document, policy.KindIdentity)
		if err != nil {
			return false, fmt.Errorf("%s: policy %s: %w", p.Position, p.Name, err)
		}
		call.Identity = append(call.Identity, document)
	}
	if role.Boundary != nil {
		document, err := policy.Parse(role.Boundary, policy.KindIdentity)
		if err != nil {
			return false, fmt.Errorf("%s: permissions boundary: %w", role.Position, err)
		}
		call.Boundary = document
	}
	principal, err := policy.ParsePrincipal(fmt.Sprintf("arn:%s:sts::%s:assumed-role/%s/BackplaneAssumeRoleSession", s.Partition, s.AccountID, role.Name))
	if err != nil {
		return false, err
	}
	principal.RoleARN = role.ARN // with its path, which a session's ARN leaves out
	keys := policy.NewContext(4)
	keys.FillPrincipal(principal)
	return call.Authorize(&policy.Request{Principal: principal, Action: "lambda:InvokeFunction", Resource: function, Context: keys}).Decision == policy.Allow, nil
}
