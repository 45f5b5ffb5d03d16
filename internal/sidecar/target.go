package sidecar

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
)

// outgoingURL is where a request goes: the API's URL, below it the target as it stands on the client's wire. Decoding
// and encoding it again would change what is signed and what the API's function sees: %2F, //, +, the order of the query.
func (p *Proxy) outgoingURL(r *http.Request) (*url.URL, *Refusal) {
	target, absolute := r.RequestURI, false
	if !strings.HasPrefix(target, "/") {
		// The absolute form, as a client sends it to a proxy (RFC 9112 section 3.2.2). What the
		// answer repeats is logged, too.
		_, rest, ok := strings.Cut(target, "://")
		if !ok {
			return nil, refuseTarget.because("the request target %q is no path: send one below the stage, such as /movie_list", loggedPath(r))
		}
		absolute = p.isAPI(r.Host)
		if i := strings.IndexAny(rest, "/?"); i >= 0 {
			target = rest[i:]
		} else {
			target = "/"
		}
	}
	path, query, asked := strings.Cut(target, "?")
	if !strings.HasPrefix(path, "/") {
		path = "/" + path
	}
	// A client that takes this for its HTTP proxy writes the API's whole URL, stage included.
	if absolute && p.basePath != "" {
		below, ok := strings.CutPrefix(path, p.basePath)
		if !ok || below != "" && below[0] != '/' {
			return nil, refuseOutside.because("the path %q is not below %s, which is all that this proxy signs for", path, p.basePath)
		}
		path = below
	}
	if climbsOut(path) {
		return nil, refuseOutside.because("the path %q leads out of the stage that this proxy signs for: leave the dot segments out", path)
	}
	out := &url.URL{Scheme: p.origin.Scheme, Host: p.origin.Host, RawQuery: query, ForceQuery: asked && query == ""}
	if wire := p.basePath + path; !strings.HasPrefix(wire, "//") {
		out.Opaque = wire
	} else { // net/http takes an opaque part with two slashes for a host
		out.Path, out.RawPath = r.URL.Path, r.URL.RawPath
	}
	if out.Opaque == "" && out.Path == "" {
		out.Path = "/"
	}
	return out, nil
}

// climbsOut reports whether dot segments lead above the path's root, that is to another stage. API Gateway signs the
// normalised path; whether it decodes %2e first is not documented, so that counts as a dot, too.
func climbsOut(path string) bool {
	if !strings.Contains(path, ".") && !strings.Contains(path, "%2") {
		return false
	}
	depth := 0
	for segment := range strings.SplitSeq(path, "/") {
		switch strings.ReplaceAll(strings.ToLower(segment), "%2e", ".") {
		case "", ".":
		case "..":
			if depth--; depth < 0 {
				return true
			}
		default:
			depth++
		}
	}
	return false
}

// hostRule is the list of names under which clients may speak to the proxy. A web page that had its own name resolve to
// loopback (DNS rebinding) sends that name.
type hostRule struct {
	any   bool
	names map[string]bool
}

func newHostRule(names []string) (hostRule, error) {
	rule := hostRule{names: make(map[string]bool, len(names))}
	for _, name := range names {
		if name == "*" {
			rule.any = true
			continue
		}
		if !isAuthority(name) {
			return rule, fmt.Errorf("host to allow: no client sends %q as its Host: give a name such as signer.local, an address, or * for all", name)
		}
		rule.names[hostname(name)] = true
	}
	return rule, nil
}

// isAuthority reports whether a Host could be this: an address or a name, with or without a port. Names of other letters
// are sent in their ASCII form.
func isAuthority(text string) bool {
	if _, port, err := net.SplitHostPort(text); err == nil {
		if _, err := strconv.ParseUint(port, 10, 16); err != nil {
			return false
		}
	}
	name := hostname(text)
	if _, err := netip.ParseAddr(name); err == nil {
		return true
	}
	other := func(c rune) bool {
		return !('a' <= c && c <= 'z' || '0' <= c && c <= '9' || strings.ContainsRune("-_.", c))
	}
	return name != "" && !strings.ContainsFunc(name, other)
}

// allows: an HTTP/1.0 client may send no Host at all, which no browser does.
func (h hostRule) allows(host string) bool {
	if h.any || host == "" {
		return true
	}
	name := hostname(host)
	return isLoopback(name) || h.names[name]
}

func (p *Proxy) isAPI(host string) bool { return hostname(host) == hostname(p.endpoint.Host()) }

// hostname is the name without port, brackets, the root's dot and case.
func hostname(authority string) string {
	host := authority
	if h, _, err := net.SplitHostPort(authority); err == nil {
		host = h
	}
	host = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	return strings.ToLower(strings.TrimSuffix(host, "."))
}

func isLoopback(name string) bool {
	if name == "localhost" {
		return true
	}
	ip := net.ParseIP(name)
	return ip != nil && ip.IsLoopback()
}
