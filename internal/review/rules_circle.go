package review

import (
	"slices"
	"strings"

	"github.com/marquee-api/marquee/internal/stack"
)

var circleRule = &Rule{
	ID: "MQ004", Name: "circle", Severity: Error,
	Title: "Resources need each other to exist",
	Why:   "CloudFormation refuses a circle of references. The usual one here: the API's policy names a role or an endpoint whose own policy names the API.",
	Fix:   "Move one of the references into a resource of its own (AWS::IAM::Policy), or name it by a parameter.",
	check: circles,
}

// circles reports each circle once, at the resource of it that stands first.
func circles(s *subject, report reporter) {
	g := s.dependencies()
	reported := map[string]bool{}
	for _, r := range s.Resources() {
		path := g.back(r.LogicalID)
		if path == nil || slices.ContainsFunc(path, func(id string) bool { return reported[id] }) {
			continue
		}
		for _, id := range path {
			reported[id] = true
		}
		report(r.Position, r.LogicalID, "%s", strings.Join(append(path, r.LogicalID), " -> "))
	}
}

// graph says which resources each one needs.
type graph map[string][]string

// partsOf are the properties that SAM puts into another resource than the one that has them, by the ending of its id.
// What stands under Events is the API's, whose definition names the function.
var partsOf = map[string]map[string]string{
	"AWS::Serverless::Function": {
		"Policies": "Role", "PermissionsBoundary": "Role", "AutoPublishAlias": "Alias", "DeploymentPreference": "Alias",
		"ProvisionedConcurrencyConfig": "Alias", "EventInvokeConfig": "EventInvokeConfig", "FunctionUrlConfig": "Url", "Events": "Events",
	},
	"AWS::Serverless::Api": {
		"AccessLogSetting": "Stage", "MethodSettings": "Stage", "Variables": "Stage", "CanarySetting": "Stage", "StageName": "Stage",
		"CacheClusterEnabled": "Stage", "CacheClusterSize": "Stage", "TracingEnabled": "Stage", "Domain": "Domain",
	},
}

// dependencies says what each resource needs, and each part that SAM makes of one.
func (s *subject) dependencies() graph {
	g := graph{}
	for _, r := range s.Resources() {
		for _, e := range r.Properties.Entries() {
			from := r.LogicalID + partsOf[r.Type][e.Key]
			g[from] = append(g[from], e.Names()...)
		}
		if r.Type == "AWS::Serverless::Function" {
			s.eventDependencies(g, r)
			if !r.Properties.At("Role").Exists() {
				g[r.LogicalID] = append(g[r.LogicalID], r.LogicalID+"Role")
			}
		}
		g[r.LogicalID] = append(g[r.LogicalID], r.Attributes.At("DependsOn").Texts()...)
	}
	return g
}

// eventDependencies lets the APIs of a function's events need the function.
func (s *subject) eventDependencies(g graph, function *stack.Resource) {
	for _, e := range function.Properties.At("Events").Entries() {
		if e.At("Type").Text() != "Api" {
			continue
		}
		for _, api := range e.At("Properties", "RestApiId").Names() {
			g[api] = append(g[api], function.LogicalID)
		}
	}
}

// back is the shortest way from a resource to itself, without its end; nil if there is none.
func (g graph) back(id string) []string {
	from := map[string]string{}
	queue := []string{id}
	for len(queue) > 0 {
		at := queue[0]
		queue = queue[1:]
		for _, next := range g[at] {
			if next == id {
				return g.way(from, at)
			}
			if _, seen := from[next]; !seen {
				from[next] = at
				queue = append(queue, next)
			}
		}
	}
	return nil
}

// way follows the steps back to where a search began.
func (g graph) way(from map[string]string, to string) []string {
	path := []string{to}
	for {
		previous, ok := from[path[0]]
		if !ok {
			return path
		}
		path = slices.Insert(path, 0, previous)
	}
}
