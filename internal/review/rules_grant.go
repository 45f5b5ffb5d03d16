package review

import (
	"slices"
	"strings"

	"github.com/marquee-api/marquee/internal/stack"
)

var grantRules = []*Rule{
	{
		ID: "MQ303", Name: "wide-invoke", Severity: Warning,
		Title: "A role may call more of an API than methods and paths that are named",
		Why:   "The route that is added next month is open to it on the day it is deployed.",
		Fix:   "Name stage, method and path: …:${Api}/${Stage}/GET/movie_list.",
		check: func(s *subject, report reporter) {
			for _, st := range s.allowing() {
				for _, target := range st.targets() {
					if g, ok := readGrant(target); ok && st.acts("execute-api:Invoke") && g.wide() {
						report(st.Position, st.resource, "%s", target)
					}
				}
			}
		},
	},
	{
		ID: "MQ304", Name: "grant-without-route", Severity: Warning,
		Title: "A role may call a route that the API does not have",
		Why:   "Either the path is misspelt, and the caller gets a 403, or the right is left over and waits for a route of that name.",
		Fix:   "Correct method and path, or remove the resource.",
		check: grantsWithoutRoute,
	},
	{
		ID: "MQ305", Name: "grant-on-unused-table", Severity: Warning,
		Title: "A role has rights on a table that its function does not use",
		Why:   "No variable of the function names the table: the right is left over.",
		Fix:   "Remove the statement, or give the function the table's name in its environment.",
		check: grantsOnUnusedTables,
	},
	{
		ID: "MQ312", Name: "grant-on-unknown-index", Severity: Warning,
		Title: "A role has rights on an index that the table does not have",
		Why:   "Either the name is misspelt, and queries are refused, or the index is gone.",
		Fix:   "Write the index's name as in GlobalSecondaryIndexes or LocalSecondaryIndexes.",
		check: grantsOnUnknownIndexes,
	},
}

// grant is a resource of execute-api: arn:partition:execute-api:region:account:api/stage/METHOD/path.
type grant struct{ api, stage, method, path string }

func readGrant(arn string) (grant, bool) {
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) < 6 || parts[2] != "execute-api" {
		return grant{}, false
	}
	end := append(strings.SplitN(parts[5], "/", 4), "", "", "")
	return grant{end[0], end[1], end[2], end[3]}, true
}

// wide reports whether any of API, stage and method is left open, or the whole path.
func (g grant) wide() bool {
	for _, part := range []string{g.api, g.stage, g.method} {
		if strings.Contains(part, "*") {
			return true
		}
	}
	return g.path == "*"
}

func grantsWithoutRoute(s *subject, report reporter) {
	for _, st := range s.allowing() {
		if !st.acts("execute-api:Invoke") {
			continue
		}
		for _, target := range st.targets() {
			g, ok := readGrant(target)
			i := slices.IndexFunc(s.typed(), func(a *stack.API) bool { return a.ID == g.api })
			if !ok || i < 0 {
				continue
			}
			reaches := func(r *stack.Route) bool {
				return (r.Method == "ANY" || glob(g.method, r.Method)) && overlaps("/"+g.path, r.Path)
			}
			if api := s.Stack.APIs[i]; !g.wide() && (!slices.ContainsFunc(api.Routes, reaches) || g.stage != api.Stage) {
				report(st.Position, st.resource, "%s has no %s /%s in a stage %q", api.LogicalID, g.method, g.path, g.stage)
			}
		}
	}
}

// tableGrants yields the statements of roles that have rights on a table of the template by its ARN.
func (s *subject) tableGrants() func(yield func(statement, *stack.Table) bool) {
	return func(yield func(statement, *stack.Table) bool) {
		if s.Stack == nil {
			return
		}
		for _, st := range s.allowing() {
			if !slices.ContainsFunc(st.actions(), func(a string) bool { return strings.HasPrefix(a, "dynamodb:") }) {
				continue
			}
			for _, table := range s.Stack.Tables {
				onIt := func(t string) bool { return t == table.ARN || strings.HasPrefix(t, table.ARN+"/") }
				if slices.ContainsFunc(st.targets(), onIt) && !yield(st, table) {
					return
				}
			}
		}
	}
}

func grantsOnUnusedTables(s *subject, report reporter) {
	for st, table := range s.tableGrants() {
		used, known := false, false
		for _, f := range s.functions() {
			if f.LogicalID != st.resource && !f.Properties.At("Role").Mentions(st.resource) && !s.attachedTo(st.resource, f) {
				continue
			}
			known = true
			variables := f.Properties.At("Environment")
			used = used || variables.Mentions(table.LogicalID) || strings.Contains(string(variables.JSON()), table.Name)
		}
		if known && !used {
			report(st.Position, st.resource, "no variable of its function names %s", table.LogicalID)
		}
	}
}

// attachedTo reports whether a policy is attached to a function's role.
func (s *subject) attachedTo(id string, function *stack.Resource) bool {
	p := s.Resource(id)
	if p == nil || !strings.HasSuffix(p.Type, "Policy") {
		return false
	}
	return slices.ContainsFunc(s.Resources("AWS::IAM::Role"), func(role *stack.Resource) bool {
		named := p.Properties.At("Roles").Mentions(role.LogicalID) || p.Properties.At("RoleName").Mentions(role.LogicalID)
		return named && function.Properties.At("Role").Mentions(role.LogicalID)
	})
}

func grantsOnUnknownIndexes(s *subject, report reporter) {
	for st, table := range s.tableGrants() {
		for _, target := range st.targets() {
			name, ok := strings.CutPrefix(target, table.ARN+"/index/")
			if !ok {
				continue
			}
			has := func(i stack.Index) bool { return glob(name, i.Name) }
			if !slices.ContainsFunc(table.GlobalIndexes, has) && !slices.ContainsFunc(table.LocalIndexes, has) {
				report(st.Position, st.resource, "%s has no index %q", table.LogicalID, name)
			}
		}
	}
}
