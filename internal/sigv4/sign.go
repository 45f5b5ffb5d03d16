package sigv4

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
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
	if err := d.prepare(in, work); err != nil {
		return err
	}
	d.addOwnFields(work)
	work.text = append(work.text[:0], work.time...)
	if err := s.appendAuthorization(&work.text, &d, work); err != nil {
		return err
	}
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
	if err := d.prepare(in, work); err != nil {
		return dst, err
	}
	d.addOwnFields(work)
	err := s.appendAuthorization(&dst, &d, work)
	return dst, err
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
	var d draft
	if err := d.prepare(in, work); err != nil {
		return Transcript{}, err
	}
	d.addOwnFields(work)
	if err := s.sign(&d, work); err != nil {
		return Transcript{}, err
	}
	return Transcript{string(work.canonical), string(work.toSign), string(work.signature)}, nil
}

// draft is a request on its way to a signature.
type draft struct {
	canonical
	in        *SignInput
	regionSet string // joined; empty: SigV4
	header    string // the Authorization header up to the signed headers
	token     bool   // the request brings a session token along
}

// prepare fills in everything that is signed but the headers that Sign sets
// itself. It leaves the time in work.time.
func (d *draft) prepare(in *SignInput, work *scratch) error {
	if err := in.check(); err != nil {
		return err
	}
	at := in.Time
	if at.IsZero() {
		at = time.Now()
	}
	if err := work.setTime(at.UTC()); err != nil {
		return err
	}
	d.in, d.method, d.pathForm = in, in.Request.Method, in.Path
	if d.method == "" {
		d.method = http.MethodGet
	}
	if len(in.RegionSet) > 0 {
		d.regionSet = strings.Join(in.RegionSet, ",")
	}
	d.path, d.query = wireTarget(in.Request.URL)
	if err := in.writePayloadHash(work); err != nil {
		return err
	}
	d.payload = work.payload
	return d.collectFields(work)
}

func (in *SignInput) check() error {
	switch {
	case in.Request == nil || in.Request.URL == nil:
		return errors.New("sigv4: SignInput.Request is nil or has no URL")
	case in.Credentials.AccessKeyID == "" || in.Credentials.SecretAccessKey == "":
		return errors.New("sigv4: SignInput.Credentials lack an access key id or a secret")
	case in.Region == "" && len(in.RegionSet) == 0:
		return errors.New("sigv4: SignInput.Region is empty: name the region of the API, as in its host name")
	case in.Service == "":
		return errors.New(`sigv4: SignInput.Service is empty: for API Gateway it is "execute-api"`)
	}
	return nil
}

// wireTarget is the request target that net/http writes for a URL.
func wireTarget(u *url.URL) (path, query string) {
	if u.Opaque != "" {
		return splitTarget(u.RequestURI())
	}
	if u.RawPath == "" && isPlain(u.Path) {
		return u.Path, u.RawQuery
	}
	return u.EscapedPath(), u.RawQuery
}

// sign leaves canonical request, string to sign and signature in work.
func (s *Signer) sign(d *draft, work *scratch) error {
	d.write(work)
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

// appendAuthorization appends the header's value: algorithm, credential, signed
// headers and signature.
func (s *Signer) appendAuthorization(dst *[]byte, d *draft, work *scratch) error {
	if err := s.sign(d, work); err != nil {
		return err
	}
	text := append(*dst, d.header...)
	text = append(text, work.signed...)
	text = append(text, ", Signature="...)
	*dst = append(text, work.signature...)
	return nil
}

func (d *draft) algorithm() string {
	if d.regionSet != "" {
		return algorithmECDSA
	}
	return algorithmHMAC
}

// setHeaders puts the result on the request. text is the time followed by the
// authorization: one allocation serves both, and one more all the values.
func (d *draft) setHeaders(text string, work *scratch) {
	r, token := d.in.Request, d.in.Credentials.SessionToken
	if r.Header == nil {
		r.Header = make(http.Header)
	}
	values := &[2]string{text[:len(timeFormat)], text[len(timeFormat):]}
	r.Header["X-Amz-Date"] = values[0:1:1]
	r.Header["Authorization"] = values[1:2:2]
	if token != "" {
		r.Header["X-Amz-Security-Token"] = []string{token}
	} else if d.token {
		delete(r.Header, "X-Amz-Security-Token")
	}
	if d.regionSet != "" {
		r.Header["X-Amz-Region-Set"] = []string{d.regionSet}
	}
	if d.in.SignPayloadHash {
		r.Header["X-Amz-Content-Sha256"] = []string{string(work.payload)}
	}
}
