package review

import (
	"slices"
	"strings"

	"github.com/marquee-api/marquee/internal/stack"
)

var roleRules = []*Rule{
	{
		ID: "MQ301", Name: "wildcard-action", Severity: Warning,
		Title: "A policy allows all actions of a service, or of all",
		Why:   "The role may then do what nobody has thought of: delete the table, change the API's policy, read another function's code.",
		Fix:   "Name the actions that the code calls.",
		check: func(s *subject, report reporter) {
			for _, st := range s.allowing() {
				for _, action := range st.actions() {
					if action == "*" || strings.HasSuffix(action, ":*") {
						report(st.Position, st.resource, "the action %s", action)
					}
				}
			}
		},
	},
	{
		ID: "MQ302", Name: "wildcard-resource", Severity: Warning,
		Title: "A policy allows an action on every resource",
		Why:   "Every table, API or role of the account is meant, those of tomorrow included.",
		Fix:   "Name the resource by its ARN (!GetAtt Table.Arn).",
		check: func(s *subject, report reporter) {
			for _, st := range s.allowing() {
				if !st.everything() || st.conditional() || st.acts("iam:PassRole") {
					continue
				}
				for _, action := range st.actions() {
					if action != "*" && !withoutResources(action) {
						report(st.Position, st.resource, "%s on every resource", action)
						break
					}
				}
			}
		},
	},
	{
		ID: "MQ306", Name: "pass-role", Severity: Warning,
		Title: "A role may pass roles on",
		Why:   "With iam:PassRole it can start a function under a stronger role, and so become it.",
		Fix:   "Take it away, or name the one role and the service in a condition on iam:PassedToService.",
		check: func(s *subject, report reporter) {
			for _, st := range s.allowing() {
				_, bound := st.conditionKeys()["iam:passedtoservice"]
				if st.acts("iam:PassRole") && !slices.Contains(st.actions(), "*") && !slices.Contains(st.actions(), "iam:*") && (st.everything() || !bound) {
					report(st.Position, st.resource, "iam:PassRole without a bound")
				}
			}
		},
	},
	{
		ID: "MQ307", Name: "allow-by-exception", Severity: Warning,
		Title: "An Allow is written with NotAction, NotResource or NotPrincipal",
		Why:   "It allows everything but what it names, and what AWS adds next year.",
		Fix:   "Name what is allowed; exceptions belong into a Deny.",
		check: func(s *subject, report reporter) {
			all := s.allowing()
			for _, api := range s.typed() {
				all = append(all, s.apiStatements(api.LogicalID)...)
			}
			for _, e := range s.endpoints() {
				all = append(all, statementsOf(e.Properties.At("PolicyDocument"), e.LogicalID)...)
			}
			for _, st := range all {
				for _, element := range []string{"NotAction", "NotResource", "NotPrincipal"} {
					if st.allows() && st.has(element) {
						report(st.Position, st.resource, "an Allow with %s", element)
					}
				}
			}
		},
	},
	{
		ID: "MQ308", Name: "role-open-to-all", Severity: Error,
		Title: "Everybody may assume a role",
		Why:   "A trust policy with the principal * trusts every account of AWS.",
		Fix:   "Name the service (lambda.amazonaws.com) or the account.",
		check: func(s *subject, report reporter) {
			for _, r := range s.Resources("AWS::IAM::Role", "AWS::Serverless::Function") {
				for _, st := range statementsOf(r.Properties.At("AssumeRolePolicyDocument"), r.LogicalID) {
					if st.allows() && st.everybody() {
						report(st.Position, r.LogicalID, "the trust policy names *")
					}
				}
			}
		},
	},
	{
		ID: "MQ309", Name: "broad-managed-policy", Severity: Warning,
		Title: "A role holds one of AWS's policies for administrators",
		Why:   "Policies named FullAccess and their like are made for people in a hurry: AmazonAPIGatewayInvokeFullAccess may call every API of the account.",
		Fix:   "Write a policy of your own with the actions and ARNs that are needed.",
		check: func(s *subject, report reporter) {
			for _, r := range s.Resources("AWS::IAM::Role", "AWS::IAM::User", "AWS::IAM::Group", "AWS::Serverless::Function") {
				attached := append(r.Properties.At("ManagedPolicyArns").Items(), r.Properties.At("Policies").Items()...)
				for _, p := range attached {
					name := p.Text()[strings.LastIndex(p.Text(), "/")+1:]
					if strings.HasSuffix(name, "FullAccess") || slices.Contains(administrators, name) {
						report(p.Position, r.LogicalID, "%s", name)
					}
				}
			}
		},
	},
	{
		ID: "MQ310", Name: "unused-role", Severity: Note,
		Title: "A role for functions belongs to none",
		Why:   "Rights that nobody uses are found by whoever looks for them.",
		Fix:   "Remove the role, or set it on its function.",
		check: func(s *subject, report reporter) {
			for _, r := range s.Resources("AWS::IAM::Role") {
				if trusts(r, "lambda.amazonaws.com") && !s.isMentioned(r) {
					report(r.Position, r.LogicalID, "Lambda may assume it, and no function of the template does")
				}
			}
		},
	},
	{
		ID: "MQ311", Name: "past-the-api", Severity: Warning,
		Title: "A caller may invoke the API's function directly",
		Why:   "It goes past the endpoint, the policies, the throttle and the access log, and can send events that no API would.",
		Fix:   "Take lambda:InvokeFunction away; callers need execute-api:Invoke alone where InvokeRole is NONE.",
		check: pastTheAPI,
	},
}

// administrators are managed policies of AWS for people who run accounts.
var administrators = []string{"AdministratorAccess", "PowerUserAccess", "IAMFullAccess", "AWSLambda_FullAccess", "AmazonDynamoDBFullAccess_v2"}

// withoutResources reports whether an action knows no resources, so that only * can be written (service authorization
// reference).
func withoutResources(action string) bool {
	for _, known := range []string{
		"xray:Put*", "xray:Get*", "cloudwatch:PutMetricData", "ec2:Describe*", "ec2:CreateNetworkInterface", "ec2:DeleteNetworkInterface",
		"ec2:AssignPrivateIpAddresses", "ec2:UnassignPrivateIpAddresses", "logs:DescribeLogGroups", "sts:GetCallerIdentity",
		"dynamodb:ListTables", "dynamodb:DescribeLimits", "lambda:ListFunctions", "s3:ListAllMyBuckets",
	} {
		if globFold(known, action) {
			return true
		}
	}
	return false
}

func trusts(role *stack.Resource, service string) bool {
	for _, st := range statementsOf(role.Properties.At("AssumeRolePolicyDocument"), role.LogicalID) {
		if slices.Contains(st.At("Principal", "Service").Texts(), service) {
			return true
		}
	}
	return false
}

// isMentioned reports whether any other resource but a policy names the role.
func (s *subject) isMentioned(role *stack.Resource) bool {
	return slices.ContainsFunc(s.Resources(), func(r *stack.Resource) bool {
		return r.LogicalID != role.LogicalID && !strings.HasPrefix(r.Type, "AWS::IAM::") && r.Properties.Mentions(role.LogicalID)
	})
}

func pastTheAPI(s *subject, report reporter) {
	for _, api := range s.typed() {
		for _, r := range api.Routes {
			if r.FunctionID == "" || r.InvokeRole != "NONE" {
				continue
			}
			f := slices.IndexFunc(s.Stack.Functions, func(f *stack.Function) bool { return f.LogicalID == r.FunctionID })
			if f < 0 {
				continue
			}
			for _, st := range s.allowing() {
				onIt := slices.ContainsFunc(st.targets(), func(t string) bool { return t != "*" && glob(t, s.Stack.Functions[f].ARN) })
				if onIt && st.acts("lambda:InvokeFunction") && !s.reported(st.Position, "MQ311") {
					report(st.Position, st.resource, "it may invoke %s, which serves %s %s", r.FunctionID, r.Method, r.Path)
				}
			}
		}
	}
}

// reported reports whether a rule has found something at a place before.
func (s *subject) reported(at stack.Position, rule string) bool {
	return slices.ContainsFunc(s.found, func(f Finding) bool { return f.Rule.ID == rule && f.Position == at })
}
