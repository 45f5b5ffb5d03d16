package console_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/marquee-api/marquee/internal/console"
	"github.com/marquee-api/marquee/internal/gateway"
)

func passed(names ...string) []gateway.Check {
	var out []gateway.Check
	for _, name := range names {
		out = append(out, gateway.Check{Name: name, OK: true})
	}
	return out
}

func refusedAt(name string, before ...string) []gateway.Check {
	return append(passed(before...), gateway.Check{Name: name, Detail: "because"})
}

// The states stand for: passed, Refused, not needed (o), not reached (-).
func TestWay(t *testing.T) {
	letters := map[console.State]string{console.Passed: "p", console.Stopped: "R", console.NotNeeded: "o", console.Unreached: "-"}
	usual := "client door signature endpoint_policy policies route throttle function answer"
	tests := map[string]struct {
		record gateway.Record
		order  string
		states string
	}{
		"let in":               {gateway.Record{Status: 200, Checks: passed("api", "signature", "endpoint policy", "authorization", "route", "function")}, usual, "ppppppppp"},
		"the function's error": {gateway.Record{Status: 500, Checks: passed("api", "signature", "endpoint policy", "authorization", "route", "function")}, usual, "ppppppppR"},
		"no endpoint policy":   {gateway.Record{Status: 200, Checks: passed("api", "signature", "authorization", "route", "function")}, usual, "pppoppppp"},
		"no authorization":     {gateway.Record{Status: 200, Door: "public", Checks: passed("api", "authorization", "route", "function")}, usual, "ppooppppp"},
		"an API key":           {gateway.Record{Status: 200, Checks: passed("api", "signature", "authorization", "route", "api key", "function")}, usual, "pppoppppp"},
		"too long":             {gateway.Record{Status: 414, Checks: refusedAt("limits")}, usual, "pR------R"},
		"a large body":         {gateway.Record{Status: 413, Checks: refusedAt("limits", "api")}, usual, "pR------R"},
		"another host":         {gateway.Record{Status: 403, Checks: refusedAt("api")}, usual, "pR------R"},
		"a wrong signature":    {gateway.Record{Status: 403, Checks: refusedAt("signature", "api")}, usual, "ppR-----R"},
		"unsigned, past the endpoint policy": {gateway.Record{Status: 403, Checks: refusedAt("signature", "api", "endpoint policy")},
			"client door endpoint_policy signature policies route throttle function answer", "pppR----R"},
		"unsigned, at the endpoint policy": {gateway.Record{Status: 403, Checks: refusedAt("endpoint policy", "api")},
			"client door endpoint_policy signature policies route throttle function answer", "ppR-----R"},
		"the endpoint policy":     {gateway.Record{Status: 403, Checks: refusedAt("endpoint policy", "api", "signature")}, usual, "pppR----R"},
		"the identity policy":     {gateway.Record{Status: 403, Checks: refusedAt("authorization", "api", "signature", "endpoint policy")}, usual, "ppppR---R"},
		"no route":                {gateway.Record{Status: 403, Checks: refusedAt("route", "api", "signature", "authorization")}, usual, "pppopR--R"},
		"throttled":               {gateway.Record{Status: 429, Checks: refusedAt("throttle", "api", "signature", "authorization", "route")}, usual, "pppoppR-R"},
		"no key":                  {gateway.Record{Status: 403, Checks: refusedAt("api key", "api", "signature", "authorization", "route")}, usual, "pppoppR-R"},
		"the caller may not pass": {gateway.Record{Status: 500, Checks: refusedAt("caller credentials", "api", "signature", "authorization", "route")}, usual, "pppopppRR"},
		"a crash":                 {gateway.Record{Status: 502, Checks: refusedAt("function", "api", "signature", "authorization", "route")}, usual, "pppopppRR"},
		"a fault after a delay":   {gateway.Record{Status: 500, Checks: refusedAt("fault", "api", "signature", "authorization", "route", "fault")}, usual, "pppopppRR"},
		"not valid": {gateway.Record{Status: 400, Checks: refusedAt("request validation", "api", "signature", "authorization", "route", "api key")},
			"client door signature endpoint_policy policies route throttle validation function answer", "pppoppp" + "R-R"},
		"valid": {gateway.Record{Status: 200, Checks: passed("api", "signature", "authorization", "route", "request validation", "function")},
			"client door signature endpoint_policy policies route throttle validation function answer", "pppopppppp"},
		"an unsigned override":  {gateway.Record{Status: 403, Checks: refusedAt("method override", "method override", "api", "signature")}, usual, "ppR-----R"},
		"a check of later days": {gateway.Record{Status: 400, Checks: refusedAt("unheard of", "api", "signature", "authorization", "route")}, usual, "pppopppRR"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var order []string
			var states strings.Builder
			for _, step := range console.Way(&tt.record) {
				order = append(order, step.ID)
				states.WriteString(letters[step.State])
				if step.Label == "" || step.State == console.Stopped && step.ID != "answer" && step.Reason != "because" && !strings.Contains(step.Reason, "because") {
					t.Errorf("step %+v: want a label, and the reason of a refusal", step)
				}
			}
			if got := strings.Join(order, " "); got != tt.order || states.String() != tt.states {
				t.Errorf("got %s in %s, want %s in %s", states.String(), got, tt.states, tt.order)
			}
		})
	}
}

func TestWayHasEachStepOnce(t *testing.T) {
	steps := console.Way(&gateway.Record{})
	var ids []string
	for _, s := range steps {
		ids = append(ids, s.ID)
	}
	slices.Sort(ids)
	if len(ids) != 9 || len(slices.Compact(ids)) != 9 {
		t.Errorf("got %v, want nine steps", ids)
	}
}
