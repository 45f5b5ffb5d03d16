package local

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/marquee-api/marquee/internal/stack"
)

// What the state file says of an API leads to it, also where another one has the same stage.
func TestEveryAPICanBeNamed(t *testing.T) {
	s := startEcho(t, "testdata/echo/three.yaml")
	state, err := ReadState(s.options.State)
	if err != nil {
		t.Fatal(err)
	}
	if len(state.APIs) != 3 {
		t.Fatalf("got APIs %v, want three", state.APIs)
	}
	ids := map[string]bool{}
	for name, want := range map[string]struct{ kind, url string }{
		"Orders": {"PRIVATE", state.Endpoints.VPCE.URL + "/live"},
		"Stock":  {"PRIVATE", state.Endpoints.VPCE.URL + "/live"},
		"Shop":   {"REGIONAL", state.Endpoints.Public.URL + "/live"},
	} {
		api := state.APIs[name]
		if ids[api.ID] = true; api.EndpointType != want.kind || api.InvokeURL != want.url || api.Stage != "live" {
			t.Errorf("%s: got %+v, want %+v and the stage live", name, api, want)
		}
		status, body, err := s.signedGet(t.Context(), "reader", api.InvokeURL+"/a", api.Host)
		if err != nil || status != 200 || !strings.Contains(body, `"apiId":"`+api.ID+`"`) {
			t.Errorf("%s: got %d %s %v, want an answer through API %s", name, status, body, err, api.ID)
		}
	}
	if first := state.APIs["Orders"]; len(ids) != 3 || state.APIID != first.ID || state.InvokeURL != first.InvokeURL || state.Stage != first.Stage {
		t.Errorf("got api_id %s, invoke_url %s, want those of the template's first API %+v, and three ids: %v", state.APIID, state.InvokeURL, first, ids)
	}
}

func TestWhatIsOpen(t *testing.T) {
	const through = "  through vpce-1\n"
	tests := map[string]struct {
		apis []*stack.API
		want string
	}{
		"a private API": {
			[]*stack.API{{LogicalID: "A", ID: "a1", Stage: "v1", EndpointType: "PRIVATE"}},
			"The private API is open.\n" +
				"  Invoke URL       http://127.0.0.1:1/v1  A a1, private, through vpce-1\n" +
				"  Another VPC      http://127.0.0.1:2  through vpce-2\n" +
				"  Public internet  http://127.0.0.1:3\n",
		},
		"a public API": {
			[]*stack.API{{LogicalID: "A", ID: "a1", Stage: "v1", EndpointType: "EDGE"}},
			"The public API is open.\n" +
				"  Invoke URL       http://127.0.0.1:3/v1  A a1, public (EDGE)\n" +
				"  VPC endpoint     http://127.0.0.1:1" + through +
				"  Another VPC      http://127.0.0.1:2  through vpce-2\n",
		},
		"both, and two with one stage": {
			[]*stack.API{
				{LogicalID: "A", ID: "a1", Stage: "v1", EndpointType: "REGIONAL"},
				{LogicalID: "B", ID: "b2", Stage: "v1", EndpointType: "PRIVATE"},
				{LogicalID: "C", ID: "c3", Stage: "v1", EndpointType: "PRIVATE"},
				{LogicalID: "D", ID: "d4", Stage: "v2", EndpointType: "PRIVATE"},
			},
			"4 APIs are open, 3 private and 1 public.\n" +
				"  Invoke URL       http://127.0.0.1:3/v1  A a1, public (REGIONAL)\n" +
				"  Invoke URL       http://127.0.0.1:1/v1  B b2, private, through vpce-1\n" +
				"  Invoke URL       http://127.0.0.1:1/v1  C c3, private, through vpce-1, with Host c3.execute-api.eu-central-1.amazonaws.com; without it this is B\n" +
				"  Invoke URL       http://127.0.0.1:1/v2  D d4, private, through vpce-1\n" +
				"  Another VPC      http://127.0.0.1:2  through vpce-2\n",
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			s := &Stack{template: &stack.Stack{Region: "eu-central-1", APIs: tt.apis}, doors: [doorCount]*opening{{port: 1}, {port: 2}, {port: 3}}}
			s.state = State{APIs: s.apis(), Endpoints: Endpoints{
				VPCE: Endpoint{"vpce-1", s.doors[0].url()}, OtherVPCE: Endpoint{"vpce-2", s.doors[1].url()}, Public: Endpoint{URL: s.doors[2].url()},
			}}
			var out bytes.Buffer
			s.printNext(&out)
			got, _, _ := strings.Cut(out.String(), "\nTry, ")
			if diff := cmp.Diff("\n"+tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
	for want, n := range map[string][2]int{"2 private APIs are open.": {2, 0}, "3 public APIs are open.": {0, 3}} {
		if got := headline(n[0], n[1]); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
