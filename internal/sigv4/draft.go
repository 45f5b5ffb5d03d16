package sigv4

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// draft is a request on its way to a signature.
type draft struct {
	in          *SignInput
	path, query string // as net/http will write them
	pathForm    PathForm
	regionSet   string // joined; empty: SigV4
	header      string // the Authorization header up to the signed headers
	hadToken    bool   // the request brings a session token along
}

// read checks the input and resolves its zero values. It leaves time, host and
// payload hash in work.
func (d *draft) read(in *SignInput, work *scratch) error {
	if err := in.check(); err != nil {
		return err
	}
	at := in.Time
	if at.IsZero() {
		at = time.Now()
	}
	if err := work.setTime(at); err != nil {
		return err
	}
	if err := work.setHost(in.Request); err != nil {
		return err
	}
	if err := in.writePayloadHash(work); err != nil {
		return err
	}
	d.in = in
	if u := in.Request.URL; u.Opaque == "" && u.RawPath == "" && isCanonical(u.Path) {
		d.path, d.query, d.pathForm = u.Path, u.RawQuery, PathVerbatim // every form of it is the same
	} else {
		d.path, d.query = wireTarget(u)
		d.pathForm = in.Path
	}
	if len(in.RegionSet) > 0 {
		d.regionSet = strings.Join(in.RegionSet, ",")
	}
	return nil
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
	return u.EscapedPath(), u.RawQuery
}

// canonical is what is signed, but for the headers.
func (d *draft) canonical(work *scratch) canonical {
	method := d.in.Request.Method
	if method == "" {
		method = http.MethodGet
	}
	return canonical{method: method, path: d.path, pathForm: d.pathForm, query: d.query, payload: work.payload}
}

func (d *draft) algorithm() string {
	if d.regionSet != "" {
		return algorithmECDSA
	}
	return algorithmHMAC
}

// appendAuthorization appends the header's value: algorithm, credential, signed
// headers and signature.
func (d *draft) appendAuthorization(dst []byte, work *scratch) []byte {
	dst = append(dst, d.header...)
	dst = append(dst, work.signed...)
	dst = append(dst, ", Signature="...)
	return append(dst, work.signature...)
}

// setHeaders puts the result on the request. text is the time followed by the
// authorization: one allocation serves both, and one more all the values.
func (d *draft) setHeaders(text string, work *scratch) {
	r, token := d.in.Request, d.in.Credentials.SessionToken
	if r.Header == nil {
		r.Header = make(http.Header)
	}
	date, authorization := text[:len(timeFormat)], text[len(timeFormat):]
	var values []string
	if token == "" {
		values = []string{date, authorization}
	} else {
		values = []string{date, authorization, token}
		r.Header["X-Amz-Security-Token"] = values[2:3:3]
	}
	if token == "" && d.hadToken {
		delete(r.Header, "X-Amz-Security-Token")
	}
	r.Header["X-Amz-Date"] = values[0:1:1]
	r.Header["Authorization"] = values[1:2:2]
	if d.regionSet != "" {
		r.Header["X-Amz-Region-Set"] = []string{d.regionSet}
	}
	if d.in.SignPayloadHash {
		r.Header["X-Amz-Content-Sha256"] = []string{string(work.payload)}
	}
}
