// Package reach says who gets in where: every identity of a stack, through every door, on every route of its APIs, let in
// or refused, with the policy statement that decided.
//
// It decides nothing itself. Each call is signed with the identity's own key and put to the gateway that serves the same
// stack, which answers by the checks of a real request. The package runs nothing, opens no port and reads no file.
package reach

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/marquee-api/marquee/internal/deployment"
	"github.com/marquee-api/marquee/internal/gateway"
	"github.com/marquee-api/marquee/internal/identity"
	"github.com/marquee-api/marquee/internal/policy"
	"github.com/marquee-api/marquee/internal/sigv4"
	"github.com/marquee-api/marquee/internal/stack"
)

// Outcome is what becomes of a call.
type Outcome string

// The outcomes. All but the last are decisions of policies; a call is Refused by a check before them or beside them: the
// door, the signature, the route. One that Fails is let in, and answered with an error all the same: API Gateway may not
// invoke the function, Lambda runs it for nobody, or it is not of the template.
const (
	Allow        Outcome = "allow"
	Fails        Outcome = "fails"
	ExplicitDeny Outcome = "explicit_deny"
	ImplicitDeny Outcome = "implicit_deny"
	Refused      Outcome = "refused"
)

// Matrix is who gets in where. Its JSON form is that of `marquee check --who --format json` (docs/checking.md).
type Matrix struct {
	Region     string     `json:"region"`
	AccountID  string     `json:"account_id"`
	APIs       []API      `json:"apis"`
	Identities []Identity `json:"identities"`
	Doors      []Door     `json:"doors"`
	Cells      []Cell     `json:"cells"` // by API, route, path, identity and door, in the order of the lists above
}

// API is one stage of a REST API.
type API struct {
	LogicalID string `json:"logical_id"`
	ID        string `json:"id"`
	Stage     string `json:"stage"`
	Type      string `json:"type"` // PRIVATE, REGIONAL or EDGE
}

// Identity is who calls.
type Identity struct {
	Name    string   `json:"name"`              // the profile's
	Aliases []string `json:"aliases,omitempty"` // further profiles of the same role
	Kind    string   `json:"kind"`              // role or user of the template, sample, file, or anonymous
	ARN     string   `json:"arn"`               // "anonymous" for a call without a signature
}

// Door is a way in. It has no endpoint if it is the public internet.
type Door struct {
	Name          string `json:"name"`
	VPCEndpointID string `json:"vpc_endpoint_id,omitempty"`
}

// Cell is one call and what became of it.
type Cell struct {
	API      string `json:"api"` // logical id
	Stage    string `json:"stage"`
	Route    string `json:"route"`  // as the template has it: "ANY /movie_list/{year}"
	Method   string `json:"method"` // as it was sent
	Path     string `json:"path"`   // as it was sent, without the stage: policies see actual paths
	Identity string `json:"identity"`
	Door     string `json:"door"`

	Outcome Outcome `json:"outcome"`
	// Check is the check of the gateway that refused, "authorization", or "function" for a call that fails.
	Check  string `json:"check"`
	Status int    `json:"status,omitempty"` // of the refusal, or of the failure
	// Policy is the kind of policy that decided, or that did not allow what it had to: identity, resource, endpoint,
	// boundary, session. It is empty if none was asked.
	Policy string `json:"policy"`
	// By is the statement that decided; nil if none did.
	By             *Statement `json:"by"`
	Reason         string     `json:"reason"`
	APIKeyRequired bool       `json:"api_key_required,omitempty"`
}

// Statement is a statement of a policy. Document counts the identity policies, Index the statements, both from 0.
type Statement struct {
	Document int    `json:"document"`
	Name     string `json:"name,omitempty"`  // the policy's, if the template has it
	Place    string `json:"place,omitempty"` // where that stands: "template.yaml:12"
	Index    int    `json:"statement"`
	Sid      string `json:"sid"`
}

// LetIn reports whether the caller may make the call, answered or not.
func (c *Cell) LetIn() bool { return c.Outcome == Allow || c.Outcome == Fails }

// Compute puts every call to the gateway of the stack: by the identities whose profiles the directory holds and by
// nobody, at a moment. The directory's keys have to be good then.
func Compute(s *stack.Stack, d *identity.Directory, now time.Time) (*Matrix, error) {
	apis, err := deployment.APIs(s)
	if err != nil {
		return nil, err
	}
	doors, err := deployment.Ways(s)
	if err != nil {
		return nil, err
	}
	g, err := gateway.New(gateway.Config{
		Region: s.Region, AccountID: s.AccountID, APIs: apis, Identities: deployment.Holders(d), Invoker: noFunctions{},
		Now: func() time.Time { return now },
	})
	if err != nil {
		return nil, err
	}
	callers, documents := callersOf(s, d)
	for _, api := range apis {
		documents = append(documents, api.ResourcePolicy)
	}
	c := &computer{stack: s, gateway: g, doors: doors, callers: callers, granted: grantedPaths(documents), now: now}
	m := &Matrix{Region: s.Region, AccountID: s.AccountID, APIs: []API{}, Cells: []Cell{}}
	for _, caller := range c.callers {
		m.Identities = append(m.Identities, caller.Identity)
	}
	for _, door := range doors {
		m.Doors = append(m.Doors, Door{Name: door.Name, VPCEndpointID: door.VPCEndpointID})
	}
	for _, api := range s.APIs {
		m.APIs = append(m.APIs, API{LogicalID: api.LogicalID, ID: api.ID, Stage: api.Stage, Type: api.EndpointType})
		cells, err := c.api(api)
		if err != nil {
			return nil, err
		}
		m.Cells = append(m.Cells, cells...)
	}
	return m, nil
}

// noFunctions stands in for the functions, which no decision runs.
type noFunctions struct{}

func (noFunctions) Invoke(context.Context, string, gateway.Event) (gateway.Answer, error) {
	return gateway.Answer{}, errors.New("a decision runs no function")
}

// computer asks the gateway.
type computer struct {
	stack   *stack.Stack
	gateway *gateway.Gateway
	doors   []gateway.Door
	callers []caller
	granted []string // paths that policies name
	now     time.Time
	signer  sigv4.Signer
}

// caller is an identity with its key and the names of its policies.
type caller struct {
	Identity
	credentials *sigv4.Credentials // nil: unsigned
	policies    []stack.Policy     // of the template, in the order of the identity's; nil: not of the template
}

// api asks for all routes of an API. A further path of a route is shown if anybody is told something else there.
func (c *computer) api(api *stack.API) ([]Cell, error) {
	calls, err := c.calls(api)
	if err != nil {
		return nil, err
	}
	var cells []Cell
	shown := map[string][][]Outcome{} // by method and route
	for _, call := range calls {
		row, err := c.row(api, call)
		if err != nil {
			return nil, err
		}
		outcomes := make([]Outcome, len(row))
		for i := range row {
			outcomes[i] = row[i].Outcome
		}
		key := call.method + " " + call.route
		if slices.ContainsFunc(shown[key], func(o []Outcome) bool { return slices.Equal(o, outcomes) }) {
			continue
		}
		shown[key] = append(shown[key], outcomes)
		cells = append(cells, row...)
	}
	return cells, nil
}

// row asks for one call by everyone through every door.
func (c *computer) row(api *stack.API, call call) ([]Cell, error) {
	var cells []Cell
	for i := range c.callers {
		for _, door := range c.doors {
			decision, err := c.decide(api, call, &c.callers[i], door)
			if err != nil {
				return nil, err
			}
			cells = append(cells, c.cell(api, call, &c.callers[i], decision))
		}
	}
	return cells, nil
}

func (c *computer) cell(api *stack.API, call call, who *caller, d gateway.Decision) Cell {
	last := d.Record.Checks[len(d.Record.Checks)-1]
	cell := Cell{
		API: api.LogicalID, Stage: api.Stage, Route: call.route, Method: call.method, Path: call.path,
		Identity: who.Name, Door: d.Record.Door, Outcome: Refused, Check: last.Name, Status: d.Record.Status,
		Reason: last.Detail, APIKeyRequired: d.APIKeyRequired,
	}
	switch {
	case d.Fails:
		cell.Outcome = Fails
	case d.Allowed:
		cell.Outcome, cell.Check = Allow, "authorization"
		for _, check := range d.Record.Checks {
			if check.Name == cell.Check {
				cell.Reason = check.Detail
			}
		}
	}
	if d.Verdict == nil {
		return cell
	}
	cell.Policy = d.Verdict.Source.String()
	if !d.Allowed && d.Verdict.Decision != policy.Allow { // else refused although the policies allow it
		cell.Outcome = Outcome(d.Verdict.Decision.String())
	}
	if v := d.Verdict; v.Statement >= 0 {
		cell.By = &Statement{Document: v.Document, Index: v.Statement, Sid: v.Sid}
		if v.Source == policy.SourceIdentity && v.Document < len(who.policies) {
			p := who.policies[v.Document]
			cell.By.Name, cell.By.Place = p.Name, p.Position.String()
		}
	}
	return cell
}
