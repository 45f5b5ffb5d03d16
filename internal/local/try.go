package local

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/marquee-api/marquee/internal/console"
	"github.com/marquee-api/marquee/internal/gateway"
	"github.com/marquee-api/marquee/internal/identity"
	"github.com/marquee-api/marquee/internal/sigv4"
)

// What a call from the console can do wrong.
const (
	faultUnsigned = "unsigned"
	faultStale    = "stale"
	faultFuture   = "future"
	faultByte     = "byte"
	faultRegion   = "region"
	faultService  = "service"
	faultSecret   = "secret"
	faultToken    = "token"
)

var faultChoices = []console.Fault{
	{Name: "", Label: "nothing"},
	{Name: faultUnsigned, Label: "it is not signed"},
	{Name: faultStale, Label: "the clock is ten minutes behind"},
	{Name: faultFuture, Label: "the clock is ten minutes ahead"},
	{Name: faultByte, Label: "a byte changes after signing"},
	{Name: faultRegion, Label: "it is signed for another region"},
	{Name: faultService, Label: "it is signed for another service"},
	{Name: faultSecret, Label: "the secret is another key's"},
	{Name: faultToken, Label: "the session token is missing"},
}

const (
	wrongClock  = 10 * time.Minute
	tryTime     = time.Minute // above the gateway's own limit of a function
	mostTryBody = 256 << 10   // of an answer that the page shows
)

// trier makes the calls of the console: it signs them here, so that no key reaches the page, and sends them through a door
// as any client would.
type trier struct {
	stack  *Stack
	doors  []console.Door
	client http.Client
	signer sigv4.Signer
}

func newTrier(s *Stack, doors []console.Door) *trier {
	return &trier{stack: s, doors: doors, client: http.Client{
		Transport:     &http.Transport{DisableCompression: true, DisableKeepAlives: true}, // and no proxy: the doors are on this machine
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Timeout:       tryTime,
	}}
}

// Try makes a call.
func (t *trier) Try(ctx context.Context, a console.Attempt) (*console.Outcome, error) {
	if err := checkFault(a); err != nil {
		return nil, err
	}
	r, err := t.request(ctx, a)
	if err != nil {
		return nil, err
	}
	profile, err := t.profile(a)
	if err != nil {
		return nil, err
	}
	var signed sigv4.Transcript
	if profile != nil {
		if signed, err = t.sign(r, a, profile); err != nil {
			return nil, err
		}
	}
	clean := t.cleaner(r, profile)
	if a.Fault == faultByte {
		changeByte(r, a.Body)
	}
	response, err := t.client.Do(r)
	if err != nil {
		return nil, fmt.Errorf("no answer came: %w", err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, 12<<20)) // more than a function can answer
	if err != nil {
		return nil, fmt.Errorf("the answer broke off: %w", err)
	}
	return &console.Outcome{
		RequestID: response.Header.Get("X-Amzn-Requestid"), Status: response.StatusCode,
		Body: shown(body, clean), Mismatch: mismatch(body, signed, clean),
	}, nil
}

// checkFault refuses a fault that is none, and one of a signature that nobody makes.
func checkFault(a console.Attempt) error {
	if !slices.ContainsFunc(faultChoices, func(f console.Fault) bool { return f.Name == a.Fault }) {
		return fmt.Errorf("there is no fault %q", a.Fault)
	}
	if a.Caller == "" && a.Fault != "" && a.Fault != faultUnsigned {
		return fmt.Errorf("the fault %q wants a signature: choose an identity that signs", a.Fault)
	}
	return nil
}

// request is the call before it is signed.
func (t *trier) request(ctx context.Context, a console.Attempt) (*http.Request, error) {
	door := slices.IndexFunc(t.doors, func(d console.Door) bool { return d.Name == a.Door })
	if door < 0 {
		return nil, fmt.Errorf("there is no door %q", a.Door)
	}
	if !strings.HasPrefix(a.Path, "/") {
		return nil, fmt.Errorf("the path %q does not begin with a slash", a.Path)
	}
	u, err := url.Parse(t.doors[door].URL + "/" + url.PathEscape(a.Stage) + a.Path)
	if err != nil {
		return nil, fmt.Errorf("the path %q: %w", a.Path, err)
	}
	u.Fragment = ""
	r, err := http.NewRequestWithContext(ctx, a.Method, u.String(), strings.NewReader(a.Body))
	if err != nil {
		return nil, err
	}
	for name, value := range a.Header {
		r.Header.Set(name, value)
	}
	if a.API != "" && t.doors[door].VPCEndpointID != "" { // where the header names the API, as on AWS
		r.Header.Set("X-Apigw-Api-Id", a.API)
	}
	if host := r.Header.Get("Host"); host != "" {
		r.Host = host
	}
	if a.APIKey != "" {
		key := slices.IndexFunc(t.stack.keys, func(k gateway.APIKey) bool { return k.Name == a.APIKey })
		if key < 0 {
			return nil, fmt.Errorf("there is no API key %q", a.APIKey)
		}
		r.Header.Set("X-Api-Key", t.stack.keys[key].Value)
	}
	return r, nil
}

// profile is who signs; nil: nobody.
func (t *trier) profile(a console.Attempt) (*identity.Credentials, error) {
	if a.Caller == "" || a.Fault == faultUnsigned {
		return nil, nil
	}
	for _, p := range t.stack.ids.Profiles() {
		if p.Profile == a.Caller {
			return &p, nil
		}
	}
	return nil, fmt.Errorf("there is no identity %q", a.Caller)
}

// sign signs the request, rightly or with a fault, and returns what was signed.
func (t *trier) sign(r *http.Request, a console.Attempt, p *identity.Credentials) (sigv4.Transcript, error) {
	in := &sigv4.SignInput{
		Request: r, Body: []byte(a.Body), Region: t.stack.template.Region, Service: "execute-api", Time: t.stack.options.Now(),
		Credentials: sigv4.Credentials{AccessKeyID: p.AccessKeyID, SecretAccessKey: p.SecretAccessKey, SessionToken: p.SessionToken},
	}
	switch a.Fault {
	case faultStale:
		in.Time = in.Time.Add(-wrongClock)
	case faultFuture:
		in.Time = in.Time.Add(wrongClock)
	case faultRegion:
		in.Region = otherRegion(in.Region)
	case faultService:
		in.Service = "s3"
	case faultSecret:
		in.Credentials.SecretAccessKey = "another key's secret"
	case faultToken:
		in.Credentials.SessionToken = ""
	}
	signed, err := t.signer.Transcript(in)
	if err != nil {
		return signed, err
	}
	return signed, t.signer.Sign(in)
}

func otherRegion(region string) string {
	if region == "us-east-1" {
		return "eu-west-1"
	}
	return "us-east-1"
}

// changeByte changes the last byte of the body, else of the query, else of the path.
func changeByte(r *http.Request, body string) {
	switch {
	case body != "":
		r.Body = io.NopCloser(strings.NewReader(withOther(body)))
		r.GetBody = nil
	case r.URL.RawQuery != "":
		r.URL.RawQuery = withOther(r.URL.RawQuery)
	default:
		path := withOther(r.URL.EscapedPath())
		r.URL.RawPath = path
		r.URL.Path, _ = url.PathUnescape(path) // a digit stays a digit of an escape
	}
}

// withOther is a text with another last byte.
func withOther(text string) string {
	last := len(text) - 1
	if text[last] == '0' {
		return text[:last] + "1"
	}
	return text[:last] + "0"
}

// cleaner removes what must not reach the page: the answer of a wrong signature repeats the token that was sent, and a
// function may answer with anything.
func (t *trier) cleaner(r *http.Request, p *identity.Credentials) func(string) string {
	own := []string{r.Header.Get("X-Api-Key")}
	if p != nil {
		_, signature, _ := strings.Cut(r.Header.Get("Authorization"), "Signature=")
		own = append(own, p.SecretAccessKey, p.SessionToken, signature)
	}
	return func(text string) string { return t.stack.secrets.Text(text, own...) }
}

func shown(body []byte, clean func(string) string) *gateway.Body {
	if len(body) == 0 {
		return nil
	}
	out := &gateway.Body{Bytes: len(body), Binary: !utf8.Valid(body)}
	if out.Binary {
		return out
	}
	out.Text = clean(string(body))
	if len(out.Text) > mostTryBody {
		out.Text, out.Truncated = strings.ToValidUTF8(out.Text[:mostTryBody], ""), true
	}
	return out
}

// mismatch compares what was signed with what the answer to a wrong signature says should have been.
func mismatch(body []byte, signed sigv4.Transcript, clean func(string) string) *gateway.Mismatch {
	server, err := sigv4.ParseMismatch(body)
	if err != nil || signed.CanonicalRequest == "" {
		return nil
	}
	difference := gateway.NewDifference(sigv4.Explain(server, signed))
	if difference.Part == string(sigv4.PartSecret) {
		difference.Server, difference.Client = "", "" // signatures
	}
	difference.Server, difference.Client = clean(difference.Server), clean(difference.Client)
	return &gateway.Mismatch{Client: clean(signed.CanonicalRequest), Differences: []gateway.Difference{difference}}
}
