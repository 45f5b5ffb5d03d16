package sigv4

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
)

const contentType = "Content-Type"

// requestFields appends the request's own headers that are signed, in order.
func (d *draft) requestFields(fields []field, work *scratch) ([]field, error) {
	in := d.in
	fields = append(fields, field{name: "host", signed: "host", own: work.host})
	for name, values := range in.Request.Header {
		if len(values) == 0 || !in.signs(name) {
			d.hadToken = d.hadToken || name == "X-Amz-Security-Token"
			continue
		}
		if err := in.checkHeader(name, values); err != nil {
			return nil, err
		}
		f := field{name: name, values: values}
		if name == contentType {
			f.signed = "content-type"
		}
		fields = insertField(fields, f)
	}
	return fields, nil
}

// ownFields adds the headers that Sign sets itself.
func (d *draft) ownFields(fields []field, work *scratch) []field {
	fields = insertField(fields, field{name: "x-amz-date", signed: "x-amz-date", own: work.time})
	if token := d.in.Credentials.SessionToken; token != "" && !d.in.UnsignedToken {
		work.value = appendHeaderValue(work.value[:0], token, false)
		fields = insertField(fields, field{name: "x-amz-security-token", signed: "x-amz-security-token", own: work.value})
	}
	if d.regionSet != "" {
		fields = insertField(fields, field{name: "x-amz-region-set", signed: "x-amz-region-set", own: []byte(d.regionSet)})
	}
	if d.in.SignPayloadHash {
		fields = insertField(fields, field{name: "x-amz-content-sha256", signed: "x-amz-content-sha256", own: work.payload})
	}
	return fields
}

// checkHeader refuses what would not be on the wire as it is signed.
func (in *SignInput) checkHeader(name string, values []string) error {
	if name[0] == 'x' && in.replaces(http.CanonicalHeaderKey(name)) {
		return fmt.Errorf("sigv4: header %q would be sent beside %q: remove it", name, http.CanonicalHeaderKey(name))
	}
	for _, value := range values {
		if strings.IndexByte(value, '\n') >= 0 || strings.IndexByte(value, '\r') >= 0 || strings.IndexByte(value, 0) >= 0 {
			return fmt.Errorf("sigv4: header %q holds a line break or a zero byte", name)
		}
	}
	return nil
}

// signs reports whether a header of the request is signed as it stands there.
func (in *SignInput) signs(name string) bool {
	if in.SignHeader == nil && name != "" && lower(name[0]) != 'x' && lower(name[0]) != 'c' {
		return false // most headers, at the least cost
	}
	switch {
	case hasAmzPrefix(name):
		return !in.replaces(name)
	case name == contentType, len(name) == len(contentType) && strings.EqualFold(name, contentType):
		return true
	case in.SignHeader == nil:
		return false
	}
	lowered := strings.ToLower(name)
	return !neverSigned(lowered) && in.SignHeader(lowered)
}

// hasAmzPrefix looks at the usual spelling first.
func hasAmzPrefix(name string) bool {
	const usual = "X-Amz-"
	return len(name) > len(usual) && (name[:len(usual)] == usual || strings.EqualFold(name[:len(usual)], usual))
}

// replaces reports whether Sign writes over this x-amz-* header.
func (in *SignInput) replaces(name string) bool {
	switch name {
	case "X-Amz-Date", "X-Amz-Security-Token":
		return true
	case "X-Amz-Region-Set":
		return len(in.RegionSet) > 0
	case "X-Amz-Content-Sha256":
		return in.SignPayloadHash
	}
	return false
}

// neverSigned names the headers that somebody between signer and verifier adds,
// changes or removes: hop-by-hop headers (RFC 9110 section 7.6.1), what net/http
// writes by itself, and what proxies and tracers rewrite.
func neverSigned(name string) bool {
	switch name {
	case "authorization", "host",
		"connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "proxy-connection",
		"te", "trailer", "transfer-encoding", "upgrade",
		"expect", "user-agent", "accept-encoding", "via", "forwarded",
		"x-amzn-trace-id", "traceparent", "tracestate", "baggage":
		return true
	}
	return strings.HasPrefix(name, "x-forwarded-")
}

// setHost leaves the Host that net/http will send in work.host, where the same one
// may still stand.
func (work *scratch) setHost(r *http.Request) error {
	host := r.Host
	if host == "" {
		host = r.URL.Host
	}
	if host == "" {
		return errors.New("sigv4: the request has no host: set Request.Host or an absolute URL")
	}
	if string(work.host) == host {
		return nil
	}
	for i := 0; i < len(host); i++ {
		if host[i] >= 0x80 {
			return fmt.Errorf("sigv4: host %q is not ASCII: write it in its xn-- form", host)
		}
	}
	work.host = append(work.host[:0], withoutZone(host)...)
	return nil
}

// withoutZone removes the zone of an IPv6 address ("[fe80::1%25eth0]:80"), which
// means nothing to the other side, as net/http does.
func withoutZone(host string) string {
	zone := strings.IndexByte(host, '%')
	if zone < 0 || host[0] != '[' {
		return host
	}
	end := strings.IndexByte(host[zone:], ']')
	if end < 0 {
		return host
	}
	return host[:zone] + host[zone+end:]
}
