package simulate_test

import (
	"bufio"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/marquee-api/marquee/internal/policy/simulate"
)

const (
	resource = `"action":"execute-api:Invoke","resource":"arn:aws:execute-api:ap-northeast-2:123456789012:a1b2c3d4e5/dev/GET/movie_list"`
	caller   = `"principal":"arn:aws:sts::123456789012:assumed-role/Caller/one","api_account":"123456789012",` + resource
	foreign  = `"principal":"arn:aws:sts::210987654321:assumed-role/Caller/one","api_account":"123456789012",` + resource
	unsigned = `"principal":"anonymous","api_account":"123456789012",` + resource

	allow  = `{"Version":"2012-10-17","Statement":[{"Sid":"Read","Effect":"Allow","Action":"execute-api:Invoke","Resource":"*"}]}`
	open   = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"execute-api:Invoke","Resource":"execute-api:/dev/GET/*"}]}`
	fence  = `{"Version":"2012-10-17","Statement":[{"Sid":"Account","Effect":"Allow","Principal":{"AWS":"123456789012"},"Action":"execute-api:Invoke","Resource":"*"},{"Sid":"Fence","Effect":"Deny","Principal":"*","Action":"*","Resource":"*","Condition":{"StringNotEquals":{"aws:SourceVpce":"vpce-0"}}}]}`
	closed = `{"Statement":[{"Effect":"Deny","Principal":"*","Action":"*","Resource":"*"}]}`
	other  = `{"Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}`
)

func TestOne(t *testing.T) {
	tests := []struct{ name, question, want string }{
		{"identity allows", `{` + caller + `,"identity_policies":[` + other + `,` + allow + `],"resource_policy":null,"endpoint_policy":null,"context":{}}`,
			`{"decision":"allow","by":{"policy":"identity","document":1,"statement":0,"sid":"Read"}}`},
		{"resource allows, short form", `{` + caller + `,"identity_policies":[],"resource_policy":` + open + `}`,
			`{"decision":"allow","by":{"policy":"resource","document":0,"statement":0,"sid":""}}`},
		{"short form of another API's path", `{` + strings.Replace(caller, "dev/GET", "prod/GET", 1) + `,"resource_policy":` + open + `}`,
			`{"decision":"implicit_deny","by":null}`},
		{"nobody allows", `{` + caller + `}`, `{"decision":"implicit_deny","by":null}`},
		{"cross account, one side", `{` + foreign + `,"identity_policies":[` + allow + `]}`, `{"decision":"implicit_deny","by":null}`},
		{"cross account, both sides", `{` + foreign + `,"identity_policies":[` + allow + `],"resource_policy":` + open + `}`,
			`{"decision":"allow","by":{"policy":"identity","document":0,"statement":0,"sid":"Read"}}`},
		{"right endpoint", `{` + caller + `,"identity_policies":[` + allow + `],"resource_policy":` + fence + `,"context":{"aws:SourceVpce":["vpce-0"]}}`,
			`{"decision":"allow","by":{"policy":"identity","document":0,"statement":0,"sid":"Read"}}`},
		{"wrong endpoint", `{` + caller + `,"identity_policies":[` + allow + `],"resource_policy":` + fence + `,"context":{"aws:sourcevpce":["vpce-1"]}}`,
			`{"decision":"explicit_deny","by":{"policy":"resource","document":0,"statement":1,"sid":"Fence"}}`},
		{"endpoint policy denies", `{` + caller + `,"identity_policies":[` + allow + `],"resource_policy":` + closed + `,"endpoint_policy":` + closed + `}`,
			`{"decision":"explicit_deny","by":{"policy":"endpoint","document":0,"statement":0,"sid":""}}`},
		{"endpoint policy silent", `{` + caller + `,"identity_policies":[` + allow + `],"endpoint_policy":{"Statement":{"Effect":"Allow","Principal":"*","Action":"s3:*","Resource":"*"}}}`,
			`{"decision":"implicit_deny","by":null}`},
		{"unsigned, allowed", `{` + unsigned + `,"resource_policy":` + open + `}`,
			`{"decision":"allow","by":{"policy":"resource","document":0,"statement":0,"sid":""}}`},
		{"unsigned, silent", `{` + unsigned + `,"identity_policies":[` + allow + `]}`, `{"decision":"implicit_deny","by":null}`},
		{"the root user", `{"principal":"arn:aws:iam::123456789012:root","api_account":"123456789012",` + resource + `}`, `{"decision":"allow","by":null}`},
		{"principal keys are filled in", `{` + caller + `,"identity_policies":[` + strings.Replace(allow, `"Resource":"*"`,
			`"Resource":"*","Condition":{"ArnEquals":{"aws:PrincipalArn":"arn:aws:iam::123456789012:role/Caller"},"StringEquals":{"aws:PrincipalAccount":"123456789012","aws:PrincipalType":"AssumedRole"}}`, 1) + `]}`,
			`{"decision":"allow","by":{"policy":"identity","document":0,"statement":0,"sid":"Read"}}`},
		{"what is given is not overwritten", `{` + caller + `,"context":{"AWS:PRINCIPALACCOUNT":["210987654321"]},"identity_policies":[` + strings.Replace(allow, `"Resource":"*"`,
			`"Resource":"*","Condition":{"StringEquals":{"aws:PrincipalAccount":"123456789012"}}`, 1) + `]}`,
			`{"decision":"implicit_deny","by":null}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := simulate.One([]byte(tt.question)).MarshalJSON()
			if err != nil {
				t.Fatal(err)
			}
			if string(got) != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}

func TestOneRefuses(t *testing.T) {
	without := func(field string) string {
		return `{` + strings.Replace(caller, `"`+field+`"`, `"identity_policies":null,"`+field+`"`, 1) + `}`
	}
	tests := []struct{ name, question, want string }{
		{"not JSON", `principal=anonymous`, "want a JSON object"},
		{"a list", `[]`, "want a JSON object"},
		{"cut off", `{` + caller, "not JSON"},
		{"two questions on one line", `{` + caller + `}{` + caller + `}`, "something follows"},
		{"unknown field", `{` + caller + `,"resource_polcy":null}`, "resource_polcy: unknown field"},
		{"field in another case", `{` + caller + `,"Resource_Policy":null}`, "Resource_Policy: unknown field"},
		{"field twice", `{` + caller + `,"context":{},"context":{}}`, "context: occurs twice"},
		{"no principal", `{"api_account":"123456789012",` + resource + `}`, "principal: is missing"},
		{"no account", `{"principal":"anonymous",` + resource + `}`, "api_account: is missing"},
		{"no action", `{"principal":"anonymous","api_account":"123456789012","resource":"*"}`, "action: is missing"},
		{"no resource", `{"principal":"anonymous","api_account":"123456789012","action":"a:b"}`, "resource: is missing"},
		{"principal is null", strings.Replace(without("principal"), `"arn:aws:sts::123456789012:assumed-role/Caller/one"`, `null`, 1), "principal: want a string"},
		{"principal is nobody", strings.Replace(without("principal"), `arn:aws:sts::123456789012:assumed-role/Caller/one`, `Caller`, 1), `principal "Caller": want`},
		{"account too short", strings.Replace(without("api_account"), `"123456789012"`, `"1234"`, 1), "is not an account of 12 digits"},
		{"another account's resource", strings.Replace(without("api_account"), `"123456789012"`, `"210987654321"`, 1), `is of account "123456789012", but api_account is "210987654321"`},
		{"several actions", strings.Replace(without("action"), `execute-api:Invoke`, `execute-api:*`, 1), "is not one action"},
		{"resource is no ARN", strings.Replace(without("resource"), `arn:aws:execute-api`, `execute-api`, 1), "neither \"*\" nor an ARN"},
		{"identity policies are no list", `{` + caller + `,"identity_policies":` + allow + `}`, "identity_policies: want a list"},
		{"an identity policy is null", `{` + caller + `,"identity_policies":[null]}`, "identity_policies: [0]: identity policy: is null"},
		{"unknown operator", `{` + caller + `,"identity_policies":[` + other + `,{"Statement":{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"StringIs":{"aws:SourceVpce":"x"}}}}]}`,
			"identity_policies: [1]: identity policy: Statement[0]: Condition.StringIs: unknown operator"},
		{"resource policy without principal", `{` + caller + `,"resource_policy":` + allow + `}`, "resource_policy: resource policy: Statement[0]"},
		{"endpoint policy without principal", `{` + caller + `,"endpoint_policy":` + allow + `}`, "endpoint_policy: endpoint policy: Statement[0]"},
		{"short form for another service", `{"principal":"anonymous","api_account":"123456789012","action":"s3:GetObject","resource":"arn:aws:s3:::b/k","resource_policy":` + open + `}`, "short form"},
		{"unknown context key", `{` + caller + `,"context":{"aws:SourceVPCEndpoint":["x"]}}`, "unknown global condition key"},
		{"context key twice", `{` + caller + `,"context":{"aws:SourceVpce":["x"],"aws:sourcevpce":["y"]}}`, "occurs twice"},
		{"context value is no list", `{` + caller + `,"context":{"aws:SourceVpce":"x"}}`, "context: aws:SourceVpce: want a list of strings"},
		{"context value is null", `{` + caller + `,"context":{"aws:SourceVpce":null}}`, "want a list of strings"},
		{"context value is a number", `{` + caller + `,"context":{"aws:EpochTime":[1]}}`, "aws:EpochTime: [0]: want a string"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := simulate.One([]byte(tt.question)); !strings.Contains(got.Error, tt.want) || got.Decision != "" {
				t.Errorf("got %+v, want the error %q", got, tt.want)
			}
		})
	}
}

func TestRunGoesOn(t *testing.T) {
	in := strings.Join([]string{`{` + caller + `}`, ``, `nonsense <&>`, `  {` + unsigned + `}  `, strings.Repeat("x", simulate.MaxLine+1), `{` + caller + `}`}, "\n")
	want := strings.Join([]string{
		`{"decision":"implicit_deny","by":null}`,
		`{"error":"line 3: want a JSON object"}`,
		`{"decision":"implicit_deny","by":null}`,
		`{"error":"line 5: line is longer than 4194304 bytes"}`,
		`{"decision":"implicit_deny","by":null}`,
	}, "\n") + "\n"
	for name, r := range map[string]io.Reader{
		"at once": strings.NewReader(in), "in pieces": iotest.HalfReader(strings.NewReader(in)), "with a last line end": strings.NewReader(in + "\r\n"),
	} {
		t.Run(name, func(t *testing.T) {
			var out strings.Builder
			failed, err := simulate.Run(r, &out)
			if err != nil {
				t.Fatal(err)
			}
			if failed != 2 {
				t.Errorf("failed: got %d, want 2", failed)
			}
			if out.String() != want {
				t.Errorf("got\n%s\nwant\n%s", out.String(), want)
			}
		})
	}
}

func TestLongestLine(t *testing.T) {
	line := `{` + caller + `}`
	line += strings.Repeat(" ", simulate.MaxLine-len(line))
	var out strings.Builder
	if failed, err := simulate.Run(strings.NewReader(line+"\n"), &out); failed != 0 || err != nil {
		t.Errorf("got %d failed, %v: %s", failed, err, out.String())
	}
}

// TestRunAnswersAtOnce: a program that asks one question and waits for its answer is not kept waiting for the end.
func TestRunAnswersAtOnce(t *testing.T) {
	questions, ask := io.Pipe()
	hear, answers := io.Pipe()
	done := make(chan error, 1)
	go func() {
		_, err := simulate.Run(questions, answers)
		answers.Close()
		done <- err
	}()
	lines := bufio.NewScanner(hear)
	for range 2 {
		if _, err := io.WriteString(ask, `{`+caller+`}`+"\n"); err != nil {
			t.Fatal(err)
		}
		if !lines.Scan() || lines.Text() != `{"decision":"implicit_deny","by":null}` {
			t.Fatalf("got %q, %v", lines.Text(), lines.Err())
		}
	}
	ask.Close()
	if lines.Scan() {
		t.Errorf("got a further line %q", lines.Text())
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestRunReportsBrokenPipes(t *testing.T) {
	broken := errors.New("broken")
	if _, err := simulate.Run(iotest.ErrReader(broken), io.Discard); !errors.Is(err, broken) {
		t.Errorf("reading: got %v, want it to wrap %v", err, broken)
	}
	r, w := io.Pipe()
	r.CloseWithError(broken)
	if _, err := simulate.Run(strings.NewReader(`{`+caller+`}`), w); !errors.Is(err, broken) {
		t.Errorf("writing: got %v, want it to wrap %v", err, broken)
	}
}

// FuzzOne: every line gets exactly one of decision and error, whatever it is.
func FuzzOne(f *testing.F) {
	f.Add([]byte(`{` + caller + `,"identity_policies":[` + allow + `],"resource_policy":` + fence + `,"context":{"aws:SourceVpce":["vpce-0"]}}`))
	f.Add([]byte(`{` + unsigned + `,"resource_policy":` + open + `,"endpoint_policy":` + closed + `}`))
	f.Add([]byte(`{"a":`))
	f.Fuzz(func(t *testing.T, line []byte) {
		a := simulate.One(line)
		if (a.Error == "") == (a.Decision == "") {
			t.Errorf("got %+v", a)
		}
		if a.Decision == "implicit_deny" && a.By != nil || a.Decision == "explicit_deny" && a.By == nil {
			t.Errorf("got %+v by %+v", a, a.By)
		}
		if _, err := a.MarshalJSON(); err != nil {
			t.Error(err)
		}
	})
}
