package gateway_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/google/go-cmp/cmp"

	"github.com/marquee-api/marquee/internal/gateway"
	"github.com/marquee-api/marquee/internal/policy"
	"github.com/marquee-api/marquee/internal/secrets"
)

// withDetail makes records keep this much of each body.
func withDetail(n int) options {
	return func(cfg *gateway.Config, _ *gateway.Door) { cfg.DetailBytes = n }
}

func TestNoDetailUnlessAskedFor(t *testing.T) {
	f := newFixture(t)
	f.do(t, call{})
	if r := f.next(t); r.Detail != nil {
		t.Errorf("got %+v, want no detail", r.Detail)
	}
}

func TestDetailOfARequestThatIsLetIn(t *testing.T) {
	f := newFixture(t, withDetail(1000))
	f.function.answer = gateway.Answer{Payload: []byte(`{"statusCode":201,"headers":{"X-Made":"yes"},"body":"{\"a\":1}"}`)}
	f.do(t, call{path: "/dev/movie_list/1999/x?a=1&b=2"})
	r := f.next(t)
	d := r.Detail
	if r.Name != "reader" || r.Claimed != "" || d == nil {
		t.Fatalf("got name %q, claimed %q, detail %v: want reader, nothing, and one", r.Name, r.Claimed, d)
	}
	if d.Target != "/dev/movie_list/1999/x?a=1&b=2" || !strings.HasPrefix(d.CanonicalRequest, "GET\n/dev/movie_list/1999/x\na=1&b=2\n") {
		t.Errorf("got target %q and canonical request %q", d.Target, d.CanonicalRequest)
	}
	if got := d.RequestHeader.Get("X-Amz-Security-Token"); got != "[redacted]" {
		t.Errorf("got the token %q in the headers", got)
	}
	if got := d.PathParameters["year"]; got != "1999" {
		t.Errorf("got year %q, want 1999", got)
	}
	want := &gateway.Body{Text: `{"a":1}`, Bytes: 7}
	if diff := cmp.Diff(want, d.ResponseBody); diff != "" || d.ResponseHeader.Get("X-Made") != "yes" || len(d.ResponseHeader) < 3 {
		t.Errorf("response header %v, body (-want +got):\n%s", d.ResponseHeader, diff)
	}
	var event struct{ HTTPMethod, Path string }
	if err := json.Unmarshal(d.Event, &event); err != nil || event.HTTPMethod != "GET" || event.Path != "/movie_list/1999/x" || d.EventBytes == 0 {
		t.Errorf("got event %s of %d bytes: %v", d.Event, d.EventBytes, err)
	}
	if got := d.Context["aws:SourceVpce"]; !cmp.Equal(got, []string{endpoint}) {
		t.Errorf("got aws:SourceVpce %v, want %s", got, endpoint)
	}
}

func TestDetailNamesTheStatementThatDecided(t *testing.T) {
	f := newFixture(t, withDetail(1000), func(_ *gateway.Config, d *gateway.Door) {
		d.Policy = parse(t, `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}}`, policy.KindEndpoint)
	}, withDelete)
	f.people["ASIADOUBLED"] = identity(t, "arn:aws:sts::123456789012:assumed-role/Doubled/doubled", allow(apiARN+"*/GET//*"))
	type opinion struct {
		Kind, Decision string
		Number         int
		Statement      int
		Sid            string
		Decided        bool
	}
	tests := map[string]struct {
		call call
		want []opinion
	}{
		"by the identity policy": {call{}, []opinion{
			{"VPC endpoint policy", "allow", 0, 0, "", true},
			{"resource-based policy", "allow", 0, 1, "", false},
			{"identity-based policy", "allow", 1, 0, "", true}}},
		"nobody allows": {call{key: "ASIASTRANGER"}, []opinion{
			{"VPC endpoint policy", "allow", 0, 0, "", true},
			{"resource-based policy", "allow", 0, 1, "", false}}},
		"signed, to an open method": {call{path: "/dev/open"}, []opinion{ // which is asked for as by anybody
			{"VPC endpoint policy", "allow", 0, 0, "", true},
			{"resource-based policy", "implicit_deny", 0, -1, "", false}}},
		"doubled slashes, and no right to the path that is routed": {call{key: "ASIADOUBLED", tamper: func(r *http.Request) { r.URL.Path = "/dev//movie_list" }}, []opinion{
			{"VPC endpoint policy", "allow", 0, 0, "", true},
			{"resource-based policy", "allow", 0, 1, "", false},
			{"identity-based policy", "implicit_deny", 1, -1, "", false}}},
		"the fence": {call{server: f.other}, []opinion{
			{"resource-based policy", "explicit_deny", 0, 0, "Fence", true},
			{"identity-based policy", "allow", 1, 0, "", false}}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			f.do(t, tt.call)
			var got []opinion
			for _, p := range f.next(t).Detail.Policies {
				got = append(got, opinion{p.Kind, p.Decision, p.Number, p.Statement, p.Sid, p.Decided})
				if _, err := policy.Parse(p.Document, kinds[p.Kind]); err != nil {
					t.Errorf("the document %s: %v", p.Document, err)
				}
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

var kinds = map[string]policy.Kind{
	"VPC endpoint policy": policy.KindEndpoint, "resource-based policy": policy.KindResource, "identity-based policy": policy.KindIdentity,
}

// The client's side of a mismatch is proven by the signature, so it can be shown beside the gateway's.
func TestDetailOfAMismatch(t *testing.T) {
	f := newFixture(t, withDetail(1000))
	f.do(t, call{method: "PUT", body: "was signed as empty", tamper: func(r *http.Request) {
		signed, _ := http.NewRequestWithContext(t.Context(), "PUT", r.URL.String(), nil)
		const empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
		credentials := aws.Credentials{AccessKeyID: "ASIAREADER", SecretAccessKey: "secret", SessionToken: "token"}
		if err := v4.NewSigner().SignHTTP(context.Background(), credentials, signed, empty, "execute-api", region, now); err != nil {
			t.Fatal(err)
		}
		r.Header = signed.Header
	}})
	r := f.next(t)
	if r.Claimed != "reader" || r.Name != "" || r.Detail.Mismatch == nil {
		t.Fatalf("got claimed %q, name %q, mismatch %v", r.Claimed, r.Name, r.Detail.Mismatch)
	}
	m := r.Detail.Mismatch
	if len(m.Differences) != 1 || m.Differences[0].Part != "payload" || !strings.HasSuffix(m.Client, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855") {
		t.Errorf("got %+v, want the payload of the client's canonical request", m)
	}
}

// Who looks for the requests of a caller finds those, too, that were refused before anybody asked for the key.
func TestRecordNamesWhomAnEarlyRefusalClaims(t *testing.T) {
	f := newFixture(t)
	for name, c := range map[string]call{
		"clock":  {date: now.Add(-time.Hour)},
		"region": {region: "us-east-1"},
		"door":   {server: f.public},
	} {
		t.Run(name, func(t *testing.T) {
			f.do(t, c)
			if r := f.next(t); r.Claimed != "reader" || r.AccessKeyID != "ASIAREADER" || r.Name != "" || r.Identity != "" {
				t.Errorf("got claimed %q by key %q, name %q, identity %q", r.Claimed, r.AccessKeyID, r.Name, r.Identity)
			}
		})
	}
}

// What a caller sends as a secret, and what the holder of its key has for one, stands nowhere in a record.
func TestSecurityRecordsHoldNoSecret(t *testing.T) {
	const (
		secret, token = "wJalrXUtnFEMI/K7MDENG+secret", "IQoJb3JpZ2luX2VjE/token+with=signs"
		key, cookie   = "api-key-0123456789", "session=cookie-0123456789"
	)
	f := newFixture(t, withDetail(1<<16))
	f.people["ASIAREADER"].Key.SecretAccessKey, f.people["ASIAREADER"].Key.SessionToken = secret, token
	// A function that answers with all that it was sent, and one that fails with it.
	echo, _ := json.Marshal(map[string]any{"statusCode": 200, "body": token + " " + url.QueryEscape(token) + " " + key + " " + secret})
	sign := func(r *http.Request) string {
		r.Header.Set("X-Api-Key", key)
		r.Header.Set("Cookie", cookie)
		r.Header.Set("Referer", "https://example.com/?token="+token) // which is a condition key, too
		const empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
		credentials := aws.Credentials{AccessKeyID: "ASIAREADER", SecretAccessKey: secret, SessionToken: token}
		if err := v4.NewSigner().SignHTTP(t.Context(), credentials, r, empty, "execute-api", region, now); err != nil {
			t.Fatal(err)
		}
		return r.Header.Get("Authorization")[strings.LastIndex(r.Header.Get("Authorization"), "=")+1:]
	}
	inPath := func(r *http.Request) {
		r.URL.Path = "/dev/movie_list/1999/" + key
		sign(r)
	}
	tests := map[string]struct {
		answer gateway.Answer
		change func(*http.Request)
		status int
	}{
		"let in":      {gateway.Answer{Payload: echo}, func(*http.Request) {}, 200},
		"in the path": {gateway.Answer{Payload: echo}, inPath, 200},
		"in a denied path": {gateway.Answer{}, func(r *http.Request) {
			r.URL.Path = "/dev/movie_list/1999/" + key
			r.Method = "PUT"
			sign(r)
		}, 403},
		"function failed": {gateway.Answer{Payload: echo, FunctionError: "Unhandled"}, func(*http.Request) {}, 502},
		"mismatch":        {gateway.Answer{}, func(r *http.Request) { r.URL.RawQuery = "changed=1" }, 403},
		"stranger's key": {gateway.Answer{}, func(r *http.Request) {
			r.Header.Set("Authorization", strings.Replace(r.Header.Get("Authorization"), "ASIAREADER", "ASIANOBODY", 1))
		}, 403},
		"incomplete": {gateway.Answer{}, func(r *http.Request) {
			r.Header.Set("Authorization", strings.Replace(r.Header.Get("Authorization"), "SignedHeaders", "Headers", 1))
		}, 403},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			f.function.answer = tt.answer
			r, err := http.NewRequestWithContext(t.Context(), "GET", f.vpce.URL+"/dev/movie_list", nil)
			if err != nil {
				t.Fatal(err)
			}
			signature := sign(r)
			tt.change(r)
			if got := send(t, r).status; got != tt.status {
				t.Errorf("got status %d, want %d", got, tt.status)
			}
			record, err := json.Marshal(f.next(t))
			if err != nil {
				t.Fatal(err)
			}
			for _, hidden := range []string{secret, token, url.QueryEscape(token), key, cookie, signature} {
				quoted, _ := json.Marshal(hidden)
				if strings.Contains(string(record), strings.Trim(string(quoted), `"`)) {
					t.Errorf("the record holds %q: %s", hidden, record)
				}
			}
			if !strings.Contains(string(record), "[redacted]") {
				t.Errorf("nothing was redacted: %s", record)
			}
		})
	}
}

// What is a secret in this run is hidden from everybody, whoever sends it or answers with it and however it is written.
func TestSecurityRecordsHoldNoSecretOfTheRun(t *testing.T) {
	const elsewhere, apiKey, word = "wJalrXUtnFEMI/K7MDENG+ofSomebodyElse", "an/api+key=ofTheTemplate", "Awordwithoutanythingelse"
	var known secrets.Set
	known.Add(elsewhere, word)
	f := newFixture(t, withDetail(1<<16), func(cfg *gateway.Config, _ *gateway.Door) {
		cfg.Secrets, cfg.APIKeys = &known, []gateway.APIKey{{ID: "k", Name: "k", Value: apiKey, Enabled: true}}
	})
	inBase64 := base64.StdEncoding.EncodeToString([]byte("x=" + elsewhere + ";"))
	answer := func(form string) call {
		body, _ := json.Marshal(map[string]any{"statusCode": 200, "body": form})
		f.function.answer = gateway.Answer{Payload: body}
		return call{}
	}
	header := func(form string) call {
		return call{tamper: func(r *http.Request) { r.Header.Set("X-Debug", form) }}
	}
	// Forms are written by hand as others write them; twice escaped is what a canonical request makes of an escaped path.
	tests := map[string]struct {
		form   string
		in     func(form string) call
		status int
	}{
		"in an answer":                    {elsewhere, answer, 200},
		"in an answer, for a query":       {"wJalrXUtnFEMI%2FK7MDENG%2BofSomebodyElse", answer, 200},
		"in an answer, for a path, twice": {"wJalrXUtnFEMI%252FK7MDENG%252BofSomebodyElse", answer, 200},
		"in an answer, in JSON":           {`wJalrXUtnFEMI\/K7MDENG+ofSomebodyElse`, answer, 200},
		"in an answer, in base64":         {inBase64, answer, 200},
		"in an answer, an API key":        {apiKey, answer, 200},
		"in a header":                     {elsewhere, header, 200},
		"in a header, in base64":          {inBase64, header, 200},
		"in a header's name": {word, func(form string) call {
			return call{tamper: func(r *http.Request) { r.Header["X-"+form] = []string{"1"} }}
		}, 200},
		"in the query": {elsewhere, func(form string) call { return call{path: "/dev/movie_list?a=" + url.QueryEscape(form)} }, 200},
		"in the path":  {elsewhere, func(form string) call { return call{path: "/dev/movie_list/1999/" + url.PathEscape(form)} }, 200},
		"in the path, without a signature": {elsewhere, func(form string) call {
			return call{key: "-", path: "/dev/movie_list/1999/" + url.PathEscape(form)}
		}, 403},
		"in the path, with another signature": {elsewhere, func(form string) call {
			return call{path: "/dev/movie_list/1999/" + url.PathEscape(form), tamper: func(r *http.Request) { r.URL.RawQuery = "b=2" }}
		}, 403},
		"in the host": {word, func(form string) call { return call{tamper: func(r *http.Request) { r.Host = form }} }, 403},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			f.function.answer = gateway.Answer{Payload: []byte(`{"statusCode":200}`)}
			if got := f.do(t, tt.in(tt.form)).status; got != tt.status {
				t.Errorf("got status %d, want %d", got, tt.status)
			}
			observed := f.nextAsObserved(t)
			quick, _ := json.Marshal(observed)
			whole, _ := json.Marshal(observed.Detailed())
			for _, text := range []string{string(quick), string(whole)} {
				// The pieces of each secret that no way of writing changes, and one of base64's.
				for _, hidden := range []string{"wJalrXUtnFEMI", "ofSomebodyElse", "ofTheTemplate", "Awordwithout", inBase64[8:40]} {
					if strings.Contains(text, hidden) {
						t.Errorf("the record holds %q: %s", hidden, text)
					}
				}
			}
			if !strings.Contains(string(whole), "[redacted]") {
				t.Errorf("nothing was redacted: %s", whole)
			}
		})
	}
}

// What may be shown of a large body is kept, and not the whole of it behind a piece.
func TestEvidenceDoesNotHoldOnToLargeBodies(t *testing.T) {
	const requests, size = 30, 4 << 20
	f := newFixture(t, withDetail(1000))
	var kept []gateway.Record
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	for range requests {
		f.do(t, call{method: "POST", path: "/dev/nowhere", body: strings.Repeat("y", size)})
		kept = append(kept, f.nextAsObserved(t))
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	if grown := int64(after.HeapAlloc) - int64(before.HeapAlloc); grown > requests*size/4 {
		t.Errorf("%d records of bodies of %d bytes take %d bytes", requests, size, grown)
	}
	runtime.KeepAlive(kept)
}

// The record that an observer gets holds secrets until its detail is made: whoever prints or writes it shows none.
func TestSecurityARecordThatIsPrintedShowsNoSecret(t *testing.T) {
	f := newFixture(t, withDetail(1000))
	f.function.answer = gateway.Answer{Payload: []byte(`{"statusCode":200,"body":"api-key-0123456789"}`)}
	f.do(t, call{tamper: func(r *http.Request) { r.Header.Set("X-Api-Key", "api-key-0123456789") }})
	r := f.nextAsObserved(t)
	if r.Evidence == nil || r.Detail != nil {
		t.Fatalf("got evidence %v and detail %v: want the first alone", r.Evidence != nil, r.Detail != nil)
	}
	encoded, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	for how, text := range map[string]string{
		"JSON": string(encoded), "%v": fmt.Sprintf("%v", r), "%+v": fmt.Sprintf("%+v", r), "%#v": fmt.Sprintf("%#v", r),
		"the evidence, %v": fmt.Sprintf("%v", r.Evidence), "the evidence, %+v": fmt.Sprintf("%+v", r.Evidence), "the evidence, %#v": fmt.Sprintf("%#v", r.Evidence),
		"the evidence, %s": fmt.Sprintf("%s", r.Evidence), "the evidence as a value": fmt.Sprintf("%+v", *r.Evidence),
	} {
		for _, hidden := range []string{"api-key-0123456789", "[97 112 105 45"} { // as text, and as bytes
			if strings.Contains(text, hidden) {
				t.Errorf("%s holds %q: %s", how, hidden, text)
			}
		}
	}
}

// Details of one record that are made before its answer is sent, at the same time and later are the same.
func TestDetailIsMadeAgain(t *testing.T) {
	var early gateway.Record
	f := newFixture(t, withDetail(1000), func(cfg *gateway.Config, _ *gateway.Door) {
		observe := cfg.Observe
		cfg.Observe = func(r gateway.Record) {
			early = r.Detailed()
			observe(r)
		}
	})
	f.function.answer = gateway.Answer{Payload: []byte(`{"statusCode":200,"body":"abc"}`)}
	f.do(t, call{path: "/dev/movie_list/1999/x?a=1"})
	r := f.nextAsObserved(t)
	var made [4]gateway.Record
	var all sync.WaitGroup
	for i := range made {
		all.Go(func() { made[i] = r.Detailed() })
	}
	all.Wait()
	for _, other := range made {
		if diff := cmp.Diff(early.Detail, other.Detail); diff != "" || other.Detail == nil {
			t.Errorf("(-before the answer +later):\n%s", diff)
		}
	}
	if size := r.Evidence.Size(); size < 2000 || size > 20000 {
		t.Errorf("the evidence is said to take %d bytes", size)
	}
	if got := r.Query(); got != "a=1" || !r.LooksSigned() {
		t.Errorf("got query %q, signed %v: want a=1 and true", got, r.LooksSigned())
	}
}

func TestSecurityPresignedSignatureIsRedacted(t *testing.T) {
	f := newFixture(t, withDetail(1000))
	const query = "X-Amz-Algorithm=AWS4-HMAC-SHA256&X%2DAmz%2DSignature=feedfacefeedface&X-Amz-Security-Token=sometoken&year=1999"
	f.do(t, call{key: "-", path: "/dev/movie_list?" + query})
	record, err := json.Marshal(f.next(t))
	if err != nil {
		t.Fatal(err)
	}
	if text := string(record); strings.Contains(text, "feedfacefeedface") || strings.Contains(text, "sometoken") || !strings.Contains(text, "year=1999") {
		t.Errorf("got %s: want the year and neither signature nor token", text)
	}
}

func TestDetailIsBounded(t *testing.T) {
	f := newFixture(t, withDetail(5))
	for name, tt := range map[string]struct {
		answer string
		want   gateway.Body
	}{
		"cut between characters": {`{"statusCode":200,"body":"abcdéfgh"}`, gateway.Body{Text: "abcd", Bytes: 9, Truncated: true}},
		"whole":                  {`{"statusCode":200,"body":"abcde"}`, gateway.Body{Text: "abcde", Bytes: 5}},
	} {
		t.Run(name, func(t *testing.T) {
			f.function.answer = gateway.Answer{Payload: []byte(tt.answer)}
			f.do(t, call{})
			d := f.next(t).Detail
			if diff := cmp.Diff(&tt.want, d.ResponseBody); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if d.Event != nil || d.EventBytes < 500 {
				t.Errorf("got an event of %d bytes: %s", d.EventBytes, d.Event)
			}
		})
	}
}

// What is too long to be shown whole is not kept whole.
func TestEvidenceIsBounded(t *testing.T) {
	f := newFixture(t, withDetail(1000))
	f.function.answer = gateway.Answer{Payload: []byte(`{"statusCode":200,"body":"` + strings.Repeat("x", 1<<20) + `"}`)}
	f.do(t, call{method: "PUT", path: "/dev/movie_list/1999/x", body: strings.Repeat("y", 1<<20)})
	r := f.nextAsObserved(t)
	d := r.Detailed().Detail
	if size := r.Evidence.Size(); size > 20_000 || d.RequestBody.Bytes != 1<<20 || d.ResponseBody == nil || d.EventBytes != 0 && d.Event != nil {
		t.Errorf("got %d bytes of evidence, a request body of %d, a response body %v", size, d.RequestBody.Bytes, d.ResponseBody != nil)
	}
}
