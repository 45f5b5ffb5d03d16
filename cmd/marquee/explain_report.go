package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/marquee-api/marquee/internal/sigv4"
)

// writeText prints the verdict, the reasons, what to do, and with verbose what the server signs.
func (d *diagnosis) writeText(out io.Writer, verbose bool) error {
	var b strings.Builder
	switch d.Verdict {
	case verdictAllowed:
		b.WriteString("allowed: the signature is right; whether a policy lets the caller in is another question\n")
	case verdictUnknown:
		b.WriteString("unknown: the signature cannot be checked with the secret at hand\n")
	default:
		b.WriteString("refused: " + d.refusal() + "\n")
	}
	for i := range d.Causes {
		d.Causes[i].write(&b)
	}
	b.WriteString("\n")
	d.writeFacts(&b)
	if verbose && d.Seen != nil {
		fmt.Fprintf(&b, "\ncanonical request:\n%s\n\nstring to sign:\n%s\n", printable(d.Seen.CanonicalRequest), printable(d.Seen.StringToSign))
	}
	_, err := io.WriteString(out, b.String())
	return err
}

// refusal is AWS's type and message on one line.
func (d *diagnosis) refusal() string {
	if d.Type == "" {
		return printable(d.Message)
	}
	return d.Type + ": " + printable(d.Message)
}

// write prints a cause: where, why, the two texts one above the other, how sure it is, what to do.
func (c *cause) write(b *strings.Builder) {
	fmt.Fprintf(b, "\n%s", c.Part)
	if c.Name != "" {
		b.WriteString(" " + visible(c.Name))
	}
	if c.Line > 0 {
		fmt.Fprintf(b, " (line %d of the %s)", c.Line, c.text())
	}
	if !c.proven {
		b.WriteString(" (most likely)")
	}
	fmt.Fprintf(b, ": %s\n", printable(c.Why))
	if server, client := c.texts(); server != client {
		width := max(len(c.sides[0]), len(c.sides[1]))
		fmt.Fprintf(b, "    %-*s  %s\n    %-*s  %s\n", width, c.sides[0], server, width, c.sides[1], client)
		if at := firstDifference(server, client); at > 0 {
			fmt.Fprintf(b, "    %-*s  %s^\n", width, "", strings.Repeat(" ", at))
		}
	}
	b.WriteString("  next: " + c.next() + "\n")
}

// text is which of the two texts Line counts in.
func (c *cause) text() string {
	switch c.Part {
	case sigv4.PartAlgorithm, sigv4.PartDate, sigv4.PartScope:
		if !strings.Contains(c.Server, ":") {
			return "string to sign"
		}
	}
	return "canonical request"
}

// texts are the lines of the two sides as they may be shown: no secret, no signature.
func (c *cause) texts() (server, client string) {
	if c.Part == sigv4.PartSecret {
		return "", ""
	}
	return orAbsent(printable(c.Server)), orAbsent(printable(c.Client))
}

func orAbsent(s string) string {
	if s == "" {
		return "(nothing)"
	}
	return s
}

// firstDifference counts the characters that two lines begin with alike.
func firstDifference(a, b string) int {
	n := 0
	for a != "" && b != "" {
		ra, size := utf8.DecodeRuneInString(a)
		rb, _ := utf8.DecodeRuneInString(b)
		if ra != rb {
			break
		}
		a, b = a[size:], b[size:]
		n++
	}
	return n
}

// next is what to do about a cause.
func (c *cause) next() string {
	if c.advice != "" {
		return c.advice
	}
	switch c.Part {
	case sigv4.PartMethod:
		return "sign the method that is sent, in upper case; look for redirects and method overrides"
	case sigv4.PartPath:
		return "sign the path exactly as it goes over the wire, after every encoding is done, with the stage; let no proxy decode or shorten it"
	case sigv4.PartQuery:
		return "build the query once, encode spaces as %20 and plus as %2B, and sign and send the same text"
	case sigv4.PartHost:
		return "sign the Host that is sent; behind a proxy either keep the client's Host or sign at the proxy (marquee proxy)"
	case sigv4.PartHeader:
		return "send the header as it was signed, or leave it out of the signature (only host and x-amz-* have to be in it)"
	case sigv4.PartSignedHeaders:
		return "list in SignedHeaders the names that were signed: lower case, sorted, joined with semicolons"
	case sigv4.PartPayload:
		return "hash the bytes that are sent: serialise and compress first, sign last"
	case sigv4.PartAlgorithm:
		return "use AWS4-HMAC-SHA256 on both sides"
	case sigv4.PartDate:
		return "sign just before sending, with the clock set right, and sign every retry anew"
	case sigv4.PartScope:
		return "sign for the scope that the server names"
	case sigv4.PartSecret:
		return "give the client the id, the secret and the token of one and the same access key; white space around a secret counts"
	case partKey:
		return "name the profile that signed with --profile, or give the client this one's keys"
	case partToken:
		return "send the X-Amz-Security-Token that came with the access key, and none with a long-term key"
	}
	return "give what the client signed with --client-canonical, or AWS's answer with --aws-error"
}

func (d *diagnosis) writeFacts(b *strings.Builder) {
	r := d.c.request
	fmt.Fprintf(b, "request:  %s %s to %s (%s, line %d)\n", r.Method, visible(redactTarget(r.Target)), visible(r.Host), d.c.capture.Form, r.Line)
	if d.Seen != nil {
		fmt.Fprintf(b, "signed:   by %s for %s, over %s\n", visible(d.Seen.AccessKeyID), visible(d.Seen.Scope), visible(strings.Join(d.Seen.SignedHeaders, ";")))
		if at := d.signedAt(); !at.IsZero() {
			fmt.Fprintf(b, "date:     %s\n", at.Format(time.RFC3339))
		}
	}
	if d.c.signer.missing == nil {
		fmt.Fprintf(b, "checked:  with the secret of %s (%s)\n", d.c.signer.from, visible(d.c.signer.keys.AccessKeyID))
	}
	if d.Clock != "" {
		fmt.Fprintf(b, "now:      %s\n", d.Clock)
	}
	for _, note := range d.Notes {
		fmt.Fprintf(b, "note:     %s\n", note)
	}
}

// The JSON of marquee explain --json.
type (
	explainJSON struct {
		Verdict  string       `json:"verdict"`
		Type     string       `json:"type,omitempty"`
		Message  string       `json:"message,omitempty"`
		Causes   []causeJSON  `json:"causes"`
		Notes    []string     `json:"notes"`
		Request  requestJSON  `json:"request"`
		Secret   string       `json:"secret_of,omitempty"`
		Clock    string       `json:"now,omitempty"`
		Computed computedJSON `json:"computed"`
	}
	causeJSON struct {
		Part   string `json:"part"`
		Name   string `json:"name,omitempty"`
		Line   int    `json:"line,omitempty"`
		Sides  string `json:"sides"`
		Server string `json:"server"`
		Client string `json:"client"`
		Why    string `json:"why"`
		Proven bool   `json:"proven"`
		Next   string `json:"next"`
	}
	requestJSON struct {
		Form          string   `json:"form"`
		Line          int      `json:"line"`
		Method        string   `json:"method"`
		Target        string   `json:"target"`
		Host          string   `json:"host"`
		AccessKeyID   string   `json:"access_key_id,omitempty"`
		Scope         string   `json:"scope,omitempty"`
		Date          string   `json:"date,omitempty"`
		SignedHeaders []string `json:"signed_headers,omitempty"`
		Presigned     bool     `json:"presigned"`
	}
	computedJSON struct {
		CanonicalRequest string `json:"canonical_request,omitempty"`
		StringToSign     string `json:"string_to_sign,omitempty"`
	}
)

// writeJSON prints the diagnosis as one object on one line.
func (d *diagnosis) writeJSON(out io.Writer) error {
	r := d.c.request
	v := explainJSON{
		Verdict: d.Verdict, Type: d.Type, Message: redactSigning(d.Message), Causes: []causeJSON{}, Notes: d.Notes, Clock: d.Clock,
		Request: requestJSON{Form: string(d.c.capture.Form), Line: r.Line, Method: r.Method, Target: redactTarget(r.Target), Host: r.Host},
	}
	if v.Notes == nil {
		v.Notes = []string{}
	}
	if d.c.signer.missing == nil {
		v.Secret = d.c.signer.from
	}
	if d.Seen != nil {
		v.Request.AccessKeyID, v.Request.Scope = d.Seen.AccessKeyID, d.Seen.Scope
		v.Request.SignedHeaders, v.Request.Presigned = d.Seen.SignedHeaders, d.Seen.Presigned
		if at := d.signedAt(); !at.IsZero() {
			v.Request.Date = at.Format(time.RFC3339)
		}
		v.Computed = computedJSON{redactSigning(d.Seen.CanonicalRequest), redactSigning(d.Seen.StringToSign)}
	}
	for i := range d.Causes {
		c := &d.Causes[i]
		one := causeJSON{Part: string(c.Part), Name: c.Name, Line: c.Line, Sides: c.sides[0] + ", " + c.sides[1], Why: redactSigning(c.Why), Proven: c.proven, Next: c.next()}
		if c.Part != sigv4.PartSecret {
			one.Server, one.Client = redactSigning(c.Server), redactSigning(c.Client)
		}
		v.Causes = append(v.Causes, one)
	}
	encoder := json.NewEncoder(out)
	encoder.SetEscapeHTML(false)
	return encoder.Encode(v)
}

// What is never shown: tokens and keys in header lines and queries, and what an Authorization header of another kind
// holds, which AWS's messages repeat.
var (
	secretLines = regexp.MustCompile(`(?im)^((?:x-amz-security-token|x-api-key|authorization|proxy-authorization|cookie):).+$`)
	secretQuery = regexp.MustCompile(`(?i)(X-Amz-(?:Security-Token|Signature)=)[^&\s']+`)
	quotedValue = regexp.MustCompile(`(?s)(Authorization=).*`)
)

func redactSigning(s string) string {
	s = secretLines.ReplaceAllString(s, "${1}[redacted]")
	s = secretQuery.ReplaceAllString(s, "${1}[redacted]")
	return quotedValue.ReplaceAllString(s, "${1}[redacted]")
}

// redactTarget is redactSigning for a raw target, in which the name of a parameter may be percent-encoded.
func redactTarget(target string) string {
	path, query, found := strings.Cut(target, "?")
	if !found {
		return target
	}
	pieces := strings.Split(query, "&")
	for i, piece := range pieces {
		name, _, _ := strings.Cut(piece, "=")
		if decoded, err := url.QueryUnescape(name); err == nil && secretQuery.MatchString(decoded+"=x") {
			pieces[i] = name + "=[redacted]"
		}
	}
	return path + "?" + strings.Join(pieces, "&")
}

// printable is a text of the capture's that may be shown: without secrets, and without what a terminal would obey.
func printable(s string) string { return visible(redactSigning(s)) }

// visible writes control characters and broken UTF-8 as escapes. Line ends stay.
func visible(s string) string {
	var b strings.Builder
	for s != "" {
		r, size := utf8.DecodeRuneInString(s)
		switch {
		case r == '\n', r != utf8.RuneError && strconv.IsPrint(r):
			b.WriteString(s[:size])
		case r == utf8.RuneError && size == 1:
			fmt.Fprintf(&b, `\x%02x`, s[0])
		default:
			quoted := strconv.QuoteRune(r)
			b.WriteString(quoted[1 : len(quoted)-1])
		}
		s = s[size:]
	}
	return b.String()
}
