package policy

import "strings"

// Versions of the policy language. Variables exist in the newer one only.
const (
	version2012 = "2012-10-17"
	version2008 = "2008-10-17"
)

// Document is a policy, parsed wholly and ready to be evaluated. It does not change and is safe for concurrent use.
type Document struct {
	kind       Kind
	version    string // as written, "" if absent
	id         string
	statements []statement
}

type statement struct {
	sid        string
	deny       bool
	principals *principals
	actions    []actionPattern
	resources  []resourcePattern
	conditions []condition
	// The Not forms of the elements.
	notPrincipal, notAction, notResource bool
}

// Kind returns what the document was parsed as.
func (d *Document) Kind() Kind { return d.kind }

// Len returns the number of statements.
func (d *Document) Len() int { return len(d.statements) }

// API names one REST API, for the short form of resources in its policy.
type API struct {
	// Partition is "aws" if empty.
	Partition string
	// Region, Account and ID of the API, such as ap-northeast-2, 123456789012 and a1b2c3d4e5.
	Region, Account, ID string
}

// ExpandShortForm returns the full ARN for API Gateway's short form, "execute-api:/stage/GET/path", and any other text
// as it is. API Gateway does the same when a resource policy is saved.
func (a API) ExpandShortForm(resource string) string {
	rest, ok := strings.CutPrefix(resource, shortForm+"/")
	if !ok {
		return resource
	}
	partition := a.Partition
	if partition == "" {
		partition = "aws"
	}
	return "arn:" + partition + ":execute-api:" + a.Region + ":" + a.Account + ":" + a.ID + "/" + rest
}

const shortForm = "execute-api:"

// An Option changes how Parse reads a document.
type Option func(*parser)

// WithAPI lets a document use API Gateway's short form of resources, which then stands for resources of that API.
// Without it the short form is refused.
func WithAPI(api API) Option {
	return func(p *parser) { p.api = &api }
}

// Parse reads a policy document as the kind that it is attached as. Anything that it could not evaluate is an error of
// type *SyntaxError, which names the statement and the element.
func Parse(data []byte, kind Kind, options ...Option) (*Document, error) {
	p := parser{kind: kind}
	for _, option := range options {
		option(&p)
	}
	d, err := p.document(data)
	if err != nil {
		err.Kind = kind
		return nil, err
	}
	return d, nil
}
