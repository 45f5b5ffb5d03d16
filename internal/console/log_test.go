package console_test

import (
	"fmt"
	"strings"
	"testing"
)

// older is a line as logs had it before records had details.
const older = `{"time":"2026-03-04T05:06:07Z","request_id":"a","door":"vpce","method":"GET","host":"127.0.0.1:8080","path":"/dev/movie_list","api":"a1b2c3d4e5","route":"GET /movie_list","identity":"arn:aws:sts::123456789012:assumed-role/marquee-reader/reader","access_key_id":"ASIAEXAMPLE","checks":[{"name":"api","ok":true,"detail":"a1b2c3d4e5/dev"},{"name":"signature","ok":true},{"name":"authorization","ok":true},{"name":"route","ok":true},{"name":"function","ok":true}],"status":200,"function":"list","function_duration_ns":1000000,"duration_ns":1200000}`

func TestRead(t *testing.T) {
	tests := map[string]struct {
		log   string
		count int
		err   string // empty: none
	}{
		"nothing":               {"", 0, ""},
		"lines and blank ones":  {older + "\n\n" + older + "\n", 2, ""},
		"no end of the last":    {older + "\n" + older, 2, ""},
		"cut off":               {older + "\n" + older[:200], 1, ""},
		"fields of later days":  {strings.Replace(older, `"status"`, `"later":{"a":1},"status"`, 1) + "\n", 1, ""},
		"no JSON in the middle": {older + "\nGET /dev 200\n" + older + "\n", 1, "line 2 is no record of a request"},
		"another log":           {`{"level":"info","msg":"started"}` + "\n", 0, "line 1 is no record of a request"},
		"a line without end":    {strings.Repeat("x", 5<<20), 0, "line 1: longer than"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			c := newConsole(nil)
			read, err := c.Read(strings.NewReader(tt.log))
			count := read.Requests
			if count != tt.count || (err == nil) != (tt.err == "") || err != nil && !strings.Contains(err.Error(), tt.err) {
				t.Errorf("got %d and %v, want %d and %q", count, err, tt.count, tt.err)
			}
			got := decode[listed](t, ask(t, c, "GET", "http://localhost/api/requests", "")).Requests
			if len(got) != tt.count || tt.count > 0 && (got[0].Identity != "reader" || got[0].Verdict != "let in") {
				t.Errorf("got %+v", got)
			}
		})
	}
}

func FuzzRead(f *testing.F) {
	f.Add(older + "\n")
	f.Add("{}\n\n[]")
	f.Fuzz(func(t *testing.T, log string) {
		c := newConsole(nil)
		read, _ := c.Read(strings.NewReader(log))
		count := read.Requests
		got := decode[listed](t, ask(t, c, "GET", "http://localhost/api/requests?limit=5000", "")).Requests
		if len(got) != min(count, 5000) {
			t.Errorf("said %d records, shows %d", count, len(got))
		}
		if len(got) > 0 { // whatever a record holds, it can be shown
			if w := ask(t, c, "GET", fmt.Sprintf("http://localhost/api/requests/%d", got[0].Number), ""); w.Code != 200 {
				t.Errorf("request %d: got %d %s", got[0].Number, w.Code, w.Body)
			}
		}
	})
}
