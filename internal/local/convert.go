package local

import (
	"crypto/sha256"
	"encoding/base32"
	"fmt"
	"strings"

	"github.com/marquee-api/marquee/internal/gateway"
	"github.com/marquee-api/marquee/internal/policy"
	"github.com/marquee-api/marquee/internal/stack"
)

// gatewayAPIs turns the APIs of a stack into the gateway's. What would be let in here and refused on AWS is an error.
func gatewayAPIs(s *stack.Stack) ([]gateway.API, error) {
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
		for _, r := range a.Routes {
			route, err := gatewayRoute(s, a, r)
			if err != nil {
				return nil, err
			}
			api.Routes = append(api.Routes, route)
		}
		apis = append(apis, api)
	}
	return apis, nil
}

func gatewayRoute(s *stack.Stack, a *stack.API, r *stack.Route) (gateway.Route, error) {
	route := gateway.Route{
		Method: r.Method, Path: r.Path, NoAuth: r.Authorization == "NONE", ResourceID: shortID(a.ID+r.Path, 6),
		Throttle: throttle(r.Throttle),
	}
	if r.APIKeyRequired {
		return route, fmt.Errorf("%s: %s %s of API %s needs an API key, which is not checked here yet: the call would be let in without one; "+
			"set ApiKeyRequired to false in the local environment's parameters", r.Position, r.Method, r.Path, a.LogicalID)
	}
	for _, f := range s.Functions {
		if f.LogicalID != r.FunctionID {
			continue
		}
		route.Function = f.Name
		if r.InvokeRole == "CALLER_CREDENTIALS" && r.Authorization == "AWS_IAM" {
			route.CallerInvokes = f.ARN
		}
	}
	return route, nil
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

// doors are the three ways in that every run has.
type doors struct {
	vpce, otherVPCE, public gateway.Door
}

// gatewayDoors makes the doors from the template's endpoint for execute-api. A template that takes its endpoint as a
// parameter is met by the endpoint that its API is associated with; one that names none gets one made up.
func gatewayDoors(s *stack.Stack, host string) (doors, error) {
	d := doors{
		vpce:      gateway.Door{Name: "vpce", VPCEndpointID: madeUpID("vpce", s.Name, "endpoint"), VPCID: madeUpID("vpc", s.Name, "vpc")},
		otherVPCE: gateway.Door{Name: "other_vpce", VPCEndpointID: madeUpID("vpce", s.Name, "other endpoint"), VPCID: madeUpID("vpc", s.Name, "other vpc")},
		public:    gateway.Door{Name: "public"},
	}
	for _, api := range s.APIs {
		if len(api.VPCEndpointIDs) > 0 {
			d.vpce.VPCEndpointID = api.VPCEndpointIDs[0]
		}
	}
	for _, e := range s.Endpoints {
		if e.Service != "execute-api" {
			continue
		}
		d.vpce.VPCEndpointID, d.vpce.VPCID = e.ID, e.VPCID
		if e.Policy != nil {
			document, err := policy.Parse(e.Policy, policy.KindEndpoint)
			if err != nil {
				return d, fmt.Errorf("%s: endpoint %s: %w", e.Position, e.LogicalID, err)
			}
			d.vpce.Policy = document
		}
		break
	}
	for _, door := range []*gateway.Door{&d.vpce, &d.otherVPCE, &d.public} {
		door.LocalHosts = []string{host}
	}
	return d, nil
}

// madeUpID is a physical id of EC2's form.
func madeUpID(prefix string, parts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, "/")))
	return fmt.Sprintf("%s-0%x", prefix, sum[:8])
}
