package sidecar

import (
	"errors"
	"fmt"
	"net/http"
	"net/textproto"
	"strings"

	"golang.org/x/net/http/httpguts"
)

// hopByHop are the headers that end at each connection (RFC 9110 section 7.6.1, and older ones that clients still send).
var hopByHop = []string{
	"Connection", "Http2-Settings", "Keep-Alive", "Proxy-Authenticate", "Proxy-Authorization", "Proxy-Connection",
	"Te", "Trailer", "Transfer-Encoding", "Upgrade",
}

// ofSignature are the headers of somebody's signature. The client's own would be another one's, or a stale one.
// X-Apigw-Api-Id is the endpoint's to set. Expect was answered when the body was taken in.
var ofSignature = []string{
	"Authorization", "X-Amz-Content-Sha256", "X-Amz-Date", "X-Amz-Region-Set", "X-Amz-Security-Token", "Expect",
	"Content-Length", // net/http writes what it sends
}

// forwarded are the headers that say on whose behalf a proxy asks. The client of this one is the program beside it, whose
// word for it nobody can check; API Gateway writes its own.
// There are more names than these two: gateways put users and certificates under others of the prefix.
var forwarded = []string{"Forwarded", "X-Real-Ip"}

const forwardedPrefix = "X-Forwarded-"

// reserved are the headers that neither --strip nor --add may touch: the message's frame and the signature's.
var reserved = func() map[string]bool {
	names := map[string]bool{"Host": true, "X-Apigw-Api-Id": true}
	for _, name := range append(hopByHop, ofSignature...) {
		names[name] = true
	}
	return names
}()

// headerRule says what becomes of a request's headers.
type headerRule struct {
	drop          map[string]bool
	added         *added
	keepForwarded bool
}

func newHeaderRule(cfg Config) (headerRule, error) {
	rule := headerRule{drop: make(map[string]bool), keepForwarded: cfg.KeepForwarded}
	for _, name := range append(hopByHop, ofSignature...) {
		rule.drop[name] = true
	}
	if !cfg.KeepForwarded {
		for _, name := range forwarded {
			rule.drop[name] = true
		}
	}
	for _, name := range cfg.Strip {
		key, err := checkName("strip", name)
		if err != nil {
			return rule, err
		}
		rule.drop[key] = true
	}
	var err error
	rule.added, err = newAdded(cfg)
	return rule, err
}

func checkName(verb, name string) (string, error) {
	key := textproto.CanonicalMIMEHeaderKey(name)
	switch {
	case !httpguts.ValidHeaderFieldName(name):
		return "", fmt.Errorf("header %q to %s is no header's name", name, verb)
	case reserved[key]:
		return "", fmt.Errorf("header %s cannot be told to %s: it belongs to the connection or to the signature", key, verb)
	}
	return key, nil
}

// outgoing is the header that leaves: the client's without what ends here, and what is added.
func (h headerRule) outgoing(r *http.Request) http.Header {
	named := connectionOptions(r.Header)
	added := h.added.header()
	out := make(http.Header, len(r.Header)+len(added)+1)
	for name, values := range r.Header {
		if !h.drops(name) && !contains(named, name) {
			out[name] = values
		}
	}
	for name, values := range added {
		out[name] = values
	}
	if httpguts.HeaderValuesContainsToken(r.Header["Te"], "trailers") {
		out["Te"] = []string{"trailers"}
	}
	if _, ok := out["User-Agent"]; !ok {
		out["User-Agent"] = []string{""} // net/http would name itself
	}
	// RFC 9110 section 7.6.3: a gateway says that it was there.
	out["Via"] = append(out["Via"][:len(out["Via"]):len(out["Via"])], via(r.ProtoMajor, r.ProtoMinor))
	return out
}

func (h headerRule) drops(name string) bool {
	return h.drop[name] || !h.keepForwarded && strings.HasPrefix(name, forwardedPrefix)
}

func via(major, minor int) string {
	if major == 1 && minor == 1 {
		return "1.1 marquee"
	}
	if major == 2 {
		return "2.0 marquee"
	}
	return fmt.Sprintf("%d.%d marquee", major, minor)
}

// incoming copies an answer's headers to the client, without what ends here. What Connection names beside close is known of
// answers by package http1, not of those by http.Transport, which drops such a Connection.
func incoming(to, from http.Header) {
	named := connectionOptions(from)
	for name, values := range from {
		if !isHopByHop(name) && !contains(named, name) {
			to[name] = values
		}
	}
	if _, ok := to["Content-Type"]; !ok {
		to["Content-Type"] = nil // net/http would guess one
	}
}

func isHopByHop(name string) bool { return contains(hopByHop, name) }

// connectionOptions are the further headers that Connection declares to end here.
func connectionOptions(h http.Header) []string {
	var names []string
	for _, value := range h["Connection"] {
		for option := range strings.SplitSeq(value, ",") {
			option = textproto.TrimString(option)
			if option != "" && !strings.EqualFold(option, "close") && !strings.EqualFold(option, "keep-alive") {
				names = append(names, textproto.CanonicalMIMEHeaderKey(option))
			}
		}
	}
	return names
}

func contains(names []string, name string) bool {
	for _, n := range names {
		if n == name {
			return true
		}
	}
	return false
}

// wantedUpgrade is the protocol that a client insists on. h2c is an offer, which Java's HttpClient makes with every
// request: RFC 9110 section 7.8 lets a server pass over it, and the answer comes in HTTP/1.1.
func wantedUpgrade(h http.Header) string {
	if len(h["Upgrade"]) == 0 || !httpguts.HeaderValuesContainsToken(h["Connection"], "upgrade") {
		return ""
	}
	for _, value := range h["Upgrade"] {
		for protocol := range strings.SplitSeq(value, ",") {
			if protocol = textproto.TrimString(protocol); protocol != "" && !strings.EqualFold(protocol, "h2c") {
				return protocol
			}
		}
	}
	return ""
}

// ParseHeader reads 'Name: value'. The error holds nothing of the line, which may be a secret.
func ParseHeader(line string) (name, value string, err error) {
	name, value, ok := strings.Cut(line, ":")
	if name = textproto.TrimString(name); !ok || name == "" {
		return "", "", errors.New("it is not 'Name: value'")
	}
	if !httpguts.ValidHeaderFieldName(name) {
		return "", "", errors.New("what stands before the colon is no header's name")
	}
	return name, textproto.TrimString(value), nil
}
