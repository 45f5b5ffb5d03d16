package policy

import (
	"fmt"
	"strings"
)

// PrincipalType is the kind of identity that calls. The zero value is the anonymous caller, who may least.
type PrincipalType int

// The kinds of callers.
const (
	// Anonymous is a call without a signature.
	Anonymous PrincipalType = iota
	// Root is the root user of an account.
	Root
	// User is an IAM user.
	User
	// AssumedRole is a session of a role, or the role itself where the session's name does not matter.
	AssumedRole
	// FederatedUser is a session of sts:GetFederationToken.
	FederatedUser
	// Service is an AWS service principal such as lambda.amazonaws.com.
	Service
)

// AnonymousName is the text that stands for an unsigned caller in ParsePrincipal and in API Gateway's messages.
const AnonymousName = "anonymous"

// Principal is a caller. The zero value is the anonymous caller. Make others with ParsePrincipal.
type Principal struct {
	// ARN as the caller is named in messages: a session's ARN for a role, "anonymous" or "" for nobody.
	ARN string
	// Type of the caller.
	Type PrincipalType
	// Partition and Account of the ARN. A service principal has neither.
	Partition, Account string
	// Name of the user with its path ("team/ann"), of the role without it, of the federated user, or the service.
	Name string
	// Session is the name of a role's session.
	Session string
	// RoleARN is the role's ARN with its path, which a session's ARN does not tell. Empty: the role is known by its
	// account and name alone, which is enough, because role names are unique in an account; aws:PrincipalArn is then
	// the ARN without a path.
	RoleARN string
	// UserID is the value of aws:userid, such as AROA…:session. Empty: not known, the key is then absent.
	UserID string
}

// ParsePrincipal reads the ARN of a caller: a user, a role, a role's session, a federated user or an account's root.
// "anonymous" is the caller without a signature, "name.amazonaws.com" a service.
func ParsePrincipal(arn string) (Principal, error) {
	switch {
	case arn == AnonymousName:
		return Principal{ARN: AnonymousName}, nil
	case isServiceName(arn):
		return Principal{ARN: arn, Type: Service, Name: arn}, nil
	}
	f, ok := splitARN(arn)
	if !ok || f[0] != "arn" || !isPartition(f[1]) || f[3] != "" || !isAccount(f[4]) {
		return Principal{}, principalError(arn)
	}
	p := Principal{ARN: arn, Partition: f[1], Account: f[4]}
	resource, rest, _ := strings.Cut(f[5], "/")
	switch {
	case f[2] == "iam" && f[5] == "root":
		p.Type = Root
	case f[2] == "iam" && resource == "user" && isPath(rest):
		p.Type, p.Name = User, rest
	case f[2] == "iam" && resource == "role" && isPath(rest):
		p.Type, p.Name, p.RoleARN = AssumedRole, lastElement(rest), arn
	case f[2] == "sts" && resource == "assumed-role":
		name, session, ok := strings.Cut(rest, "/")
		if !ok || !isName(name) || !isName(session) {
			return Principal{}, principalError(arn)
		}
		p.Type, p.Name, p.Session = AssumedRole, name, session
	case f[2] == "sts" && resource == "federated-user" && isName(rest):
		p.Type, p.Name = FederatedUser, rest
	default:
		return Principal{}, principalError(arn)
	}
	return p, nil
}

func principalError(arn string) error {
	return fmt.Errorf("principal %q: want %q or the ARN of a user, a role, a role's session, a federated user or an "+
		"account's root, such as arn:aws:sts::123456789012:assumed-role/Role/session", arn, AnonymousName)
}

// principalARN is the value of aws:PrincipalArn: the role for a session (IAM user guide, "AWS global condition context
// keys").
func (p *Principal) principalARN() string {
	if p.Type != AssumedRole {
		return p.ARN
	}
	if p.RoleARN != "" {
		return p.RoleARN
	}
	return "arn:" + p.Partition + ":iam::" + p.Account + ":role/" + p.Name
}

// typeName is the value of aws:PrincipalType.
func (p *Principal) typeName() string {
	switch p.Type {
	case Root:
		return "Account"
	case User:
		return "User"
	case AssumedRole:
		return "AssumedRole"
	case FederatedUser:
		return "FederatedUser"
	}
	return ""
}

func isPartition(s string) bool {
	return s == "aws" || strings.HasPrefix(s, "aws-") && isName(s)
}

func isAccount(s string) bool {
	if len(s) != 12 {
		return false
	}
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}

// isName reports whether s has only the characters of names of users, roles and sessions (IAM user guide, "IAM and AWS
// STS quotas", name requirements).
func isName(s string) bool {
	for i := range len(s) {
		if c := s[i]; !isAlphanumeric(c) && strings.IndexByte("_+=,.@-", c) < 0 {
			return false
		}
	}
	return s != ""
}

// isPath reports whether s is a name behind an optional path, such as "team/ann". A path may hold any character from
// ! to DEL (IAM user guide, "IAM identifiers"); wildcards and variables stay out, because nobody is named so.
func isPath(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < '!' || c > '~' || c == '*' || c == '?' || c == '$' {
			return false
		}
	}
	return isName(lastElement(s))
}

func isServiceName(s string) bool {
	name, ok := strings.CutSuffix(s, ".amazonaws.com")
	if !ok {
		name, ok = strings.CutSuffix(s, ".amazonaws.com.cn")
	}
	for i := range len(name) {
		if c := name[i]; !isAlphanumeric(c) && c != '-' && c != '.' {
			return false
		}
	}
	return ok && name != ""
}

func isAlphanumeric(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}

func lastElement(path string) string {
	return path[strings.LastIndexByte(path, '/')+1:]
}
