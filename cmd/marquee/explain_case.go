package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/marquee-api/marquee/apiclient"
	"github.com/marquee-api/marquee/internal/capture"
	"github.com/marquee-api/marquee/internal/local"
	"github.com/marquee-api/marquee/internal/sigv4"
)

// explainCase is everything that is known of one request.
type explainCase struct {
	capture *capture.Capture
	request *capture.Request
	in      sigv4.VerifyInput // without Now if the request's own date counts
	clock   time.Time
	signer  explainSigner
	aws     *awsAnswer
	client  []capture.Signing
	notes   []string
}

// explainSigner is who should have signed.
type explainSigner struct {
	keys    aws.Credentials
	missing error  // why there are no keys
	from    string // where the keys are from, in words
	stack   *callState
	region  string // of the profile
}

// awsAnswer is an answer of AWS's. The transcript is empty if it does not say that the signature is wrong.
type awsAnswer struct {
	message    string
	transcript sigv4.Transcript
}

func newExplainCase(ctx context.Context, env environment, o explainOptions) (*explainCase, error) {
	c := new(explainCase)
	if err := c.readCapture(env, o); err != nil {
		return nil, err
	}
	if err := c.readClaims(o); err != nil {
		return nil, err
	}
	if err := c.findSigner(ctx, env, o); err != nil {
		return nil, err
	}
	c.restoreToken()
	region, err := c.findRegion(o)
	if err != nil {
		return nil, err
	}
	c.in = sigv4.VerifyInput{
		Method: c.request.Method, Target: c.request.Target, Host: c.request.Host, Header: c.request.HTTPHeader(),
		Region: region, Service: o.service, Lookup: c.signer.lookup,
		HostWithoutPort: c.signer.stack != nil || isThisMachine(hostname(c.request.Host)), // as the local gateway does
	}
	if o.now != "" {
		if c.in.Now, err = time.Parse(time.RFC3339, o.now); err != nil {
			return nil, fmt.Errorf("--now %q: want a time of RFC 3339, such as 2026-11-20T10:00:00Z", o.now)
		}
	}
	return c, c.setPayload()
}

func (c *explainCase) readCapture(env environment, o explainOptions) error {
	in := env.Stdin
	if o.file != "" && o.file != "-" {
		file, err := os.Open(o.file)
		if err != nil {
			return err
		}
		defer file.Close()
		in = file
	} else if o.data == "@-" || o.body == "-" {
		return errors.New("standard input cannot be both the capture and the body: name the capture's file")
	}
	var err error
	if c.capture, err = capture.Parse(in); err != nil {
		return fmt.Errorf("%s: %w", cmp.Or(o.file, "standard input"), err)
	}
	if c.request, err = chooseRequest(c.capture.Requests, o.request); err != nil {
		return err
	}
	return c.readBody(env, o)
}

func chooseRequest(requests []capture.Request, wanted int) (*capture.Request, error) {
	switch {
	case wanted < 0 || wanted > len(requests):
		return nil, fmt.Errorf("--request %d: the capture holds %d", wanted, len(requests))
	case wanted > 0:
		return &requests[wanted-1], nil
	case len(requests) == 1:
		return &requests[0], nil
	}
	var list strings.Builder
	for i, r := range requests {
		path, _, _ := strings.Cut(r.Target, "?")
		fmt.Fprintf(&list, "\n  %d: %s %s to %s (line %d)", i+1, r.Method, visible(path), visible(r.Host), r.Line)
	}
	return nil, fmt.Errorf("the capture holds %d requests, choose one with --request N:%s", len(requests), list.String())
}

// readBody takes the body of --body or --data, which count more than the capture's.
func (c *explainCase) readBody(env environment, o explainOptions) error {
	from := o.data
	if o.body != "" {
		from = "@" + o.body
	}
	if !o.hasData && o.body == "" {
		return nil
	}
	body, err := readData(from, env.Stdin)
	if err != nil {
		return err
	}
	if len(body) > capture.MaxBody {
		return fmt.Errorf("the body is longer than API Gateway's limit of %d bytes", capture.MaxBody)
	}
	if length := c.request.HTTPHeader().Get("Content-Length"); length != "" && length != fmt.Sprint(len(body)) {
		c.notes = append(c.notes, fmt.Sprintf("the body that was given has %d bytes, but the request says Content-Length: %s; "+
			"a line end at its end is the usual difference (curl -d @FILE drops line ends, --data-binary keeps them)", len(body), visible(length)))
	}
	c.request.Body, c.request.BodyState = body, capture.BodyWhole
	return nil
}

// setPayload says which hash the payload line holds. A body that the capture lacks may be known by a hash that the
// client sent.
func (c *explainCase) setPayload() error {
	c.in.PayloadHash = sigv4.HashBody(c.request.Body)
	switch c.request.BodyState {
	case capture.BodyDoubtful:
		c.notes = append(c.notes, "curl --trace-ascii prints a dot for every byte that it cannot show: if the body is what differs, capture with --trace, or give it with --body")
	case capture.BodyAbsent:
		claimed := strings.ToLower(c.in.Header.Get("X-Amz-Content-Sha256"))
		if len(claimed) != len(sigv4.EmptyPayloadHash) {
			return errors.New("the request had a body, which the capture does not hold (curl -v shows none): give it with --body FILE or --data, or capture with curl --trace")
		}
		c.in.PayloadHash = claimed
		c.notes = append(c.notes, "the capture does not hold the body: its hash is taken from X-Amz-Content-Sha256, unchecked")
	}
	return nil
}

// readClaims reads what AWS and the client say.
func (c *explainCase) readClaims(o explainOptions) error {
	if o.awsError != "" {
		text, err := readLimited(o.awsError)
		if err != nil {
			return fmt.Errorf("--aws-error: %w", err)
		}
		if c.aws, err = parseAWSAnswer(text); err != nil {
			return fmt.Errorf("--aws-error %s: %w", o.awsError, err)
		}
	}
	if o.clientCanonical != "" {
		file, err := os.Open(o.clientCanonical)
		if err != nil {
			return fmt.Errorf("--client-canonical: %w", err)
		}
		defer file.Close()
		if c.client, err = capture.ParseSigning(file); err != nil {
			return fmt.Errorf("--client-canonical %s: %w", o.clientCanonical, err)
		}
	}
	return nil
}

func readLimited(name string) ([]byte, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	const limit = 1 << 20
	text, err := io.ReadAll(io.LimitReader(file, limit+1))
	if err == nil && len(text) > limit {
		err = fmt.Errorf("%s is longer than %d bytes: want the body of one answer", name, limit)
	}
	return text, err
}

// findSigner finds the secret. Comparing what AWS and the client say needs none, so its absence is kept for later.
func (c *explainCase) findSigner(ctx context.Context, env environment, o explainOptions) error {
	stack, err := readCallState(o.state)
	switch {
	case errors.Is(err, local.ErrNotRunning) && !o.stateGiven:
	case err != nil:
		return err
	case o.stateGiven || stack.serves(c.request):
		c.signer.stack = stack
	}
	var provider aws.CredentialsProvider
	if c.signer.stack != nil {
		provider, err = c.stackProvider(ctx, env, o)
	} else {
		c.signer.from = "the SDK's default credentials"
		if name := cmp.Or(o.profile, env.Getenv("AWS_PROFILE")); name != "" {
			c.signer.from = "profile " + name
		}
		provider, c.signer.region, err = defaultProvider(ctx, env, o.profile)
	}
	if err == nil {
		c.signer.keys, err = provider.Retrieve(ctx)
	}
	switch {
	case err != nil && o.profile != "":
		return fmt.Errorf("the secret of %s: %w", c.signer.from, err)
	case err != nil && c.aws == nil && c.client == nil:
		return fmt.Errorf("no secret to check the signature with: give --profile, or --client-canonical to compare without one: %w", err)
	}
	c.signer.missing = err
	return nil
}

// stackProvider is the profile that is asked for, else the one that has the request's key.
func (c *explainCase) stackProvider(ctx context.Context, env environment, o explainOptions) (aws.CredentialsProvider, error) {
	stack, asked := c.signer.stack, cmp.Or(o.profile, env.Getenv("AWS_PROFILE"))
	claim := c.request.Target + strings.Join(c.request.HTTPHeader()["Authorization"], " ")
	if asked == "" {
		for _, name := range slices.Sorted(maps.Keys(stack.Profiles)) {
			provider, err := stack.provider(ctx, name, "")
			if err != nil {
				return nil, err
			}
			keys, err := provider.Retrieve(ctx)
			if err == nil && strings.Contains(claim, keys.AccessKeyID) {
				c.signer.from = "profile " + name + " of the local stack"
				return provider, nil
			}
		}
	}
	c.signer.from = "profile " + asked + " of the local stack"
	if asked == "" {
		c.signer.from = "the default profile of the local stack"
	}
	return stack.provider(ctx, asked, "")
}

// restoreToken puts the signer's session token in place of one that was redacted before the capture was passed on.
func (c *explainCase) restoreToken() {
	for i, f := range c.request.Header {
		if strings.EqualFold(f.Name, "X-Amz-Security-Token") && isRedacted(f.Value) && c.signer.keys.SessionToken != "" {
			c.request.Header[i].Value = c.signer.keys.SessionToken
			c.notes = append(c.notes, "the session token is redacted in the capture: that of "+c.signer.from+" is taken in its place")
		}
	}
}

// lookup is the server's view of the keys: it knows the signer's alone.
func (s *explainSigner) lookup(accessKeyID string) (sigv4.Key, bool) {
	return s.key(), s.missing == nil && accessKeyID == s.keys.AccessKeyID
}

func (s *explainSigner) key() sigv4.Key {
	return sigv4.Key{SecretAccessKey: s.keys.SecretAccessKey, SessionToken: s.keys.SessionToken}
}

// serves reports whether a request went to the local stack: to one of its doors, or to its API by name.
func (s *callState) serves(r *capture.Request) bool {
	if s.owns("http://" + r.Host) {
		return true
	}
	endpoint := resolveHost(r)
	return endpoint != nil && s.APIID != "" && endpoint.APIID() == s.APIID
}

// resolveHost reads the name that a request was sent to; nil if it is none of AWS's.
func resolveHost(r *capture.Request) *apiclient.Endpoint {
	host := hostname(r.Host)
	where := apiclient.EndpointConfig{URL: (&url.URL{Scheme: "https", Host: host, Path: "/"}).String()}
	if strings.HasPrefix(host, "vpce-") {
		where.APIID = cmp.Or(r.HTTPHeader().Get("X-Apigw-Api-Id"), "unknown")
	}
	endpoint, err := apiclient.ResolveEndpoint(where)
	if err != nil {
		return nil
	}
	return endpoint
}

// hostname is a Host without its port.
func hostname(host string) string {
	if name, _, err := net.SplitHostPort(host); err == nil {
		return name
	}
	return host
}

// findRegion is the region that the API is in: its name's, else what is asked for, else the local stack's or the
// profile's. Empty: nobody knows.
func (c *explainCase) findRegion(o explainOptions) (string, error) {
	if endpoint := resolveHost(c.request); endpoint != nil && endpoint.Region() != "" {
		if o.region != "" && o.region != endpoint.Region() {
			return "", fmt.Errorf("--region %s: the request was sent to %s, which is in %s", o.region, visible(c.request.Host), endpoint.Region())
		}
		return endpoint.Region(), nil
	}
	if o.region == "" && c.signer.stack != nil {
		return c.signer.stack.Region, nil
	}
	return cmp.Or(o.region, c.signer.region), nil
}
