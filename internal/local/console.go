package local

import (
	"context"
	"crypto/rand"
	"os"
	"path/filepath"

	"github.com/marquee-api/marquee/internal/console"
	"github.com/marquee-api/marquee/internal/deployment"
	"github.com/marquee-api/marquee/internal/reach"
)

// doorLabels are the doors as people call them.
var doorLabels = map[string]string{"vpce": "the VPC endpoint", "other_vpce": "another VPC's endpoint", "public": "the public internet"}

// newConsole makes the page of the run.
func (s *Stack) newConsole(ways deployment.Doors) *console.Console {
	run := console.Run{
		Region: s.template.Region, AccountID: s.template.AccountID, Faults: faultChoices,
		Commands: &console.Commands{Program: s.options.Command, Credentials: s.files.credentials, Curl: s.files.curl},
		Doors: []console.Door{
			{Name: ways.VPCE.Name, URL: s.doors[doorVPCE].url(), VPCEndpointID: ways.VPCE.VPCEndpointID},
			{Name: ways.OtherVPCE.Name, URL: s.doors[doorOtherVPCE].url(), VPCEndpointID: ways.OtherVPCE.VPCEndpointID},
			{Name: ways.Public.Name, URL: s.doors[doorPublic].url()},
		},
	}
	for i := range run.Doors {
		run.Doors[i].Label = doorLabels[run.Doors[i].Name]
	}
	if s.files.state != DefaultState {
		run.Commands.State = s.files.state
	}
	for _, api := range s.template.APIs {
		shown := console.API{ID: api.ID, Stage: api.Stage, Private: api.EndpointType == "PRIVATE", Routes: []console.Route{}}
		for _, r := range api.Routes {
			shown.Routes = append(shown.Routes, console.Route{Method: r.Method, Path: r.Path, NoAuth: r.Authorization == "NONE"})
		}
		run.APIs = append(run.APIs, shown)
	}
	for _, p := range s.ids.Profiles() {
		run.Callers = append(run.Callers, console.Caller{Name: p.Profile, ARN: p.ARN})
	}
	for _, key := range s.keys {
		run.APIKeys = append(run.APIKeys, key.Name)
	}
	cfg := console.Config{
		Run: run, Trier: newTrier(s, run.Doors), Matrix: matrix{s}, Random: rand.Text, Now: s.options.Now, Documents: map[string][]byte{},
	}
	if text, err := os.ReadFile(filepath.Join(filepath.Dir(s.options.Template), openAPI)); err == nil {
		cfg.Documents["/"+openAPI] = text
	}
	return console.New(cfg)
}

// matrix says who may call what in the stack.
type matrix struct{ stack *Stack }

func (m matrix) Matrix(context.Context) (any, error) {
	return reach.Compute(m.stack.template, m.stack.ids, m.stack.options.Now())
}
