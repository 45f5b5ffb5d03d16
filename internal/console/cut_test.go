package console_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/marquee-api/marquee/internal/console"
	"github.com/marquee-api/marquee/internal/gateway"
)

// bloated is a record with a field of some half a megabyte, by the field's name.
func bloated(t *testing.T) map[string]gateway.Record {
	t.Helper()
	long := strings.Repeat("x", 600<<10)
	fill := func(v reflect.Value) bool {
		switch v.Interface().(type) {
		case string:
			v.SetString(long)
		case json.RawMessage:
			v.SetBytes([]byte(`"` + long + `"`))
		case *gateway.Body:
			v.Set(reflect.ValueOf(&gateway.Body{Text: long}))
		case *gateway.Mismatch:
			v.Set(reflect.ValueOf(&gateway.Mismatch{Client: long, Differences: make([]gateway.Difference, 20_000)}))
		case []gateway.Check:
			v.Set(reflect.ValueOf(append([]gateway.Check{{Name: long, Detail: long}}, make([]gateway.Check, 20_000)...)))
		case []gateway.PolicyOpinion:
			v.Set(reflect.ValueOf([]gateway.PolicyOpinion{{Sid: long, Document: []byte(`"` + long + `"`)}}))
		case http.Header:
			v.Set(reflect.ValueOf(http.Header{long: {"1"}, "X-Long": {long}, "X-Many": make([]string, 100_000)}))
		case map[string][]string:
			v.Set(reflect.ValueOf(map[string][]string{long: {"1"}, "x": {long}}))
		case map[string]string:
			many := map[string]string{"x": long, long: "1"}
			for i := range 20_000 {
				many[fmt.Sprint("parameter-number-", i)] = "a value of some bytes"
			}
			v.Set(reflect.ValueOf(many))
		default:
			return false
		}
		return true
	}
	all := map[string]gateway.Record{}
	for _, part := range []reflect.Type{reflect.TypeFor[gateway.Record](), reflect.TypeFor[gateway.Detail]()} {
		for i := range part.NumField() {
			field := part.Field(i)
			r := gateway.Record{Time: time.Unix(1, 0), Status: 200, Detail: &gateway.Detail{}}
			at := reflect.ValueOf(&r).Elem()
			if part != at.Type() {
				at = reflect.ValueOf(r.Detail).Elem()
			}
			if field.Tag.Get("json") != "-" && fill(at.Field(i)) {
				all[part.Name()+"."+field.Name] = r
			}
		}
	}
	if len(all) < 25 || all["Record.Door"].Status == 0 || all["Detail.Context"].Status == 0 {
		t.Fatalf("got %d fields", len(all))
	}
	return all
}

// Whatever a log holds, little of it is kept, and it is said that something was left out.
func TestReadKeepsLittle(t *testing.T) {
	for name, r := range bloated(t) {
		t.Run(name, func(t *testing.T) {
			line, err := json.Marshal(r)
			if err != nil {
				t.Fatal(err)
			}
			line = append(line, '\n')
			const lines = 6
			c := newConsole(nil)
			var before, after runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&before)
			got, err := c.Read(io.MultiReader(readers(line, lines)...))
			runtime.GC()
			runtime.ReadMemStats(&after)
			if want := (console.Reading{Requests: lines, Cut: lines}); err != nil || got != want {
				t.Fatalf("got %+v, %v; want %+v", got, err, want)
			}
			// Whole, they are three and a half megabytes and more.
			if kept := int64(after.HeapAlloc) - int64(before.HeapAlloc); kept > 3<<19 {
				t.Errorf("%d lines of %d bytes: %d bytes are kept", lines, len(line), kept)
			}
			if w := ask(t, c, "GET", "http://localhost/api/requests/1", ""); w.Code != 200 {
				t.Errorf("got %d %s", w.Code, w.Body)
			}
			runtime.KeepAlive(c)
		})
	}
}

func readers(text []byte, n int) []io.Reader {
	all := make([]io.Reader, n)
	for i := range all {
		all[i] = strings.NewReader(string(text))
	}
	return all
}

// A record as large as the gateway writes it is read whole.
func TestReadLeavesOutNothingOfUsualRecords(t *testing.T) {
	header := http.Header{}
	for i := range 100 {
		header[fmt.Sprint("X-Header-", i)] = []string{strings.Repeat("v", 80)}
	}
	want := gateway.Record{
		Time: time.Unix(1, 0).UTC(), Status: 403, Path: "/" + strings.Repeat("p", 8000), Message: strings.Repeat("m", 20_000), CanonicalRequest: strings.Repeat("c", 20_000),
		Checks: []gateway.Check{{Name: "api", OK: true}, {Name: "signature", Detail: strings.Repeat("w", 600)}},
		Detail: &gateway.Detail{
			Target: "/" + strings.Repeat("t", 8000), RequestHeader: header, ResponseHeader: header, PathParameters: map[string]string{"proxy": strings.Repeat("p", 1000)},
			RequestBody: &gateway.Body{Text: strings.Repeat("b", console.DetailBytes), Bytes: 1 << 20, Truncated: true}, ResponseBody: &gateway.Body{Text: strings.Repeat("b", console.DetailBytes)},
			Event: json.RawMessage(`"` + strings.Repeat("e", 4*console.DetailBytes-2) + `"`), Context: map[string][]string{"aws:SourceVpce": {"vpce-0"}},
			Policies: []gateway.PolicyOpinion{{Kind: "resource-based policy", Document: json.RawMessage(`"` + strings.Repeat("d", 8192) + `"`)}},
			Mismatch: &gateway.Mismatch{Client: strings.Repeat("c", 20_000), Differences: []gateway.Difference{{Part: "query", Server: strings.Repeat("q", 1000)}}},
		},
	}
	line, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	c := newConsole(nil)
	if got, err := c.Read(strings.NewReader(string(line) + "\n")); err != nil || got != (console.Reading{Requests: 1}) {
		t.Fatalf("got %+v, %v", got, err)
	}
	var got struct{ Record gateway.Record }
	if err := json.Unmarshal(ask(t, c, "GET", "http://localhost/api/requests/1", "").Body.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got.Record, cmp.FilterPath(func(p cmp.Path) bool { return p.Last().String() == ".Evidence" }, cmp.Ignore())); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
