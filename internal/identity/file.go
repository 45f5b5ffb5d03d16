package identity

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/marquee-api/marquee/internal/policy"
)

const wantList = "the file holds no identities; want a list such as\n" +
	"- name: auditor\n" +
	"  policies:\n" +
	"    - Version: \"2012-10-17\"\n" +
	"      Statement: [{Effect: Allow, Action: execute-api:Invoke, Resource: \"*\"}]"

// fields are those of an identity in the file.
var fields = []string{
	"name", "arn", "account", "policies", "permissions_boundary", "session_policy", "trust", "max_session", "tags", "lifetime",
}

// declaration is an identity of the file, with the place of each part for errors that come late.
type declaration struct {
	entity  *entity
	profile Profile
	session *policy.Document
	at      map[string]*yaml.Node // by field; "" is the identity as a whole
}

// place is where a field stands, or the identity if the field is not there.
func (d *declaration) place(field string) *yaml.Node {
	if n, ok := d.at[field]; ok {
		return n
	}
	return d.at[""]
}

// has reports whether a field is there, be it right or wrong.
func (d *declaration) has(field string) bool {
	keys := d.at[""].Content
	for i := 0; i+1 < len(keys); i += 2 {
		if keys[i].Value == field {
			return true
		}
	}
	return false
}

// Load adds the identities of a YAML or JSON file and opens a profile for each; name stands for the file in errors. The
// file is a list of
//
//	name                  of the profile; the only field that must be there
//	arn                   of a user or role; by default the role of that name
//	account               12 digits; by default the ARN's, else the Directory's
//	policies              a list of documents in YAML, as JSON text, or as a managed policy's ARN
//	permissions_boundary  one document
//	session_policy        one document, of the role's session that stands in the profile
//	trust                 one document: who may assume the role; by default nobody
//	max_session           the role's longest session by AssumeRole, 1h to 12h; by default 1h
//	tags                  a map
//	lifetime              of the profile's sessions, such as 1h; by default 12h for a role, a long-term key for a user;
//	                      negative: a session that ended that long ago
//
// Either all of the file is added or, with an error, nothing. The error is one or more *FileError, joined.
func (d *Directory) Load(name string, data []byte) error {
	s := &source{file: name}
	declared := d.declarations(s, s.document(data))
	if len(s.errs) > 0 {
		return errors.Join(s.errs...)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.checkTaken(s, declared)
	if len(s.errs) > 0 {
		return errors.Join(s.errs...)
	}
	for _, x := range declared {
		if err := d.add(x.entity); err != nil {
			return err
		}
		if err := d.open(x.profile, x.session); err != nil {
			return err
		}
	}
	return nil
}

// checkTaken finds names and ARNs that are there already, in the file or before it.
func (d *Directory) checkTaken(s *source, declared []*declaration) {
	names, arns := map[string]*yaml.Node{}, map[string]string{}
	for _, x := range declared {
		name, arn := x.profile.Name, x.entity.principal.ARN
		switch first, twice := names[name]; {
		case twice:
			s.fail(x.place("name"), "name %q is also that of line %d; take another", name, first.Line)
		case d.byName[name] != nil:
			s.fail(x.place("name"), "profile %q is there in this run without the file; take another name", name)
		case arns[arn] != "":
			s.fail(x.place("arn"), "%s is also that of %q; each identity has its own", arn, arns[arn])
		case d.entities[arn] != nil:
			s.fail(x.place("arn"), "%s is there in this run without the file; use its profile, or assume it", arn)
		}
		names[name], arns[arn] = x.place("name"), name
	}
}

func (d *Directory) declarations(s *source, root *yaml.Node) []*declaration {
	if root == nil {
		return nil
	}
	if root.Kind != yaml.SequenceNode || len(root.Content) == 0 {
		s.fail(root, "%s", wantList)
		return nil
	}
	var out []*declaration
	for _, item := range root.Content {
		n := s.visit(item, 1)
		switch {
		case n == nil:
		case n.Kind != yaml.MappingNode:
			s.fail(item, "an identity is a map with a name, this is %s", kindOf(n))
		default:
			out = append(out, d.declaration(s, n))
		}
	}
	return out
}

// declaration reads one identity; what it fails on is in s.
func (d *Directory) declaration(s *source, n *yaml.Node) *declaration {
	x := &declaration{entity: &entity{maxSession: minMaxSession}, at: map[string]*yaml.Node{"": n}}
	for _, m := range s.members(n, 1) {
		x.at[m.key.Value] = m.value
		if !slices.Contains(fields, m.key.Value) {
			s.fail(m.key, "unknown field %q; the fields are %s", m.key.Value, strings.Join(fields, ", "))
		}
	}
	reader := &fieldReader{s: s, d: d, x: x}
	reader.who()
	reader.documents()
	reader.times()
	if tags := x.at["tags"]; tags != nil {
		x.entity.tags = reader.tags(tags)
	}
	return x
}

// fieldReader reads the fields of one identity.
type fieldReader struct {
	s *source
	d *Directory
	x *declaration
}

// who reads name, arn and account.
func (r *fieldReader) who() {
	x, s := r.x, r.s
	n := x.at["name"]
	if n == nil && x.has("name") {
		return // that its value cannot be read was said
	}
	if n == nil {
		s.fail(x.at[""], "the identity has no name; it is the profile's name")
		return
	}
	name, ok := s.text(n, "name")
	if !ok {
		return
	}
	if err := checkProfileName(name); err != nil {
		s.fail(n, "%v", err)
		return
	}
	x.profile.Name = name
	account, ok := r.account()
	if !ok {
		return
	}
	place, arn := n, r.defaultARN(name, account)
	if at := x.at["arn"]; at != nil {
		place = at
		if arn, ok = s.text(at, "arn"); !ok {
			return
		}
	}
	principal, err := parseEntityARN(arn)
	switch {
	case err != nil:
		s.fail(place, "%v", err)
		return
	case account != "" && account != principal.Account:
		s.fail(x.at["account"], "account %s is not that of %s; leave one of the two out", account, arn)
		return
	}
	x.entity.principal, x.profile.Entity = principal, arn
	x.entity.uniqueID = madeUpID(x.entity)
}

func (r *fieldReader) account() (account string, ok bool) {
	n := r.x.at["account"]
	if n == nil {
		return "", true
	}
	account, ok = r.s.text(n, "account")
	if ok && !isAccount(account) {
		r.s.fail(n, "account %q is not 12 digits", account)
		return "", false
	}
	return account, ok
}

func (r *fieldReader) defaultARN(name, account string) string {
	if account == "" {
		account = r.d.config.AccountID
	}
	return fmt.Sprintf("arn:%s:iam::%s:role/%s", r.d.config.Partition, account, name)
}

// documents reads every field that is a policy.
func (r *fieldReader) documents() {
	x, s := r.x, r.s
	if n := x.at["policies"]; n != nil {
		if n.Kind != yaml.SequenceNode {
			s.fail(n, "policies is a list of documents, this is %s", kindOf(n))
		} else {
			for _, item := range n.Content {
				if value := s.visit(item, 3); value != nil {
					x.entity.policies = append(x.entity.policies, r.document(value, "policies", policy.KindIdentity))
				}
			}
		}
	}
	x.entity.boundary = r.field("permissions_boundary", policy.KindIdentity)
	x.session = r.field("session_policy", policy.KindIdentity)
	x.entity.trust = r.field("trust", policy.KindTrust)
	if x.profile.Entity == "" || x.entity.isRole() {
		return
	}
	for _, field := range []string{"session_policy", "trust", "max_session"} {
		if n := x.at[field]; n != nil {
			s.fail(n, "%s is for roles; %s is a user", field, x.profile.Entity)
		}
	}
}

func (r *fieldReader) field(name string, kind policy.Kind) *policy.Document {
	n := r.x.at[name]
	if n == nil {
		return nil
	}
	return r.document(n, name, kind)
}

// document reads a policy: a map, JSON text, or the ARN of a managed policy.
func (r *fieldReader) document(n *yaml.Node, field string, kind policy.Kind) *policy.Document {
	var text []byte
	inline := n.Kind == yaml.MappingNode
	switch {
	case inline:
		var b bytes.Buffer
		if !r.s.json(&b, n, 3) {
			return nil
		}
		text = b.Bytes()
	case n.Kind != yaml.ScalarNode || n.ShortTag() != "!!str":
		r.s.fail(n, "%s: a policy is a map, JSON text or the ARN of a managed policy, this is %s", field, kindOf(n))
		return nil
	case strings.HasPrefix(n.Value, "arn:"):
		managed, known := r.managed(n.Value)
		if !known || kind == policy.KindTrust {
			r.s.fail(n, "%s: the document of %s is not known here; write it in its place", field, n.Value)
			return nil
		}
		text = managed
	default:
		text = []byte(n.Value)
	}
	document, err := policy.Parse(text, kind)
	if err != nil {
		at := n
		if inline {
			at = faultPlace(n, err)
		}
		r.s.fail(at, "%s: %v", field, err)
	}
	return document
}

func (r *fieldReader) managed(arn string) (json.RawMessage, bool) {
	document, ok := r.d.config.ManagedPolicies[arn]
	return document, ok
}

// faultPlace is the node of a document that its parser means.
func faultPlace(n *yaml.Node, err error) *yaml.Node {
	var fault *policy.SyntaxError
	if !errors.As(err, &fault) {
		return n
	}
	if fault.Statement < 0 {
		return find(n, fault.Path)
	}
	statement := n
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == "Statement" {
			statement = n.Content[i+1]
		}
	}
	for statement.Kind == yaml.AliasNode {
		statement = statement.Alias
	}
	if statement.Kind == yaml.SequenceNode && fault.Statement < len(statement.Content) {
		statement = statement.Content[fault.Statement]
	}
	return find(statement, fault.Path)
}

// times reads lifetime and max_session.
func (r *fieldReader) times() {
	x, s := r.x, r.s
	if n := x.at["lifetime"]; n != nil {
		lifetime, ok := r.duration(n, "lifetime")
		switch err := checkLifetime(lifetime, x.entity.isRole()); {
		case !ok:
		case lifetime == 0:
			s.fail(n, "a lifetime of 0 is over at once; leave the field out, or write how long ago the session ended, such as -1m")
		case err != nil:
			s.fail(n, "%v", err)
		}
		x.profile.Lifetime = lifetime
	}
	if n := x.at["max_session"]; n != nil {
		longest, ok := r.duration(n, "max_session")
		if ok && (longest < minMaxSession || longest > maxMaxSession || longest%time.Second != 0) {
			s.fail(n, "max_session is %v; AWS allows 1h to 12h, in whole seconds", longest)
		}
		x.entity.maxSession = longest
	}
}

func (r *fieldReader) duration(n *yaml.Node, field string) (time.Duration, bool) {
	text, ok := r.s.text(n, field)
	if !ok {
		return 0, false
	}
	duration, err := time.ParseDuration(text)
	if err != nil {
		r.s.fail(n, "%s is %q; want a time such as 1h or 90m", field, text)
	}
	return duration, err == nil
}

func (r *fieldReader) tags(n *yaml.Node) map[string]string {
	if n.Kind != yaml.MappingNode {
		r.s.fail(n, "tags is a map such as {team: audit}, this is %s", kindOf(n))
		return nil
	}
	tags := map[string]string{}
	for _, m := range r.s.members(n, 2) {
		value, ok := r.s.text(m.value, "a tag's value")
		if !ok {
			continue
		}
		if hasFold(tags, m.key.Value) {
			r.s.fail(m.key, "tag %q is there twice; the case of a tag's key does not matter", m.key.Value)
			continue
		}
		if err := checkTags(map[string]string{m.key.Value: value}); err != nil {
			r.s.fail(m.key, "%v", err)
			continue
		}
		tags[m.key.Value] = value
	}
	return tags
}
