// Package deployment turns a stack, as a template describes it, into the configuration of the gateway that serves it: its
// APIs, its doors, its keys and usage plans.
//
// It decides nothing and starts nothing. A policy that could not be evaluated wholly is an error that names the place in
// the template.
package deployment

import (
	"crypto/sha256"
	"encoding/base32"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/marquee-api/marquee/internal/gateway"
	"github.com/marquee-api/marquee/internal/policy"
	"github.com/marquee-api/marquee/internal/stack"
)

// APIs returns the stack's APIs as the gateway serves them. A stack without any is an error.
func APIs(s *stack.Stack) ([]gateway.API, error) {
	if len(s.APIs) == 0 {
		return nil, fmt.Errorf("the template has no REST API (AWS::Serverless::Api, or a function with an Api event)")
	}
	apis := make([]gateway.API, 0, len(s.APIs))
	for _, a := range s.APIs {
		api := gateway.API{
			ID: a.ID, Stage: a.Stage, Private: a.EndpointType == "PRIVATE", VPCEndpointIDs: a.VPCEndpointIDs,
			Throttle: throttle(a.Throttle), DeploymentID: shortID(a.ID+a.Stage, 6),
			StageVariables: a.StageVariables, BinaryMediaTypes: a.BinaryMediaTypes,
		}
		if a.ResourcePolicy != nil {
			document, err := policy.Parse(a.ResourcePolicy, policy.KindResource, policy.WithAPI(policy.API{Partition: s.Partition, Region: s.Region, Account: s.AccountID, ID: a.ID}))
			if err != nil {
				return nil, fmt.Errorf("%s: API %s, resource policy: %w", a.Position, a.LogicalID, err)
			}
			api.ResourcePolicy = document
		}
		for kind, own := range a.GatewayResponses {
			if api.Responses == nil {
				api.Responses = map[string]gateway.GatewayResponse{}
			}
			api.Responses[kind] = gateway.GatewayResponse(*own)
		}
		schemas, err := newModels(a)
		if err != nil {
			return nil, err
		}
		for _, r := range a.Routes {
			route, err := newRoute(s, a, r)
			if err != nil {
				return nil, err
			}
			if route.Validation, err = schemas.validation(r); err != nil {
				return nil, err
			}
			api.Routes = append(api.Routes, route)
		}
		apis = append(apis, api)
	}
	return apis, nil
}

func newRoute(s *stack.Stack, a *stack.API, r *stack.Route) (_ gateway.Route, err error) {
	route := gateway.Route{
		Method: r.Method, Path: r.Path, NoAuth: r.Authorization == "NONE", ResourceID: shortID(a.ID+r.Path, 6),
		Throttle: throttle(r.Throttle), APIKeyRequired: r.APIKeyRequired,
		Timeout: time.Duration(r.TimeoutMillis) * time.Millisecond, Unanswered: r.Unanswered,
	}
	if r.Mock != nil {
		route.Mock = &gateway.Mock{Status: r.Mock.Status, Header: http.Header{}}
		for name, value := range r.Mock.Headers {
			route.Mock.Header.Set(name, value)
		}
	}
	for _, f := range s.Functions {
		if f.LogicalID != r.FunctionID {
			continue
		}
		route.Function = f.Name
		if f.ReservedConcurrency != nil && *f.ReservedConcurrency == 0 {
			route.Throttled = "the function " + f.LogicalID + " reserves a concurrency of 0, so Lambda throttles every call"
		}
		if route.Unpermitted, err = unpermitted(s, r, f); err != nil {
			return route, err
		}
		if r.InvokeRole == "CALLER_CREDENTIALS" && r.Authorization == "AWS_IAM" {
			route.CallerInvokes = invokedARN(r, f)
		}
	}
	return route, nil
}

// APIKeys are the stack's API keys. One whose value the template leaves to AWS gets one from newValue.
func APIKeys(s *stack.Stack, newValue func() string) []gateway.APIKey {
	keys := make([]gateway.APIKey, len(s.APIKeys))
	for i, k := range s.APIKeys {
		keys[i] = gateway.APIKey{ID: k.ID, Name: k.Name, Value: k.Value, Enabled: k.Enabled}
		if k.Value == "" {
			keys[i].Value = newValue()
		}
	}
	return keys
}

// UsagePlans are the stack's usage plans.
func UsagePlans(s *stack.Stack) []gateway.UsagePlan {
	plans := make([]gateway.UsagePlan, len(s.UsagePlans))
	for i, p := range s.UsagePlans {
		plans[i] = gateway.UsagePlan{ID: p.ID, Throttle: throttle(p.Throttle), KeyIDs: p.KeyIDs}
		if p.Quota != nil {
			plans[i].Quota = &gateway.Quota{Limit: p.Quota.Limit, Offset: p.Quota.Offset, Period: p.Quota.Period}
		}
		for _, st := range p.Stages {
			stage := gateway.PlanStage{APIID: st.APIID, Stage: st.Stage, Throttles: map[string]*gateway.Throttle{}}
			for method, t := range st.Throttle {
				stage.Throttles[method] = throttle(t)
			}
			plans[i].Stages = append(plans[i].Stages, stage)
		}
	}
	return plans
}

func throttle(t *stack.Throttle) *gateway.Throttle {
	if t == nil {
		return nil
	}
	return &gateway.Throttle{Rate: t.RateLimit, Burst: t.BurstLimit}
}

// shortID is a made-up id like API Gateway's, the same for the same name.
func shortID(name string, n int) string {
	sum := sha256.Sum256([]byte(name))
	return strings.ToLower(base32.StdEncoding.EncodeToString(sum[:])[:n])
}

// Doors are the three ways in that every run has.
type Doors struct {
	VPCE, OtherVPCE, Public gateway.Door
}

// NewDoors makes the doors from the template's endpoint for execute-api. A template that takes its endpoint as a parameter
// is met by the endpoint that its API is associated with, or that its policy admits; one that names none gets one made up.
// The doors answer to the hosts given, besides AWS's names and those of loopback.
func NewDoors(s *stack.Stack, hosts ...string) (Doors, error) {
	d := Doors{
		VPCE:      gateway.Door{Name: "vpce", VPCEndpointID: madeUpID("vpce", s.Name, "endpoint"), VPCID: madeUpID("vpc", s.Name, "vpc")},
		OtherVPCE: gateway.Door{Name: "other_vpce", VPCEndpointID: madeUpID("vpce", s.Name, "other endpoint"), VPCID: madeUpID("vpc", s.Name, "other vpc")},
		Public:    gateway.Door{Name: "public"},
	}
	for _, api := range s.APIs {
		if len(api.VPCEndpointIDs) > 0 {
			d.VPCE.VPCEndpointID = api.VPCEndpointIDs[0]
		} else if id := admittedEndpoint(api.ResourcePolicy); id != "" {
			d.VPCE.VPCEndpointID = id
		}
	}
	for _, e := range s.Endpoints {
		if e.Service != "execute-api" {
			continue
		}
		door, err := endpointDoor("vpce", e)
		if err != nil {
			return d, err
		}
		d.VPCE = door
		break
	}
	for _, door := range []*gateway.Door{&d.VPCE, &d.OtherVPCE, &d.Public} {
		door.LocalHosts = hosts
	}
	return d, nil
}

// endpointDoor is the way in through one endpoint of the template.
func endpointDoor(name string, e *stack.VPCEndpoint) (gateway.Door, error) {
	door := gateway.Door{Name: name, VPCEndpointID: e.ID, VPCID: e.VPCID}
	if e.Policy == nil {
		return door, nil
	}
	document, err := policy.Parse(e.Policy, policy.KindEndpoint)
	if err != nil {
		return door, fmt.Errorf("%s: endpoint %s: %w", e.Position, e.LogicalID, err)
	}
	door.Policy = document
	return door, nil
}

// Ways lists every way in: the doors of a run, and a door under its logical id for each further endpoint for execute-api
// of the template.
func Ways(s *stack.Stack) ([]gateway.Door, error) {
	d, err := NewDoors(s)
	if err != nil {
		return nil, err
	}
	ways := []gateway.Door{d.VPCE}
	for _, e := range s.Endpoints {
		if e.Service != "execute-api" || e.ID == d.VPCE.VPCEndpointID {
			continue
		}
		door, err := endpointDoor(e.LogicalID, e)
		if err != nil {
			return nil, err
		}
		ways = append(ways, door)
	}
	return append(ways, d.OtherVPCE, d.Public), nil
}

// madeUpID is a physical id of EC2's form.
func madeUpID(prefix string, parts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, "/")))
	return fmt.Sprintf("%s-0%x", prefix, sum[:8])
}
