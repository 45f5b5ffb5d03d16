package sigv4

import (
	"crypto/subtle"
	"net/http"
	"slices"
	"strings"
)

// variant is a set of deviations from the canonical request that an input allows.
type variant uint8

const (
	withoutPort variant = 1 << iota
	unnormalized
	keptTabs
	withoutToken // the token of a presigned URL was added after signing
	allVariants  = withoutPort | unnormalized | keptTabs | withoutToken
)

// subject is what a signature has to cover, and the signature.
type subject struct {
	method, path, query, host string
	header                    http.Header
	payload                   string
	presigned                 bool
	variant                   variant

	signedHeaders, algorithm, isoDate, scope, signature string
}

func newSubject(in *VerifyInput, c *claim, path, query string) subject {
	method := in.Method
	if method == "" {
		method = http.MethodGet
	}
	return subject{
		method: method, path: path, query: query, host: in.Host, header: in.Header, payload: in.PayloadHash,
		presigned: c.presigned, signedHeaders: c.signedHeaders, algorithm: c.algorithm, isoDate: c.isoDate,
		scope: c.scope(), signature: c.signature,
	}
}

// write leaves the canonical request and the string to sign in work. It reports
// whether every header that is said to be signed is there.
func (s *subject) write(work *scratch) bool {
	var few [6]field // where the fields usually lie
	fields, complete := s.fields(few[:0], work)
	work.payload = append(work.payload[:0], s.payload...)
	work.time, work.second = append(work.time[:0], s.isoDate...), 0
	request := canonical{
		method: s.method, path: s.path, query: s.query, fields: fields, payload: work.payload,
		keepTabs: s.variant&keptTabs != 0,
	}
	if s.variant&unnormalized != 0 {
		request.pathForm = PathUnnormalized
	}
	if s.presigned {
		request.rule.without[0] = "X-Amz-Signature"
		if s.variant&withoutToken != 0 {
			request.rule.without[1] = "X-Amz-Security-Token"
		}
	}
	request.write(work)
	work.writeStringToSign(s.algorithm, work.time, s.scope)
	return complete
}

// maxSignedHeaders is far more than any client signs.
const maxSignedHeaders = 100

// fields looks up the signed headers, in the order in which they are listed. A
// name that is listed again ends the list: a short list must not be able to ask
// for the same long header many times over.
func (s *subject) fields(fields []field, work *scratch) (out []field, complete bool) {
	complete = true
	for rest, more := s.signedHeaders, true; more; {
		var name string
		name, rest, more = cutByte(rest, ';')
		if len(fields) == maxSignedHeaders || slices.ContainsFunc(fields, func(f field) bool { return f.name == name }) {
			return fields, false
		}
		if name == "host" {
			host := s.host
			if s.variant&withoutPort != 0 {
				host, _ = cutPort(host)
			}
			work.value = appendHeaderValue(work.value[:0], host, s.variant&keptTabs != 0)
			fields = append(fields, field{name: name, signed: name, own: work.value})
			continue
		}
		values := headerValues(s.header, name)
		if len(values) == 0 || !isLower(name) {
			complete = false
		}
		fields = append(fields, field{name: name, signed: name, values: values})
	}
	return fields, complete
}

func isLower(name string) bool {
	for i := 0; i < len(name); i++ {
		if 'A' <= name[i] && name[i] <= 'Z' {
			return false
		}
	}
	return name != ""
}

// cutPort removes ":port" from a Host.
func cutPort(host string) (name string, found bool) {
	i := strings.LastIndexByte(host, ':')
	if i < 0 || i == len(host)-1 {
		return host, false
	}
	for _, c := range []byte(host[i+1:]) {
		if c < '0' || c > '9' {
			return host, false
		}
	}
	return host[:i], true
}

// allowed is the set of variants that make a difference for this request.
func (s *subject) allowed(in *VerifyInput, c *claim) variant {
	var v variant
	if _, port := cutPort(s.host); port && in.HostWithoutPort {
		v |= withoutPort
	}
	if in.UnnormalizedPath && !isNormal(s.path) {
		v |= unnormalized
	}
	if in.KeptTabs {
		v |= keptTabs
	}
	if c.tokenParam {
		v |= withoutToken
	}
	return v
}

// honestPayload reports whether every X-Amz-Content-Sha256 of the request is the
// hash of the body. That refuses UNSIGNED-PAYLOAD and STREAMING-… too, whose
// bodies nobody has vouched for.
func (s *subject) honestPayload() bool {
	for _, value := range s.header["X-Amz-Content-Sha256"] {
		if strings.Trim(value, " \t") != s.payload {
			return false
		}
	}
	if !s.presigned {
		return true
	}
	claimed, found := queryValue(s.query, "X-Amz-Content-Sha256")
	return !found || claimed == s.payload
}

// checkSignature compares the signature with that of the canonical request, and
// of the variants of it that the input allows.
func (v *Verifier) checkSignature(in *VerifyInput, c *claim, key Key, s *subject) error {
	work := getScratch()
	defer work.release()
	allowed, honest := s.allowed(in, c), s.honestPayload()
	for s.variant = 0; honest && s.variant <= allVariants; s.variant++ {
		if s.variant&^allowed != 0 {
			continue
		}
		if complete := s.write(work); !complete {
			break
		}
		ok, err := v.matches(c, key, work)
		if ok || err != nil {
			return err
		}
	}
	s.variant = 0
	s.write(work)
	return refuseSignature(work.canonical, work.toSign)
}

// matches compares the claimed signature with the one over work.toSign.
func (v *Verifier) matches(c *claim, key Key, work *scratch) (bool, error) {
	if c.algorithm == algorithmECDSA {
		return v.ecdsaKeys.verify(c.id, key.SecretAccessKey, work.toSign, c.signature)
	}
	v.keys.get(c.id, key.SecretAccessKey, work.time[:len("20060102")], c.region, c.service).sign(work)
	work.text = append(work.text[:0], c.signature...)
	return subtle.ConstantTimeCompare(work.signature, work.text) == 1, nil
}
