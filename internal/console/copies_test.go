package console_test

import (
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/marquee-api/marquee/internal/console"
	"github.com/marquee-api/marquee/internal/gateway"
)

func copiesOf(t *testing.T, r gateway.Record) console.Copies {
	t.Helper()
	c := newConsole(func(cfg *console.Config) {
		cfg.Run = console.Run{
			Region: "ap-northeast-2", Doors: []console.Door{{Name: "vpce", URL: "http://127.0.0.1:8080"}},
			Callers:  []console.Caller{{Name: "caller", ARN: "arn:aws:sts::123456789012:assumed-role/r/function"}},
			Commands: &console.Commands{Program: "bin/marquee", Credentials: ".marquee/credentials", Curl: ".marquee/curl"},
		}
	})
	r.Door, r.Host, r.Time = "vpce", "127.0.0.1:8080", start
	c.Add(r)
	return decode[struct{ Copies console.Copies }](t, ask(t, c, "GET", "http://localhost/api/requests/1", "")).Copies
}

func TestCopies(t *testing.T) {
	tests := map[string]struct {
		record     gateway.Record
		call, curl string
		inGo       []string
	}{
		"a plain one": {
			gateway.Record{Name: "reader", Method: "GET", Path: "/dev/movie_list", Detail: &gateway.Detail{Target: "/dev/movie_list?year=1999&limit=2"}},
			`bin/marquee call --url http://127.0.0.1:8080/dev --profile reader GET '/movie_list?year=1999&limit=2'`,
			`curl --aws-sigv4 aws:amz:ap-northeast-2:execute-api --config .marquee/curl/reader 'http://127.0.0.1:8080/dev/movie_list?year=1999&limit=2'`,
			[]string{`config.WithSharedConfigProfile("reader")`, `Path:   "/movie_list?year=1999&limit=2"`},
		},
		"with a body": {
			gateway.Record{Name: "writer", Method: "PUT", Path: "/dev/a", Detail: &gateway.Detail{
				Target: "/dev/a", RequestBody: &gateway.Body{Text: `{"it's":1}`, Bytes: 10},
				RequestHeader: http.Header{"Content-Type": {"application/json"}, "Authorization": {"AWS4-… Signature=[redacted]"}, "X-Amz-Security-Token": {"[redacted]"}}}},
			`bin/marquee call --url http://127.0.0.1:8080/dev --profile writer -H 'Content-Type: application/json' -d '{"it'\''s":1}' PUT /a`,
			`curl --aws-sigv4 aws:amz:ap-northeast-2:execute-api --config .marquee/curl/writer -X PUT -H 'Content-Type: application/json' --data-raw '{"it'\''s":1}' http://127.0.0.1:8080/dev/a`,
			[]string{`"Content-Type": {"application/json"},`, `Body: []byte("{\"it's\":1}"),`},
		},
		"a body that looks like the name of a file": { // which must not be sent in its place
			gateway.Record{Name: "writer", Method: "PUT", Path: "/dev/a", Detail: &gateway.Detail{Target: "/dev/a", RequestBody: &gateway.Body{Text: "@/etc/hostname", Bytes: 14}}},
			`printf %s @/etc/hostname | bin/marquee call --url http://127.0.0.1:8080/dev --profile writer -d @- PUT /a`,
			`curl --aws-sigv4 aws:amz:ap-northeast-2:execute-api --config .marquee/curl/writer -X PUT --data-raw @/etc/hostname http://127.0.0.1:8080/dev/a`,
			[]string{`[]byte("@/etc/hostname"),`},
		},
		"a method that a shell would run": { // it is a method to HTTP (RFC 9110 section 5.6.2)
			gateway.Record{Claimed: "reader", Method: "GET|id", Path: "/dev/a", Detail: &gateway.Detail{Target: "/dev/a"}},
			`bin/marquee call --url http://127.0.0.1:8080/dev --profile reader 'GET|id' /a`,
			`curl --aws-sigv4 aws:amz:ap-northeast-2:execute-api --config .marquee/curl/reader -X 'GET|id' http://127.0.0.1:8080/dev/a`, nil,
		},
		"a path that looks like several": { // one request was made, not nine
			gateway.Record{Method: "GET", Path: "/dev/a", Detail: &gateway.Detail{Target: "/dev/a?x=[1-9]"}},
			``, `curl --globoff 'http://127.0.0.1:8080/dev/a?x=[1-9]'`, nil,
		},
		"unsigned": {
			gateway.Record{Method: "GET", Path: "/dev/a", Detail: &gateway.Detail{Target: "/dev/a"}},
			``, `curl http://127.0.0.1:8080/dev/a`, nil,
		},
		"presigned": {
			gateway.Record{Name: "reader", Method: "GET", Path: "/dev/a", Detail: &gateway.Detail{Target: "/dev/a?X-Amz-Algorithm=AWS4-HMAC-SHA256&year=1&X-Amz-Signature=[redacted]"}},
			`bin/marquee call --url http://127.0.0.1:8080/dev --profile reader GET '/a?year=1'`,
			`curl --aws-sigv4 aws:amz:ap-northeast-2:execute-api --config .marquee/curl/reader 'http://127.0.0.1:8080/dev/a?year=1'`, nil,
		},
		"a function's session, whose role has a profile": {
			gateway.Record{Name: "function", Identity: "arn:aws:sts::123456789012:assumed-role/r/function", Method: "HEAD", Path: "/dev/a", Detail: &gateway.Detail{Target: "/dev/a"}},
			`bin/marquee call --url http://127.0.0.1:8080/dev --profile caller HEAD /a`,
			`curl --aws-sigv4 aws:amz:ap-northeast-2:execute-api --config .marquee/curl/caller --head http://127.0.0.1:8080/dev/a`, nil,
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got := copiesOf(t, tt.record)
			if got.Call != tt.call {
				t.Errorf("call: got\n%s\nwant\n%s", got.Call, tt.call)
			}
			if got.Curl != tt.curl {
				t.Errorf("curl: got\n%s\nwant\n%s", got.Curl, tt.curl)
			}
			for _, want := range tt.inGo {
				if !strings.Contains(got.Go, want) {
					t.Errorf("the program lacks %s:\n%s", want, got.Go)
				}
			}
		})
	}
}

// The program that is copied is formatted, and compiles as it stands.
func TestCopiedProgramCompiles(t *testing.T) {
	got := copiesOf(t, gateway.Record{Name: "writer", Method: "PUT", Path: "/dev/a", Detail: &gateway.Detail{
		Target: "/dev/a?b=c", RequestBody: &gateway.Body{Text: "line\n\"quoted\" \\ `tick`", Bytes: 22},
		RequestHeader: http.Header{"If-Match": {"*"}, "x-more": {"a", "b"}},
	}})
	file := filepath.Join(t.TempDir(), "main.go")
	if err := os.WriteFile(file, []byte(got.Go), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.CommandContext(t.Context(), "go", "vet", file).CombinedOutput(); err != nil {
		t.Errorf("%v: %s\n%s", err, out, got.Go)
	}
	if out, err := exec.CommandContext(t.Context(), "gofmt", "-l", file).CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("not formatted: %v %s\n%s", err, out, got.Go)
	}
}

// A log does not say the region, but for the ARN that the policies were asked about.
func TestCopiesOfARecordedRun(t *testing.T) {
	c := newConsole(func(cfg *console.Config) { cfg.Run.Recorded = "requests.jsonl" })
	c.Add(gateway.Record{Time: start, Name: "reader", Method: "GET", Host: "127.0.0.1:9080", Path: "/dev/a",
		Detail: &gateway.Detail{Target: "/dev/a", Resource: "arn:aws:execute-api:eu-central-1:123456789012:a1b2c3d4e5/dev/GET/a"}})
	got := decode[struct{ Copies console.Copies }](t, ask(t, c, "GET", "http://localhost/api/requests/1", "")).Copies
	if want := "curl --aws-sigv4 aws:amz:eu-central-1:execute-api --config .marquee/curl/reader http://127.0.0.1:9080/dev/a"; got.Curl != want {
		t.Errorf("got %s, want %s", got.Curl, want)
	}
}

func TestCopiesSayWhatTheyLack(t *testing.T) {
	if got := copiesOf(t, gateway.Record{Name: "reader", Method: "GET", Path: "/dev/a"}); got.Note == "" || got.Call == "" {
		t.Errorf("without details: got %+v", got)
	}
	cut := &gateway.Detail{Target: "/dev/a", RequestBody: &gateway.Body{Text: "beginning", Bytes: 100000, Truncated: true}}
	if got := copiesOf(t, gateway.Record{Name: "reader", Method: "PUT", Path: "/dev/a", Detail: cut}); got.Note == "" || strings.Contains(got.Curl, "beginning") {
		t.Errorf("with a part of the body: got %+v", got)
	}
}
