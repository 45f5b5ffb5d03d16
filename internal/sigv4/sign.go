package sigv4

import (
	"errors"
	"fmt"
	"net/http"
	"time"
)

// Credentials are what a request is signed with. SessionToken is empty for a
// long-term key.
type Credentials struct {
	AccessKeyID     string
	SecretAccessKey string
	SessionToken    string
}

// String names the key and hides the secrets, so that credentials may be logged.
func (c Credentials) String() string {
	return fmt.Sprintf("{AccessKeyID:%s SecretAccessKey:*** SessionToken:***}", c.AccessKeyID)
}

// GoString is String: "%#v" must not print secrets either.
func (c Credentials) GoString() string { return "sigv4.Credentials" + c.String() }

// SignInput is one request to sign. Request, Credentials, Region and Service are
// required; the zero value of every other field is a good default.
type SignInput struct {
	// Request is what is signed: its method, its URL as net/http puts it on the
	// wire, Host (or the URL's) and Header. Sign sets headers on it, Presign and
	// Transcript leave it alone.
	Request *http.Request

	// PayloadHash is the SHA-256 of the body in lower-case hex. Whatever stands
	// here is signed as it is, S3's "UNSIGNED-PAYLOAD" too. Empty: the body is
	// hashed.
	PayloadHash string

	// Body is the request's body if its bytes are at hand; hashing them allocates
	// nothing. Nil: Request.Body is hashed and left as it was, from a copy of
	// GetBody or by reading a file and seeking back, in a bounded amount of memory.
	// A body that can be read only once is ErrBodyReadOnce.
	Body []byte

	Credentials Credentials

	// Region and Service are the scope of the signature: "ap-northeast-2",
	// "execute-api".
	Region  string
	Service string

	// Time is when the request is signed. Zero: now.
	Time time.Time

	// RegionSet, if not empty, asks for SigV4a: one signature for several regions,
	// which may be patterns ("us-*", "*"). Region is not used then.
	RegionSet []string

	// Expires is how long a presigned URL is valid, in whole seconds. Zero: the URL
	// does not say, and the service's own limit holds. Only Presign uses it.
	Expires time.Duration

	// SignHeader chooses further headers to sign, by lower-case name. Nil: none.
	// Host, content-type and x-amz-* are always signed if they are there. Headers
	// that are rewritten on the way (hop-by-hop, trace, user-agent, …) never are.
	SignHeader func(name string) bool

	// SignPayloadHash also sends and signs the payload hash as
	// X-Amz-Content-Sha256. S3 demands it, API Gateway does not.
	SignPayloadHash bool

	// UnsignedToken sends the session token without signing it.
	UnsignedToken bool

	// Path is the form of the path that is signed. Zero: PathNormalized.
	Path PathForm
}

// Signer signs requests. The zero value is ready, and a Signer is safe for
// concurrent use. It keeps the keys it derives (a bounded number), so one Signer
// should serve a whole program. It must not be copied.
type Signer struct {
	keys      keyCache
	ecdsaKeys ecdsaCache
}

// Sign sets X-Amz-Date, X-Amz-Security-Token (with a session token),
// X-Amz-Region-Set (SigV4a), X-Amz-Content-Sha256 (with SignPayloadHash) and
// Authorization on the request. What was there under these names is replaced, so
// a request may be signed again for a retry.
func (s *Signer) Sign(in *SignInput) error {
	work := getScratch()
	defer work.release()
	var d draft
	if err := s.signHeader(&d, in, work); err != nil {
		return err
	}
	work.text = append(work.text[:0], work.time...)
	work.text = d.appendAuthorization(work.text, work)
	d.setHeaders(string(work.text), work)
	return nil
}

// AppendAuthorization appends the value of the Authorization header to dst and
// returns the result. It sets nothing: the caller sends the headers that Sign
// would set besides, above all X-Amz-Date of in.Time.
func (s *Signer) AppendAuthorization(dst []byte, in *SignInput) ([]byte, error) {
	work := getScratch()
	defer work.release()
	var d draft
	if err := s.signHeader(&d, in, work); err != nil {
		return dst, err
	}
	return d.appendAuthorization(dst, work), nil
}

// Transcript is the text that a signature is made over.
type Transcript struct {
	CanonicalRequest string
	StringToSign     string
	Signature        string // lower-case hex
}

// Transcript signs as Sign does and returns the steps in place of setting
// headers. It holds the session token if there is one, but no secret key.
func (s *Signer) Transcript(in *SignInput) (Transcript, error) {
	work := getScratch()
	defer work.release()
	if err := s.signHeader(new(draft), in, work); err != nil {
		return Transcript{}, err
	}
	return Transcript{string(work.canonical), string(work.toSign), string(work.signature)}, nil
}

// signHeader makes the signature of an Authorization header. Canonical request,
// string to sign and signature are left in work.
func (s *Signer) signHeader(d *draft, in *SignInput, work *scratch) (err error) {
	if err := d.read(in, work); err != nil {
		return err
	}
	var few [6]field // where the fields usually lie: on the stack they cost no write barrier
	c := d.canonical(work)
	if c.fields, err = d.requestFields(few[:0], work); err != nil {
		return err
	}
	c.fields = d.ownFields(c.fields, work)
	if err := s.sign(d, &c, work); err != nil {
		return err
	}
	if work.presigned { // the server would refuse both placements at once
		return errors.New("sigv4: the URL is presigned already: sign the one without X-Amz-Algorithm")
	}
	return nil
}

// sign leaves canonical request, string to sign and signature in work.
func (s *Signer) sign(d *draft, c *canonical, work *scratch) error {
	c.write(work)
	creds, date := &d.in.Credentials, work.time[:len("20060102")]
	if d.regionSet != "" {
		scope := string(date) + "/" + d.in.Service + "/" + terminator
		d.header = algorithmECDSA + " Credential=" + creds.AccessKeyID + "/" + scope + ", SignedHeaders="
		work.writeStringToSign(algorithmECDSA, work.time, scope)
		return s.ecdsaKeys.sign(creds, work)
	}
	key := s.keys.get(creds.AccessKeyID, creds.SecretAccessKey, date, d.in.Region, d.in.Service)
	d.header = key.header
	work.writeStringToSign(algorithmHMAC, work.time, key.scope)
	key.sign(work)
	return nil
}
