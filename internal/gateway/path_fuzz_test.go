package gateway

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/marquee-api/marquee/internal/sigv4"
)

// parts are a path's segments without the empty ones.
func parts(path string) []string {
	return slices.DeleteFunc(strings.Split(path, "/"), func(s string) bool { return s == "" })
}

// Whatever the request target, the path that is routed, the one that policies see and the one that the function sees
// differ in doubled slashes only, what is signed covers them all, and nobody without a signature is let in.
func FuzzTarget(f *testing.F) {
	for _, seed := range []string{
		"/dev/movie_list", "/dev//movie_list/", "//dev/a//b", "/dev/../dev/x", "/dev/./x//", "/dev", "/", "", "*", "/dev?x=/..//", "/dev/a%2F..%2Fb", "/dev/{proxy+}/\x00",
		"/dev/one/1//2/", "http://host/dev/x", "/dev/one/../../etc", "/DEV/x", "/dev/one/", "/dev/one//",
	} {
		f.Add(seed)
	}
	g, err := New(Config{
		Region: "eu-west-1", AccountID: "123456789012", Identities: nobody{}, Invoker: nothing{}, Now: func() time.Time { return time.Unix(1772600767, 0) },
		APIs: []API{{ID: "a1b2c3d4e5", Stage: "dev", Routes: []Route{
			{Method: "ANY", Path: "/{proxy+}"}, {Method: "GET", Path: "/movie_list"}, {Method: "GET", Path: "/one/{id}"}, {Method: "GET", Path: "/one/{id}/{rest+}"},
		}}},
	})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, target string) {
		r := &http.Request{Method: http.MethodGet, RequestURI: target, Host: "localhost", Header: http.Header{}, RemoteAddr: "127.0.0.1:1"}
		x := &exchange{g: g, door: &Door{Name: "public"}, r: r, now: g.now(), hash: emptyHash}
		if x.limit() != nil || x.find() != nil {
			return
		}
		raw, _, _ := strings.Cut(target, "?")
		if normal := sigv4.NormalizePath(raw); x.path != normal {
			t.Fatalf("%q: routed %q, signed %q", target, x.path, normal)
		}
		if got := sigv4.NormalizePath("/dev" + x.asCame); got != x.path && got+"/" != x.path && got != x.path+"/" {
			t.Fatalf("%q: %q is shown to policies, %q is routed", target, x.asCame, x.path)
		}
		if !slices.Equal(parts(x.asCame), parts(x.target.path)) {
			t.Fatalf("%q: %q is shown to policies, %q is routed", target, x.asCame, x.target.path)
		}
		if x.asCame != x.target.path && x.plainARN == "" || !strings.HasSuffix(x.arn, "/GET"+x.asCame) {
			t.Fatalf("%q: the ARNs are %q and %q", target, x.arn, x.plainARN)
		}
		for name, value := range x.params {
			if !strings.Contains(strings.Join(parts(x.asCame), "/"), strings.Join(parts(value), "/")) {
				t.Fatalf("%q: the parameter %s is %q", target, name, value)
			}
		}
		if refusal := x.authenticate(); refusal == nil {
			t.Fatalf("%q: let in without a signature", target)
		}
	})
}

type nobody struct{}

func (nobody) Identity(string) (*Identity, bool) { return nil, false }

type nothing struct{ Invoker }
