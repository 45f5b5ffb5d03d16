package policy

import "strings"

// principals is a Principal or NotPrincipal element.
type principals struct {
	bare    bool // written as "*" instead of a map
	entries []principalEntry
}

type principalEntry struct {
	group string // AWS, Service, Federated, CanonicalUser
	text  string
	kind  entryKind
	// who is the caller that the entry names; its path is kept in RoleARN for roles.
	who Principal
}

type entryKind int

const (
	entryEveryone entryKind = iota
	entryAccount
	entryRole
	entryCaller  // a user, a session, a federated user
	entryService // a service
	entryForeign // web identities, SAML providers and canonical users: nobody who signs calls here
)

// grant says how near to the caller an entry named it. What is granted to the account alone is delegation; what is
// granted to the role is limited by its boundary and session policy; the rest is not (IAM user guide, "AWS JSON policy
// elements: Principal" and "Permissions boundaries for IAM entities").
type grant int

const (
	grantNone    grant = iota
	grantAccount       // the account: its identity policies decide
	grantRole          // the role of a session
	grantDirect        // the caller itself, or everyone
)

func parsePrincipals(n node) (*principals, *SyntaxError) {
	if n.kind == nodeString {
		if n.text != "*" {
			return nil, fault("", "is %q; want \"*\" or an object such as {\"AWS\": \"123456789012\"}", n.text)
		}
		return &principals{bare: true, entries: []principalEntry{{text: "*"}}}, nil
	}
	if n.kind != nodeObject || len(n.members) == 0 {
		return nil, fault("", "is %s; want \"*\" or an object such as {\"AWS\": \"123456789012\"}", describe(n))
	}
	p := &principals{}
	for _, m := range n.members {
		texts, err := m.value.strings()
		if err != nil {
			return nil, err.under(m.name)
		}
		for i, text := range texts {
			entry, err := parseEntry(m.name, text)
			if err != nil {
				return nil, placed(err, m.value, i).under(m.name)
			}
			p.entries = append(p.entries, entry)
		}
	}
	return p, nil
}

func parseEntry(group, text string) (principalEntry, *SyntaxError) {
	entry := principalEntry{group: group, text: text}
	switch group {
	case "AWS":
		return parseAWSEntry(entry)
	case "Service":
		if !isServiceName(text) {
			return entry, fault("", "%q is not a service principal such as lambda.amazonaws.com", text)
		}
		entry.kind = entryService
		return entry, nil
	case "Federated", "CanonicalUser":
		if text == "" || strings.ContainsAny(text, "*?") {
			return entry, fault("", "%q: name one; wildcards are not allowed here", text)
		}
		entry.kind = entryForeign
		return entry, nil
	}
	return entry, fault("", "unknown group of principals; want AWS, Service, Federated or CanonicalUser")
}

func parseAWSEntry(entry principalEntry) (principalEntry, *SyntaxError) {
	switch {
	case entry.text == "*":
		return entry, nil // everyone
	case isAccount(entry.text):
		entry.kind, entry.who.Account = entryAccount, entry.text
		return entry, nil
	case strings.ContainsAny(entry.text, "*?"):
		return entry, fault("", "%q: a principal cannot be matched in part; use \"*\" and a condition on aws:PrincipalArn",
			entry.text)
	case !strings.HasPrefix(entry.text, "arn:"):
		return entry, fault("", "%q is not a principal; want \"*\", an account's 12 digits or an ARN", entry.text)
	}
	who, err := ParsePrincipal(entry.text)
	if err != nil {
		return entry, fault("", "%q is not the ARN of an account's root, a user, a role, a role's session or a federated user",
			entry.text)
	}
	entry.who = who
	switch {
	case who.Type == Root:
		entry.kind = entryAccount
	case who.Type == AssumedRole && who.Session == "":
		entry.kind = entryRole
	default:
		entry.kind = entryCaller
	}
	return entry, nil
}

// match returns the nearest grant that the element holds for the caller.
func (ps *principals) match(p *Principal) grant {
	best := grantNone
	for i := range ps.entries {
		best = max(best, ps.entries[i].match(p))
	}
	return best
}

func (e *principalEntry) match(p *Principal) grant {
	switch e.kind {
	case entryEveryone:
		return grantDirect
	case entryService:
		if p.Type == Service && p.Name == e.text {
			return grantDirect
		}
		return grantNone
	case entryForeign:
		return grantNone
	}
	if e.who.Account != p.Account || e.who.Partition != "" && e.who.Partition != p.Partition {
		return grantNone
	}
	switch {
	case e.kind == entryAccount:
		return grantAccount
	case e.who.Type != p.Type || e.who.Name != p.Name:
		return grantNone
	case e.kind == entryCaller && e.who.Session == p.Session:
		return grantDirect
	case e.kind == entryRole && (p.RoleARN == "" || p.RoleARN == e.who.RoleARN):
		return grantRole
	}
	return grantNone
}

// excepts reports whether a NotPrincipal element lets the caller out of its Deny. AWS may check the account, the role
// and the session one after the other, so that all of them must be listed (IAM user guide, "AWS JSON policy elements:
// NotPrincipal"); the caller who is not listed wholly stays denied.
func (ps *principals) excepts(p *Principal) bool {
	var account, role, direct bool
	for i := range ps.entries {
		e := &ps.entries[i]
		if e.kind == entryEveryone {
			return true
		}
		switch e.match(p) {
		case grantAccount:
			account = true
		case grantRole:
			role = true
		case grantDirect:
			direct = true
		}
	}
	switch p.Type {
	case Root:
		return account
	case AssumedRole:
		return account && role && (direct || p.Session == "")
	case User, FederatedUser:
		return account && direct
	case Service:
		return direct
	}
	return false
}
