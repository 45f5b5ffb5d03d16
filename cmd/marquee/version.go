package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// What the linker sets in a release (-ldflags "-X main.version=v1.2.3"), so that its bytes depend on nothing else of the
// repository. A build from a checkout or by `go install` knows all this from its build information instead.
var (
	version      string
	revision     string
	revisionTime string
)

// buildFacts say which program this is.
type buildFacts struct {
	Version  string `json:"version"`            // "v0.1.0"; "unknown" if nobody said
	Revision string `json:"revision,omitempty"` // of the commit
	Time     string `json:"time,omitempty"`     // of the commit, RFC 3339
	Modified bool   `json:"modified,omitempty"` // the checkout had changes
	Go       string `json:"go"`
	Platform string `json:"platform"`
}

// factsOf completes what the linker set by what the build left in the program.
func factsOf(info *debug.BuildInfo, linked buildFacts) buildFacts {
	facts := linked
	facts.Go, facts.Platform = runtime.Version(), runtime.GOOS+"/"+runtime.GOARCH
	if info != nil {
		if facts.Version == "" && info.Main.Version != "(devel)" {
			facts.Version = info.Main.Version
		}
		for _, s := range info.Settings {
			switch s.Key {
			case "vcs.revision":
				facts.Revision = cmp.Or(facts.Revision, s.Value)
			case "vcs.time":
				facts.Time = cmp.Or(facts.Time, s.Value)
			case "vcs.modified":
				facts.Modified = s.Value == "true"
			}
		}
	}
	facts.Version = cmp.Or(facts.Version, "unknown")
	return facts
}

// String is one line: "v0.1.0 (0123456789ab of 2026-11-23T04:00:00Z, modified) go1.26.8 linux/amd64".
func (f buildFacts) String() string {
	where := ""
	if f.Revision != "" {
		where = " (" + f.Revision[:min(len(f.Revision), 12)]
		if f.Time != "" {
			where += " of " + f.Time
		}
		if f.Modified {
			where += ", modified"
		}
		where += ")"
	}
	return f.Version + where + " " + f.Go + " " + f.Platform
}

func newVersionCommand(env environment, facts buildFacts) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "version",
		Short: "Say which version this is",
		Long:  "Say which version this is: of the module, of the commit it was built from, of Go, and for which platform.",
		Example: `  marquee version
  marquee version --json`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			if asJSON {
				return json.NewEncoder(env.Stdout).Encode(facts)
			}
			_, err := fmt.Fprintln(env.Stdout, "marquee", facts)
			return err
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return cmd
}

// thisBuild is what the running program was built from.
func thisBuild() buildFacts {
	info, _ := debug.ReadBuildInfo() // nil in a program built without modules
	return factsOf(info, buildFacts{Version: version, Revision: revision, Time: revisionTime})
}
