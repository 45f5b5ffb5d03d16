package sigv4

import (
	"crypto/subtle"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// defaultSkew is how far API Gateway lets a request's date be from its own clock.
const defaultSkew = 5 * time.Minute

// VerifyInput is one request to verify, as it was received. Target, Host,
// PayloadHash, Region, Service and Lookup are required.
type VerifyInput struct {
	// Method is the request's method; empty means GET.
	Method string
	// Target is the raw request target with its query exactly as on the wire:
	// http.Request.RequestURI, not its URL, which has been decoded.
	Target string
	// Host is the Host header as received (http.Request.Host).
	Host string
	// Header is what net/http received, its keys in canonical form. It is not
	// changed.
	Header http.Header
	// PayloadHash is the SHA-256 of the body that was received in lower-case hex:
	// HashBody, HashReader or EmptyPayloadHash. There is no default, because a
	// forgotten hash would let any body pass.
	PayloadHash string

	// Region and Service are the only scope that is right here.
	Region  string
	Service string

	// Now is the time of the verification. Zero: now.
	Now time.Time
	// MaxSkew is how far the request's date may be from Now. Zero: 5 minutes.
	MaxSkew time.Duration

	// Lookup finds the key of an access key id.
	Lookup func(accessKeyID string) (Key, bool)

	// HostWithoutPort also accepts a signature over Host without its port. It is
	// for a gateway on a laptop: AWS never has a port in Host, so some clients
	// never sign one.
	HostWithoutPort bool
	// UnnormalizedPath also accepts a signature over the path with its empty, "."
	// and ".." segments, as the Go SDK and curl make it. Off, because AWS
	// normalises and very likely answers 403.
	UnnormalizedPath bool
	// KeptTabs also accepts a signature over header values whose inner tabs were
	// kept, as the Go SDK makes it. Off, for the same reason.
	KeptTabs bool
}

// Key is what a Lookup knows of an access key id.
type Key struct {
	SecretAccessKey string
	SessionToken    string    // empty: a long-term key, which must come without a token
	Expires         time.Time // zero: never
}

// Verified is who signed a request, and what.
type Verified struct {
	AccessKeyID string
	// Date is when the request was signed, as it says.
	Date time.Time
	// SignedHeaders are the lower-case names of the headers that are signed.
	// Nothing else of the header is.
	SignedHeaders []string
	// Path is the raw path without the query, normalised: route and authorise on
	// this and on nothing else, because one signature covers every path that
	// normalises to it.
	Path string
	// Presigned tells that the signature came in the query.
	Presigned bool
	// SigV4A tells that the signature is an ECDSA one for a set of regions.
	SigV4A bool

	subject subject
	names   [4]string // where SignedHeaders usually lie
}

// Verifier verifies requests. The zero value is ready, and a Verifier is safe for
// concurrent use. It keeps derived keys as a Signer does. It must not be copied.
type Verifier struct {
	keys      keyCache
	ecdsaKeys ecdsaCache
}

// Verify answers who signed the request. The error is a *Refusal unless the input
// itself lacks something. The checks come in the order of AWS's front end, so
// that a request with two faults gets the answer that AWS would give:
//
//	both placements or none, syntax, missing parameters, algorithm, host signed,
//	date, expired, not yet current, credential, scope, key and session token,
//	signature
func (v *Verifier) Verify(in *VerifyInput) (*Verified, error) {
	if err := in.check(); err != nil {
		return nil, err
	}
	var c claim
	path, query := splitTarget(in.Target)
	if refusal := c.read(in.Header, query); refusal != nil {
		return nil, refusal
	}
	if !c.signsHost() {
		return nil, refuseUnsignedHost()
	}
	if refusal := c.checkTime(in); refusal != nil {
		return nil, refusal
	}
	if refusal := c.checkScope(in); refusal != nil {
		return nil, refusal
	}
	key, refusal := c.checkKey(in)
	if refusal != nil {
		return nil, refusal
	}
	out := &Verified{
		AccessKeyID: c.id, Date: c.date, Path: NormalizePath(path),
		Presigned: c.presigned, SigV4A: c.algorithm == algorithmECDSA,
		subject: newSubject(in, &c, path, query),
	}
	if err := v.checkSignature(in, &c, key, &out.subject); err != nil {
		return nil, err
	}
	out.SignedHeaders = out.names[:0]
	for rest, more := c.signedHeaders, true; more; {
		var name string
		name, rest, more = strings.Cut(rest, ";")
		out.SignedHeaders = append(out.SignedHeaders, name)
	}
	return out, nil
}

// Transcript computes again what the signature was verified over. It reads the
// Header of the input once more, which must not have changed. It may hold the
// session token.
func (v *Verified) Transcript() Transcript {
	work := getScratch()
	defer work.release()
	v.subject.write(work)
	return Transcript{string(work.canonical), string(work.toSign), v.subject.signature}
}

func (in *VerifyInput) check() error {
	switch {
	case len(in.PayloadHash) != len(EmptyPayloadHash):
		return fmt.Errorf("sigv4: VerifyInput.PayloadHash is %q: want the SHA-256 of the body received in hex (HashBody)", in.PayloadHash)
	case in.Region == "" || in.Service == "":
		return errors.New("sigv4: VerifyInput.Region or Service is empty: name the scope that is right here")
	case in.Lookup == nil:
		return errors.New("sigv4: VerifyInput.Lookup is nil: nobody's key is known")
	case in.MaxSkew < 0:
		return fmt.Errorf("sigv4: VerifyInput.MaxSkew is %v: want no negative duration", in.MaxSkew)
	}
	return nil
}

// checkTime reads the date and compares it with now. A presigned URL lives for
// X-Amz-Expires, but never longer than any other signature: no service but S3 is
// known to extend it.
func (c *claim) checkTime(in *VerifyInput) *Refusal {
	var ok bool
	if c.date, ok = parseTime(c.isoDate); !ok {
		return refuseDate(c.rawDate)
	}
	now, skew := in.Now, in.MaxSkew
	if now.IsZero() {
		now = time.Now()
	}
	if skew == 0 {
		skew = defaultSkew
	}
	window := skew
	if c.hasExpires {
		seconds, err := strconv.Atoi(c.expires)
		life := time.Duration(seconds) * time.Second
		switch {
		case err != nil:
			return refuseExpires("X-Amz-Expires should be a number")
		case seconds < 0:
			return refuseExpires("X-Amz-Expires must be non-negative")
		case seconds > int(maxExpires/time.Second):
			return refuseExpires("X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be less than 604800 seconds")
		}
		window = min(window, life)
	}
	now = now.UTC().Truncate(time.Second) // AWS compares what it prints
	switch {
	case c.date.Before(now.Add(-window)):
		return refuseExpired(c.date, now, window)
	case c.date.After(now.Add(skew)):
		return refuseNotYetCurrent(c.date, now, skew)
	}
	return nil
}

func (c *claim) checkScope(in *VerifyInput) *Refusal {
	if !c.splitCredential() {
		return refuseCredential(c)
	}
	regionWrong := c.region != in.Region
	if c.algorithm == algorithmECDSA {
		regionWrong = !regionSetHolds(c.regionSet, in.Region)
	}
	if regionWrong || c.service != in.Service || c.term != terminator || c.day != c.isoDate[:8] {
		return refuseScope(c, regionWrong, in.Service)
	}
	return nil
}

// checkKey finds the key and compares the session token, wherever it came from
// and whether it is signed or not: API Gateway's own JavaScript SDK adds it after
// signing.
func (c *claim) checkKey(in *VerifyInput) (Key, *Refusal) {
	key, known := in.Lookup(c.id)
	if !known || key.SecretAccessKey == "" {
		return Key{}, refuseClient()
	}
	if c.presigned && c.token == "" {
		c.token = firstValue(in.Header, "X-Amz-Security-Token")
	}
	if !equalConstantTime(c.token, key.SessionToken) {
		return Key{}, refuseClient()
	}
	now := in.Now
	if now.IsZero() {
		now = time.Now()
	}
	if !key.Expires.IsZero() && !now.Before(key.Expires) {
		return Key{}, refuseExpiredToken()
	}
	return key, nil
}

// equalConstantTime takes the same time wherever two texts of one length differ.
func equalConstantTime(a, b string) bool {
	return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1
}

// regionSetHolds reports whether a region is in a SigV4a region set: a list of
// names, in which "*" stands for any run of characters.
func regionSetHolds(set, region string) bool {
	for rest, more := set, true; more; {
		var pattern string
		pattern, rest, more = strings.Cut(rest, ",")
		if matchRegion(strings.TrimSpace(pattern), region) {
			return true
		}
	}
	return false
}

func matchRegion(pattern, region string) bool {
	head, tail, star := strings.Cut(pattern, "*")
	if !star {
		return pattern == region
	}
	if !strings.HasPrefix(region, head) {
		return false
	}
	for region = region[len(head):]; ; region = region[1:] {
		if matchRegion(tail, region) {
			return true
		}
		if region == "" {
			return false
		}
	}
}
