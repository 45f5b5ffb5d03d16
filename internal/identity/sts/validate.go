package sts

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/marquee-api/marquee/internal/identity"
	"github.com/marquee-api/marquee/internal/policy"
)

// field is a parameter's limits, as AWS's model of the service states them.
type field struct {
	param    string // RoleSessionName
	name     string // roleSessionName, as messages have it
	min, max int    // characters
	pattern  string // as the model has it; empty: any text
	match    *regexp.Regexp
	required bool
}

var (
	nameMatch       = regexp.MustCompile(`^[A-Za-z0-9_+=,.@-]*$`)
	externalIDMatch = regexp.MustCompile(`^[A-Za-z0-9_+=,.@:/-]*$`)
	policyMatch     = regexp.MustCompile(`^[\x{9}\x{A}\x{D}\x{20}-\x{FF}]+$`)
	tagKeyMatch     = regexp.MustCompile(`^[\p{L}\p{Z}\p{N}_.:/=+\-@]+$`)
	tagValueMatch   = regexp.MustCompile(`^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$`)
)

var (
	roleARNField     = field{param: "RoleArn", name: "roleArn", min: 20, max: 2048, required: true}
	sessionNameField = field{param: "RoleSessionName", name: "roleSessionName", min: 2, max: 64, pattern: `[\w+=,.@-]*`, match: nameMatch, required: true}
	policyField      = field{param: "Policy", name: "policy", min: 1, max: 2048, pattern: `[\u0009\u000A\u000D\u0020-\u00FF]+`, match: policyMatch}
	externalIDField  = field{param: "ExternalId", name: "externalId", min: 2, max: 1224, pattern: `[\w+=,.@:\/-]*`, match: externalIDMatch}
	sourceField      = field{param: "SourceIdentity", name: "sourceIdentity", min: 2, max: 64, pattern: `[\w+=,.@-]*`, match: nameMatch}
	tagKeyField      = field{name: "key", min: 1, max: 128, pattern: `[\p{L}\p{Z}\p{N}_.:/=+\-@]+`, match: tagKeyMatch, required: true}
	tagValueField    = field{name: "value", min: 0, max: 256, pattern: `[\p{L}\p{Z}\p{N}_.:/=+\-@]*`, match: tagValueMatch, required: true}
	transitiveField  = field{name: "transitiveTagKeys", min: 1, max: 128, pattern: `[\p{L}\p{Z}\p{N}_.:/=+\-@]+`, match: tagKeyMatch, required: true}
)

const maxTags = 50

// check collects the faults of a request in AWS's words.
type check struct{ faults []string }

func (c *check) fail(value, name, constraint string) {
	c.faults = append(c.faults, fmt.Sprintf("Value %s at '%s' failed to satisfy constraint: %s", value, name, constraint))
}

// text reads a parameter within its limits.
func (c *check) text(p parameters, f field) string {
	value, given := p[f.param]
	if !given {
		if f.required {
			c.fail("null", f.name, "Member must not be null")
		}
		return ""
	}
	if !utf8.ValidString(value) {
		c.fail("that is not UTF-8", f.name, "Member must be text")
		return ""
	}
	quoted, length := "'"+clip(value)+"'", utf8.RuneCountInString(value)
	switch {
	case length < f.min:
		c.fail(quoted, f.name, fmt.Sprintf("Member must have length greater than or equal to %d", f.min))
	case length > f.max:
		c.fail(quoted, f.name, fmt.Sprintf("Member must have length less than or equal to %d", f.max))
	}
	if f.match != nil && !f.match.MatchString(value) {
		c.fail(quoted, f.name, "Member must satisfy regular expression pattern: "+f.pattern)
	}
	return value
}

// clip keeps what a client sent from filling an answer.
func clip(value string) string {
	const most = 3000 // longer than any parameter that is right
	if len(value) <= most {
		return value
	}
	return strings.ToValidUTF8(value[:most], "") + "…"
}

func (c *check) integer(p parameters, param string, fallback int) int {
	text, given := p[param]
	if !given {
		return fallback
	}
	n, err := strconv.ParseInt(text, 10, 32)
	if err != nil {
		c.fail("'"+clip(text)+"'", strings.ToLower(param[:1])+param[1:], "Member must be an integer")
		return fallback
	}
	return int(n)
}

func (c *check) within(name string, n, least, most int) {
	switch {
	case n < least:
		c.fail(fmt.Sprintf("'%d'", n), name, fmt.Sprintf("Member must have value greater than or equal to %d", least))
	case n > most:
		c.fail(fmt.Sprintf("'%d'", n), name, fmt.Sprintf("Member must have value less than or equal to %d", most))
	}
}

func (c *check) tokenSize(p parameters) int {
	size := c.integer(p, "MinimumSessionTokenSize", 0)
	c.within("minimumSessionTokenSize", size, 0, identity.MaxTokenSize)
	return size
}

// readAssumption checks the form of AssumeRole's parameters. Those that AWS does not know are passed over, as AWS does;
// those that it knows and this server does not are refused, since to pass them over would grant more.
func readAssumption(p parameters) (*assumption, *refusal) {
	var c check
	a := &assumption{
		roleARN: c.text(p, roleARNField), name: c.text(p, sessionNameField), policy: c.text(p, policyField),
		seconds: c.integer(p, "DurationSeconds", 3600), externalID: c.text(p, externalIDField),
		sourceIdentity: c.text(p, sourceField), tokenSize: c.tokenSize(p),
	}
	c.within("durationSeconds", a.seconds, 900, 12*3600)
	if refused := a.readTags(&c, p); refused != nil {
		return nil, refused
	}
	if len(c.faults) > 0 {
		return nil, refuseValidation(c.faults)
	}
	if refused := a.checkTags(); refused != nil {
		return nil, refused
	}
	switch principal, err := policy.ParsePrincipal(a.roleARN); {
	case err != nil || principal.Type != policy.AssumedRole || principal.Session != "":
		return nil, refuseRoleARN(a.roleARN)
	case p.hasUnder("SerialNumber") || p.hasUnder("TokenCode"):
		return nil, refuseMFA()
	case p.hasUnder("PolicyArns"):
		return nil, refuseUnknownParameter("PolicyArns")
	case p.hasUnder("ProvidedContexts"):
		return nil, refuseUnknownParameter("ProvidedContexts")
	}
	if a.policy != "" {
		document, err := policy.Parse([]byte(a.policy), policy.KindIdentity)
		if err != nil {
			return nil, refusePolicy(err)
		}
		a.document = document
	}
	return a, nil
}

func (a *assumption) readTags(c *check, p parameters) *refusal {
	member := func(f field, param, name string) string {
		f.param, f.name = param, name
		return c.text(p, f)
	}
	tags, ok := p.members("Tags")
	transitive, alsoOK := p.members("TransitiveTagKeys")
	if !ok || !alsoOK {
		return refuseMalformed("the members of a list are named as in Tags.member.1.Key")
	}
	for i, name := range tags[:min(len(tags), maxTags)] {
		at := fmt.Sprintf("tags.%d.member.", i+1)
		a.tags = append(a.tags, tag{member(tagKeyField, name+".Key", at+"key"), member(tagValueField, name+".Value", at+"value")})
	}
	for _, name := range transitive[:min(len(transitive), maxTags)] {
		a.transitive = append(a.transitive, member(transitiveField, name, "transitiveTagKeys"))
	}
	for _, list := range []struct {
		name  string
		count int
	}{{"tags", len(tags)}, {"transitiveTagKeys", len(transitive)}} {
		if list.count > maxTags {
			c.fail("'[...]'", list.name, fmt.Sprintf("Member must have length less than or equal to %d", maxTags))
		}
	}
	return nil
}

func (a *assumption) checkTags() *refusal {
	seen := map[string]bool{}
	for _, t := range a.tags {
		folded := strings.ToLower(t.key)
		switch {
		case seen[folded]:
			return refuseTagTwice()
		case strings.HasPrefix(folded, "aws:"):
			return refuseValue("Tag keys that begin with aws: are reserved for AWS.")
		}
		seen[folded] = true
	}
	for _, key := range a.transitive {
		if !seen[strings.ToLower(key)] {
			return refuseTransitiveKey()
		}
	}
	return nil
}
