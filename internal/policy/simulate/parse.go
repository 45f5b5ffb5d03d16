package simulate

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/marquee-api/marquee/internal/policy"
)

// parse reads one question. Everything in it must be understood: an unknown or repeated field is an error, because a
// misspelt "resource_policy" would answer another question than was asked.
func parse(line []byte) (*question, error) {
	fields, err := object(line)
	if err != nil {
		return nil, err
	}
	var f texts
	var q question
	for _, field := range fields {
		switch field.name {
		case "principal":
			err = text(field.value, &f.principal)
		case "api_account":
			err = text(field.value, &f.account)
		case "action":
			err = text(field.value, &f.action)
		case "resource":
			err = text(field.value, &f.resource)
		case "context":
			q.request.Context, err = contextKeys(field.value)
		case "identity_policies", "resource_policy", "endpoint_policy":
			// Read below: the resource policy's short form needs the resource.
		default:
			err = errors.New("unknown field")
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", field.name, err)
		}
	}
	if err := q.apply(f); err != nil {
		return nil, err
	}
	for _, field := range fields {
		if err := q.policies(field, f.resource); err != nil {
			return nil, fmt.Errorf("%s: %w", field.name, err)
		}
	}
	return &q, nil
}

// texts are the plain fields of a question.
type texts struct{ principal, account, action, resource string }

func (q *question) apply(f texts) error {
	for _, required := range [][2]string{
		{"principal", f.principal}, {"api_account", f.account}, {"action", f.action}, {"resource", f.resource},
	} {
		if required[1] == "" {
			return fmt.Errorf("%s: is missing", required[0])
		}
	}
	if !isAccount(f.account) {
		return fmt.Errorf("api_account: %q is not an account of 12 digits", f.account)
	}
	service, name, ok := strings.Cut(f.action, ":")
	if !ok || service == "" || name == "" || strings.ContainsAny(f.action, "*? ") {
		return fmt.Errorf("action: %q is not one action such as execute-api:Invoke", f.action)
	}
	arn := strings.SplitN(f.resource, ":", 6)
	if f.resource != "*" && (len(arn) != 6 || arn[0] != "arn") {
		return fmt.Errorf("resource: %q is neither \"*\" nor an ARN of six fields", f.resource)
	}
	if len(arn) == 6 && arn[4] != "" && arn[4] != f.account {
		return fmt.Errorf("resource: is of account %q, but api_account is %q", arn[4], f.account)
	}
	principal, err := policy.ParsePrincipal(f.principal)
	if err != nil {
		return err
	}
	q.request.Principal, q.request.Action, q.request.Resource = principal, f.action, f.resource
	q.request.Context.FillPrincipal(principal)
	q.call.ResourceAccount = f.account
	return nil
}

// policies reads field if it is one of policies.
func (q *question) policies(field field, resource string) (err error) {
	switch field.name {
	case "identity_policies":
		if isNull(field.value) {
			return nil
		}
		var documents []json.RawMessage
		if err := json.Unmarshal(field.value, &documents); err != nil {
			return errors.New("want a list of policies")
		}
		for i, document := range documents {
			d, err := policy.Parse(document, policy.KindIdentity)
			if err != nil {
				return fmt.Errorf("[%d]: %w", i, err)
			}
			q.call.Identity = append(q.call.Identity, d)
		}
	case "resource_policy":
		if !isNull(field.value) {
			q.call.Resource, err = policy.Parse(field.value, policy.KindResource, shortForms(resource)...)
		}
	case "endpoint_policy":
		if !isNull(field.value) {
			q.call.Endpoint, err = policy.Parse(field.value, policy.KindEndpoint)
		}
	}
	return err
}

// shortForms lets the resource policy use API Gateway's short form: it is the policy of the API that is called.
func shortForms(resource string) []policy.Option {
	arn := strings.SplitN(resource, ":", 6)
	if len(arn) != 6 || arn[2] != "execute-api" {
		return nil
	}
	id, _, _ := strings.Cut(arn[5], "/")
	return []policy.Option{policy.WithAPI(policy.API{Partition: arn[1], Region: arn[3], Account: arn[4], ID: id})}
}

// contextKeys reads {"key": ["value", …], …}.
func contextKeys(value json.RawMessage) (policy.Context, error) {
	keys := policy.NewContext(0)
	if isNull(value) {
		return keys, nil
	}
	fields, err := object(value)
	if err != nil {
		return keys, err
	}
	for _, field := range fields {
		var values []string
		if err := strictStrings(field.value, &values); err != nil {
			return keys, fmt.Errorf("%s: %w", field.name, err)
		}
		if err := keys.Add(field.name, values...); err != nil {
			return keys, err
		}
	}
	return keys, nil
}

type field struct {
	name  string
	value json.RawMessage
}

// object splits a JSON object into its fields, in order, and refuses a name that occurs twice.
func object(data []byte) ([]field, error) {
	dec := json.NewDecoder(bytes.NewReader(data))
	if token, err := dec.Token(); err != nil || token != json.Delim('{') {
		return nil, errors.New("want a JSON object")
	}
	var fields []field
	seen := map[string]bool{}
	for dec.More() {
		token, err := dec.Token()
		if err != nil {
			return nil, fmt.Errorf("not JSON: %w", err)
		}
		f := field{name: token.(string)} // the decoder lets nothing else through as a name
		if seen[f.name] {
			return nil, fmt.Errorf("%s: occurs twice", f.name)
		}
		seen[f.name] = true
		if err := dec.Decode(&f.value); err != nil {
			return nil, fmt.Errorf("%s: not JSON: %w", f.name, err)
		}
		fields = append(fields, f)
	}
	if _, err := dec.Token(); err != nil {
		return nil, fmt.Errorf("not JSON: %w", err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("something follows the JSON object")
	}
	return fields, nil
}

func text(value json.RawMessage, to *string) error {
	if len(value) == 0 || value[0] != '"' {
		return errors.New("want a string")
	}
	return json.Unmarshal(value, to)
}

func strictStrings(value json.RawMessage, to *[]string) error {
	var items []json.RawMessage
	if err := json.Unmarshal(value, &items); err != nil || isNull(value) {
		return errors.New("want a list of strings")
	}
	for i, item := range items {
		var s string
		if err := text(item, &s); err != nil {
			return fmt.Errorf("[%d]: %w", i, err)
		}
		*to = append(*to, s)
	}
	return nil
}

func isNull(value json.RawMessage) bool { return string(value) == "null" }

func isAccount(s string) bool {
	return len(s) == 12 && strings.Trim(s, "0123456789") == ""
}
