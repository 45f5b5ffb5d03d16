package main

import (
	"runtime"
	"runtime/debug"
	"testing"
)

func TestVersionSaysWhatTheBuildLeft(t *testing.T) {
	machine := " " + runtime.Version() + " " + runtime.GOOS + "/" + runtime.GOARCH
	vcs := []debug.BuildSetting{
		{Key: "vcs.revision", Value: "0123456789abcdef0123456789abcdef01234567"}, {Key: "vcs.time", Value: "2026-11-23T04:00:00Z"}, {Key: "vcs.modified", Value: "true"},
	}
	tests := map[string]struct {
		info   *debug.BuildInfo
		linked buildFacts
		want   string
	}{
		"nothing known":               {nil, buildFacts{}, "unknown"},
		"a module by go install":      {&debug.BuildInfo{Main: debug.Module{Version: "v0.1.0"}}, buildFacts{}, "v0.1.0"},
		"a checkout without versions": {&debug.BuildInfo{Main: debug.Module{Version: "(devel)"}, Settings: vcs[:1]}, buildFacts{}, "unknown (0123456789ab)"},
		"a release: the linker's word": {&debug.BuildInfo{Main: debug.Module{Version: "v0.0.0-2026"}, Settings: vcs}, buildFacts{Version: "v0.2.0"},
			"v0.2.0 (0123456789ab of 2026-11-23T04:00:00Z, modified)"},
		"all by the linker": {nil, buildFacts{Version: "v0.2.0", Revision: "ba9876543210ffff", Time: "2026-12-01T00:00:00Z"},
			"v0.2.0 (ba9876543210 of 2026-12-01T00:00:00Z)"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if got := factsOf(tt.info, tt.linked).String(); got != tt.want+machine {
				t.Errorf("got %q, want %q", got, tt.want+machine)
			}
		})
	}
}
