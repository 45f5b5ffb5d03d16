package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/marquee-api/marquee/internal/capture"
	"github.com/marquee-api/marquee/internal/sigv4"
)

// The verdicts on a request, by its signature alone: what policies say is another question.
const (
	verdictAllowed = "allowed"
	verdictRefused = "refused"
	verdictUnknown = "unknown" // the secret that would tell is not known
)

// Parts that sigv4 has no name for.
const (
	partKey   sigv4.Part = "access key"
	partToken sigv4.Part = "session token"
	partForm  sigv4.Part = "form"
	partOther sigv4.Part = "unknown" // a difference that cannot be found without the client's canonical request
)

// cause is one reason for a refusal, and what to do about it.
type cause struct {
	sigv4.Difference
	sides  [2]string // whose texts Server and Client are
	advice string    // what to do; empty: what is right for every difference of the part
	proven bool      // it alone, with the causes beside it, explains the signature
}

var serverAndClient = [2]string{"server", "client"}

// diagnosis is the answer of marquee explain.
type diagnosis struct {
	Verdict       string
	Type, Message string // of the refusal, in AWS's words
	Causes        []cause
	Notes         []string
	Seen          *sigv4.Inspection // nil if the request carries no signature that can be read
	Clock         string            // whether the signature has expired since; empty with --now

	c *explainCase
}

func (c *explainCase) diagnose() *diagnosis {
	d := &diagnosis{Verdict: verdictAllowed, Notes: c.notes, c: c}
	seen, err := sigv4.Inspect(&c.in)
	if refusal := new(sigv4.Refusal); errors.As(err, &refusal) {
		d.refuse(refusal)
		d.addMeaning(refusal.Message)
		d.readAWSMessage()
		return d
	}
	if err != nil { // the input is complete: only a refusal is left
		d.Verdict, d.Message = verdictUnknown, err.Error()
		return d
	}
	d.Seen = seen
	if c.in.Region == "" {
		c.in.Region = claimedRegion(seen.Scope, c.in.Header.Get("X-Amz-Region-Set"))
		d.note("neither the host's name nor --region says which region the API is in: the scope's own region is taken for right")
	}
	d.checkKeyID()
	refusal := d.verify()
	if refusal == nil && c.aws == nil {
		d.compareWithClient(seen.Transcript)
		return d
	}
	if refusal != nil {
		d.refuse(refusal)
		d.explainRefusal(refusal)
	}
	d.readAWSMessage()
	if d.signatureCounts(refusal) {
		d.explainSignature()
	}
	return d
}

// verify asks what the server would say, as of --now or of the request's own date, and says how the clock stands.
func (d *diagnosis) verify() *sigv4.Refusal {
	in := d.c.in
	own := in.Now.IsZero()
	if own {
		in.Now = d.signedAt()
	}
	var verifier sigv4.Verifier
	_, err := verifier.Verify(&in)
	refusal := new(sigv4.Refusal)
	if !errors.As(err, &refusal) {
		refusal = nil
	}
	if own && !in.Now.IsZero() && (refusal == nil || !isTime(refusal)) {
		d.Clock = d.readClock(&verifier, in)
	}
	return refusal
}

func (d *diagnosis) readClock(verifier *sigv4.Verifier, in sigv4.VerifyInput) string {
	in.Now = d.c.clock
	_, err := verifier.Verify(&in)
	if refusal := new(sigv4.Refusal); errors.As(err, &refusal) && isTime(refusal) {
		return refusal.Message
	}
	return "the signature is still young enough to be sent again"
}

// isTime recognises the refusals that say nothing but that now is the wrong time.
func isTime(r *sigv4.Refusal) bool {
	return strings.HasPrefix(r.Message, "Signature expired") || strings.HasPrefix(r.Message, "Signature not yet current")
}

// signedAt is the date that the signature is over; zero if it is no date.
func (d *diagnosis) signedAt() time.Time {
	_, rest, _ := strings.Cut(d.Seen.StringToSign, "\n")
	date, _, _ := strings.Cut(rest, "\n")
	at, err := time.Parse("20060102T150405Z", date)
	if err != nil {
		return time.Time{}
	}
	return at
}

func (d *diagnosis) refuse(r *sigv4.Refusal) {
	d.Verdict, d.Type = verdictRefused, r.Type
	d.Message, _, _ = strings.Cut(r.Message, "\n")
}

func (d *diagnosis) note(format string, args ...any) {
	d.Notes = append(d.Notes, fmt.Sprintf(format, args...))
}

// add adds a cause that follows from the request alone, and is therefore certain.
func (d *diagnosis) add(part sigv4.Part, why string) {
	d.Causes = append(d.Causes, cause{Difference: sigv4.Difference{Part: part, Why: why}, sides: serverAndClient, proven: true})
}

// checkKeyID comes first: with another access key than the signer's nothing else can be judged.
func (d *diagnosis) checkKeyID() {
	s := &d.c.signer
	switch {
	case s.missing != nil:
		d.note("the secret is not known (%v): only texts are compared", s.missing)
	case d.Seen.AccessKeyID != s.keys.AccessKeyID:
		why := "the request was signed with another access key than that of " + s.from + ", which alone explains a wrong signature or an unknown key"
		if d.signedBySecret() {
			why = "the request names another access key than that of " + s.from + ", but is signed with its secret: id and secret of two keys were mixed"
		}
		d.Causes = append(d.Causes, cause{sides: serverAndClient, proven: true, Difference: sigv4.Difference{
			Part: partKey, Server: s.keys.AccessKeyID, Client: d.Seen.AccessKeyID, Why: why}})
	}
}

// signedBySecret reports whether the signer's secret made the signature, whatever access key id stands beside it.
func (d *diagnosis) signedBySecret() bool {
	in := d.c.in
	in.Lookup = func(string) (sigv4.Key, bool) { return d.c.signer.key(), true }
	seen, err := sigv4.Inspect(&in)
	return err == nil && seen.Signature != "" && seen.Signature == seen.Claimed
}

// keyKnown reports whether the signer's secret is the one that the request's access key id stands for.
func (d *diagnosis) keyKnown() bool {
	return d.c.signer.missing == nil && d.Seen.AccessKeyID == d.c.signer.keys.AccessKeyID
}

// explainRefusal says why a request is refused before its signature is compared.
func (d *diagnosis) explainRefusal(r *sigv4.Refusal) {
	switch {
	case r.CanonicalRequest != "": // explainSignature does this
	case strings.HasPrefix(r.Message, "Credential should be scoped"), strings.HasPrefix(r.Message, "Date in Credential scope"):
		d.explainScope(r)
	case r.Type == sigv4.TypeUnrecognizedClient && !d.keyKnown():
		d.Verdict, d.Type, d.Message = verdictUnknown, "", ""
	case r.Type == sigv4.TypeUnrecognizedClient:
		d.explainToken()
	case isTime(r):
		d.Causes = append(d.Causes, cause{sides: serverAndClient, proven: true, Difference: sigv4.Difference{
			Part: sigv4.PartDate, Server: d.c.in.Now.UTC().Format(time.RFC3339), Client: d.signedAt().Format(time.RFC3339),
			Why: meaningOf(r.Message).why}})
	default:
		d.addMeaning(r.Message)
	}
}

// explainScope compares the scope with the only one that is right.
func (d *diagnosis) explainScope(r *sigv4.Refusal) {
	lines := strings.Split(d.Seen.StringToSign, "\n")
	right := lines[1][:min(8, len(lines[1]))] + "/" + d.c.in.Region + "/" + d.c.in.Service + "/aws4_request"
	if strings.Count(d.Seen.Scope, "/") == 2 { // SigV4a
		right = lines[1][:min(8, len(lines[1]))] + "/" + d.c.in.Service + "/aws4_request"
	}
	server := slices.Clone(lines)
	server[2] = right
	found := explainTexts(sigv4.Transcript{StringToSign: strings.Join(server, "\n")}, sigv4.Transcript{StringToSign: d.Seen.StringToSign})
	if found.Part == sigv4.PartNone {
		d.add(sigv4.PartScope, "the region set that was signed does not hold the API's region, or X-Amz-Region-Set is not signed")
		return
	}
	d.Causes = append(d.Causes, cause{Difference: found, sides: serverAndClient, proven: true})
}

// explainToken says what is wrong with the session token of a request whose key is known.
func (d *diagnosis) explainToken() {
	sent, held := d.token(), d.c.signer.keys.SessionToken
	switch {
	case sent == "" && held != "":
		d.add(partToken, "the key is a temporary one, and the request carries no X-Amz-Security-Token")
	case held == "":
		d.add(partToken, "the key of "+d.c.signer.from+" is a long-term one, but the request carries a session token: it is left over from another session, or no token at all")
	default:
		d.add(partToken, "the session token is not the one of "+d.c.signer.from+": the credentials were renewed since the request was signed, or the token was cut")
	}
}

// token is the session token that the request carries, signed or not.
func (d *diagnosis) token() string {
	if token := d.c.in.Header.Get("X-Amz-Security-Token"); token != "" {
		return token
	}
	return queryParameter(d.c.in.Target, "X-Amz-Security-Token")
}

// signatureCounts reports whether the signature is worth a look: it is what was refused, or may be wrong besides.
func (d *diagnosis) signatureCounts(r *sigv4.Refusal) bool {
	if r == nil || r.CanonicalRequest != "" || d.c.aws != nil || d.c.client != nil {
		return true
	}
	if d.keyKnown() && d.Seen.Signature != "" && d.Seen.Signature == d.Seen.Claimed {
		d.note("nothing else is wrong: with the secret of %s the signature is right", d.c.signer.from)
		return false
	}
	if d.Seen.Signature == "" { // SigV4a signs the same text otherwise each time
		d.note("whether the signature is right besides was not checked")
		return false
	}
	return d.c.signer.missing == nil
}

// clientTranscript is what the client signed, out of a log that may hold the texts of many requests.
func (d *diagnosis) clientTranscript() (sigv4.Transcript, bool) {
	if len(d.c.client) == 0 {
		return sigv4.Transcript{}, false
	}
	at := d.signedAt().Format("20060102T150405Z")
	dated := slices.DeleteFunc(slices.Clone(d.c.client), func(s capture.Signing) bool {
		return !strings.Contains(s.CanonicalRequest+s.StringToSign, at)
	})
	chosen := d.c.client
	if len(dated) > 0 {
		chosen = dated
	}
	if len(chosen) > 1 {
		d.note("the client's log holds %d canonical requests that may be meant: the last one is compared", len(chosen))
	}
	last := chosen[len(chosen)-1]
	return sigv4.Transcript{CanonicalRequest: last.CanonicalRequest, StringToSign: last.StringToSign, Signature: d.Seen.Claimed}, true
}

// claimedRegion is the region of a credential scope, day/region/service/aws4_request. SigV4a's scope has none: the first
// of its region set is one that it holds.
func claimedRegion(scope, regionSet string) string {
	if parts := strings.Split(scope, "/"); len(parts) == 4 {
		return parts[1]
	}
	first, _, _ := strings.Cut(regionSet, ",")
	return first
}
