package gateway

import (
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/marquee-api/marquee/internal/secrets"
)

const redacted = secrets.Redacted

// tokens are secrets as they stand in canonical requests and in messages: a header's line, or a parameter of a query.
var tokens = regexp.MustCompile(`(?im)((?:x-amz-security-token|x-api-key)[:=])[^\n&']+|(\bsignature=)[0-9a-f]{64,}|^((?:cookie|proxy-authorization):).+`)

// tokenWords are what each match of tokens holds, in lower case.
var tokenWords = [...]string{
	"x-amz-security-token:", "x-amz-security-token=", "x-api-key:", "x-api-key=", "signature=", "cookie:", "proxy-authorization:",
}

// mayHoldToken is a look that costs far less than the expression does, at bodies above all: false means that tokens
// matches nothing. The long s is an s to an expression that ignores case, and in lower case it is still itself.
func mayHoldToken(s string) bool {
	lower := strings.ToLower(s)
	for _, word := range tokenWords {
		if strings.Contains(lower, word) {
			return true
		}
	}
	return strings.Contains(s, "\u017f")
}

// redact removes session tokens, API keys and signatures from what is kept or shown. The answer to the caller, who sent
// them, keeps them, as AWS's does. It goes line by line, since no match reaches beyond one.
func redact(s string) string {
	if !mayHoldToken(s) {
		return s
	}
	var out strings.Builder
	for line := range strings.SplitAfterSeq(s, "\n") {
		if mayHoldToken(line) {
			line = tokens.ReplaceAllString(line, "${1}${2}${3}"+redacted)
		}
		out.WriteString(line)
	}
	return out.String()
}

// secretNames are the headers and parameters, in lower case, whose values a record never holds. A signature is one: for
// five minutes whoever has it can send the request again.
var secretNames = map[string]bool{
	"x-amz-security-token": true, "x-amz-signature": true, "x-api-key": true, "apikey": true,
	"cookie": true, "set-cookie": true, "proxy-authorization": true,
}

// signatureOf is the end of an Authorization header of Signature Version 4.
var signatureOf = regexp.MustCompile(`(?i)(signature=)[^,\s]+`)

// isSecretName looks a name up whatever its case, without making another text of it.
func isSecretName(name string) bool {
	var lower [len("x-amz-security-token")]byte
	if len(name) > len(lower) {
		return false
	}
	for i := range len(name) {
		c := name[i]
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		lower[i] = c
	}
	return secretNames[string(lower[:len(name)])]
}

// redactValue returns what may be kept of a header's or a parameter's value.
func redactValue(name, value string) string {
	switch name = strings.ToLower(name); {
	case secretNames[name]:
		return redacted
	case name != "authorization":
		return value
	case strings.HasPrefix(value, "AWS4-"):
		return signatureOf.ReplaceAllString(value, "${1}"+redacted)
	}
	return redacted
}

// redactQuery redacts a raw query.
func redactQuery(query string) string {
	pieces := strings.Split(query, "&")
	for i, piece := range pieces {
		name, _, _ := strings.Cut(piece, "=")
		if decoded, err := url.QueryUnescape(name); err == nil && secretNames[strings.ToLower(decoded)] {
			pieces[i] = name + "=" + redacted
		}
	}
	return strings.Join(pieces, "&")
}

// scrubber removes the secrets of the run, and those that one request brought, wherever they stand: a function may answer
// with what it was sent, or with its environment.
type scrubber struct {
	run *secrets.Set
	own []string
}

// newScrubber collects the secrets of a request and of whoever sent it.
func newScrubber(run *secrets.Set, r *http.Request, holder *Identity) scrubber {
	s := scrubber{run: run}
	for name, values := range r.Header {
		if isSecretName(name) {
			s.own = append(s.own, values...)
		}
	}
	for _, authorization := range r.Header["Authorization"] {
		if !strings.HasPrefix(authorization, "AWS4-") {
			s.own = append(s.own, authorization)
		} else if at := strings.LastIndexByte(authorization, '='); at >= 0 {
			s.own = append(s.own, authorization[at+1:])
		}
	}
	for piece := range strings.SplitSeq(r.URL.RawQuery, "&") {
		name, value, _ := strings.Cut(piece, "=")
		if name, err := url.QueryUnescape(name); err != nil || !isSecretName(name) {
			continue
		}
		s.own = append(s.own, value)
		if decoded, err := url.QueryUnescape(value); err == nil {
			s.own = append(s.own, decoded)
		}
	}
	if holder != nil {
		s.own = append(s.own, holder.Key.SecretAccessKey, holder.Key.SessionToken)
	}
	return s
}

// text returns a text without the secrets.
func (s *scrubber) text(text string) string { return s.run.Text(text, s.own...) }

// header returns what may be kept of headers.
func (s *scrubber) header(h http.Header) http.Header {
	kept := make(http.Header, len(h))
	for name, values := range h {
		for _, value := range values {
			shown := s.text(name)
			kept[shown] = append(kept[shown], s.text(redactValue(name, value)))
		}
	}
	return kept
}

// parameters returns what may be kept of a path's parameters.
func (s *scrubber) parameters(all map[string]string) map[string]string {
	if all == nil {
		return nil
	}
	kept := make(map[string]string, len(all))
	for name, value := range all {
		kept[name] = s.text(value)
	}
	return kept
}

// mismatch returns what may be kept of a mismatch.
func (s *scrubber) mismatch(m Mismatch) *Mismatch {
	m.Client, m.Differences = s.text(redact(m.Client)), slices.Clone(m.Differences)
	for i := range m.Differences {
		d := &m.Differences[i]
		d.Server, d.Client = s.text(d.Server), s.text(d.Client)
	}
	return &m
}

// event returns what may be kept of a function's event: the values under secret names are taken out, wherever they lie.
func (s *scrubber) event(payload []byte) json.RawMessage {
	var event any
	if json.Unmarshal(payload, &event) != nil {
		return nil
	}
	kept, err := json.Marshal(redactTree("", event))
	if err != nil {
		return nil
	}
	return json.RawMessage(s.text(string(kept)))
}

// redactTree redacts each text by the name under which it stands, itself or in a list.
func redactTree(name string, node any) any {
	switch node := node.(type) {
	case map[string]any:
		for key, value := range node {
			node[key] = redactTree(key, value)
		}
	case []any:
		for i, value := range node {
			node[i] = redactTree(name, value)
		}
	case string:
		return redactValue(name, node)
	}
	return node
}
