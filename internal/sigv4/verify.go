package sigv4

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
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
	if !c.signs("host") {
		return nil, refuseUnsignedHost()
	}
	now := in.Now
	if now.IsZero() {
		now = time.Now()
	}
	if refusal := c.checkTime(now, cmp.Or(in.MaxSkew, defaultSkew)); refusal != nil {
		return nil, refusal
	}
	if refusal := c.checkScope(in.Region, in.Service); refusal != nil {
		return nil, refusal
	}
	key, refusal := c.checkKey(in, now)
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
		name, rest, more = cutByte(rest, ';')
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
	case in.Region == "" || in.Service == "":
		return errors.New("sigv4: VerifyInput.Region or Service is empty: name the scope that is right here")
	case in.Lookup == nil:
		return errors.New("sigv4: VerifyInput.Lookup is nil: nobody's key is known")
	case in.MaxSkew < 0:
		return fmt.Errorf("sigv4: VerifyInput.MaxSkew is %v: want no negative duration", in.MaxSkew)
	}
	return in.checkPayloadHash()
}

func (in *VerifyInput) checkPayloadHash() error {
	if len(in.PayloadHash) != len(EmptyPayloadHash) {
		return fmt.Errorf("sigv4: VerifyInput.PayloadHash is %q: want the SHA-256 of the body received in hex (HashBody)", in.PayloadHash)
	}
	return nil
}
