package review

import "slices"

// Rule is one thing that a review looks for.
type Rule struct {
	ID       string // "MQ101"; it stays what it is
	Name     string // "open-method"
	Severity Severity
	Title    string // what is wrong, in a line
	Why      string // why it matters
	Fix      string // the change that mends it

	check func(*subject, reporter) // nil: found by the review itself
}

// groups are the chapters of the rules, by the first digit of the id.
var groups = [...]string{
	"The template", "Who may call", "Endpoints and the network", "Roles and their rights", "The API at work", "Functions and their build",
	"Tables",
}

// Rules lists all rules by id.
func Rules() []*Rule {
	return slices.Concat(templateRules, authorizationRules, policyRules, endpointRules, roleRules, grantRules, apiRules, functionRules, tableRules)
}

// Find finds a rule by its id.
func Find(id string) (*Rule, bool) {
	rules := Rules()
	i := slices.IndexFunc(rules, func(r *Rule) bool { return r.ID == id })
	if i < 0 {
		return nil, false
	}
	return rules[i], true
}
