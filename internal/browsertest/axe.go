package browsertest

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// axeScript is axe-core's program. It lies beside the foreign clients, where scripts/foreign-clients puts it.
func axeScript(tb testing.TB) string {
	tb.Helper()
	clients := os.Getenv("MARQUEE_CLIENTS")
	text, err := os.ReadFile(filepath.Join(clients, "node_modules", "axe-core", "axe.min.js"))
	if err == nil {
		return string(text)
	}
	message := "axe-core is missing: install it with scripts/foreign-clients FOLDER and set MARQUEE_CLIENTS"
	if slices.Contains(strings.Split(os.Getenv("MARQUEE_REQUIRE"), ","), "browser") {
		tb.Fatalf("%s, which MARQUEE_REQUIRE asks for: %v", message, err)
	}
	tb.Skip(message)
	return ""
}

// violation is a rule of axe that a page breaks.
type violation struct {
	ID, Impact, Help string
	Nodes            []struct {
		HTML           string
		FailureSummary string
	}
}

// Accessible fails unless the page as it now is keeps all of axe's rules: WCAG 2.2 A and AA, and best practices.
func (p *Page) Accessible(tb testing.TB) {
	tb.Helper()
	script := axeScript(tb)
	if !Get[bool](tb, p, "typeof axe === 'object'") {
		Get[bool](tb, p, script+";true")
	}
	type result struct {
		Violations []violation
		Passes     int
	}
	got := Get[result](tb, p, "axe.run(document, {resultTypes: ['violations']}).then(r => ({violations: r.violations, passes: r.passes.length}))")
	if got.Passes == 0 {
		tb.Error("axe looked at nothing")
	}
	for _, v := range got.Violations {
		var places []string
		for _, n := range v.Nodes {
			places = append(places, fmt.Sprintf("%s\n      %s", shortened(n.HTML), strings.ReplaceAll(n.FailureSummary, "\n", "\n      ")))
		}
		tb.Errorf("axe: %s (%s): %s\n    %s", v.ID, v.Impact, v.Help, strings.Join(places, "\n    "))
	}
}
