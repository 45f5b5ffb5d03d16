package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/marquee-api/marquee/internal/sigv4"
)

// mismatchMessage is how AWS's answer to a wrong signature begins.
const mismatchMessage = "The request signature we calculated does not match the signature you provided."

// parseAWSAnswer reads the body of an answer of AWS's.
func parseAWSAnswer(text []byte) (*awsAnswer, error) {
	transcript, err := sigv4.ParseMismatch(text)
	if err == nil {
		return &awsAnswer{transcript: transcript}, nil
	}
	var answer struct {
		Lower string `json:"message"`
		Upper string `json:"Message"`
	}
	if json.Unmarshal(text, &answer) != nil || answer.Lower+answer.Upper == "" {
		return nil, err
	}
	return &awsAnswer{message: answer.Lower + answer.Upper}, nil
}

// readAWSMessage takes AWS's word for the verdict. A message without canonical string is explained by itself.
func (d *diagnosis) readAWSMessage() {
	if d.c.aws == nil {
		return
	}
	d.Verdict = verdictRefused
	if d.c.aws.message == "" {
		d.Type = sigv4.TypeInvalidSignature
		d.Message = mismatchMessage
		return
	}
	d.Type, d.Message = "", d.c.aws.message
	d.addMeaning(d.c.aws.message)
}

// explainSignature finds out on what the two sides disagree: AWS's text and the client's where they are known, else by
// trying known mistakes until one gives the signature.
func (d *diagnosis) explainSignature() {
	server := d.Seen.Transcript
	agreed := false
	if d.c.aws != nil && d.c.aws.message == "" {
		agreed = d.compareWithAWS()
		server.CanonicalRequest, server.StringToSign = d.c.aws.transcript.CanonicalRequest, d.c.aws.transcript.StringToSign
	}
	if client, found := d.clientTranscript(); found {
		d.explainDifference(server, client)
		return
	}
	if d.c.aws != nil && !agreed || d.explainStructure() || d.c.signer.missing != nil {
		return
	}
	d.explainByTrial(agreed)
}

// compareWithAWS reports whether AWS computed what the captured request gives.
func (d *diagnosis) compareWithAWS() (agreed bool) {
	theirs := d.c.aws.transcript
	found := explainAligned(theirs, d.Seen.Transcript)
	if found.Part == sigv4.PartNone {
		d.note("AWS computed the same canonical request and string to sign as the captured request gives: it saw this request")
		return true
	}
	if found.Part == sigv4.PartDate {
		found.Why = "AWS's answer belongs to a request of another time than the captured one: capture the request and its answer together"
	} else {
		found.Why = "AWS did not see the captured request: something after the capture changed it, or the answer belongs to another request (as between client and server: " + found.Why + ")"
	}
	if d.Seen.Signature != "" && d.Seen.Signature == d.Seen.Claimed {
		d.note("the captured request itself is signed right")
	}
	d.Causes = append(d.Causes, cause{Difference: found, sides: [2]string{"AWS", "capture"}, proven: true})
	return false
}

// explainDifference compares the server's texts with what the client says it signed.
func (d *diagnosis) explainDifference(server, client sigv4.Transcript) {
	found := explainAll(server, client)
	if len(found) > 0 && d.c.signer.missing != nil && d.Verdict == verdictUnknown {
		d.Verdict, d.Type, d.Message = verdictRefused, sigv4.TypeInvalidSignature, mismatchMessage
	}
	switch {
	case len(found) > 0:
		proven := d.confirm(client)
		for _, difference := range found {
			d.Causes = append(d.Causes, cause{Difference: difference, sides: serverAndClient, proven: proven})
		}
	case client.CanonicalRequest == "":
		d.note("the client's log holds no canonical request, and its string to sign is the server's")
	case d.c.signer.missing == nil && !d.keyKnown():
		d.note("both sides signed the same text: nothing but the access key is wrong")
	case d.Seen.Signature == "":
		d.explainSecret("both sides signed the same text, so the client's secret is not the one that the server has for this access key id", true)
	case d.Seen.Signature != d.Seen.Claimed:
		d.explainSecret("both sides signed the same text, so the client used another secret than that of "+d.c.signer.from, true)
	case d.c.aws != nil:
		d.explainSecret(d.otherSecret(), true)
	}
}

// otherSecret is for a request that AWS saw as it was signed, with the secret at hand, and refused.
func (d *diagnosis) otherSecret() string {
	return "the secret of " + d.c.signer.from + " gives the signature that the request carries, over the text that AWS computed: AWS has another secret for this access key id"
}

// confirm reports whether the client's text, signed with the secret, gives the signature that the request carries: then
// the differences of the texts are all that is wrong. If it does not, either the secret is wrong, too, or the client's
// text is not that of this request.
func (d *diagnosis) confirm(client sigv4.Transcript) bool {
	if !d.keyKnown() || client.CanonicalRequest == "" {
		return false
	}
	lines := strings.Split(client.CanonicalRequest, "\n")
	if names := lines[len(lines)-2]; names != strings.Join(d.Seen.SignedHeaders, ";") {
		d.note("the client's canonical request lists the signed headers %s, and the request lists %s: is it the log of this request?", visible(names), visible(strings.Join(d.Seen.SignedHeaders, ";")))
		return false
	}
	signed, err := sigv4.Inspect(d.inputOf(lines))
	if err != nil || signed.Signature == "" || signed.CanonicalRequest != client.CanonicalRequest {
		_, hit := d.c.try(d.Seen) // a text that no correct client writes
		return hit
	}
	if signed.Signature == d.Seen.Claimed {
		return true
	}
	d.note("the client's canonical request and the secret of %s do not give the signature that the request carries either: the secret is another one, too, or the client's log is of another request", d.c.signer.from)
	return false
}

// inputOf is a request whose canonical request has these lines, if it is well formed.
func (d *diagnosis) inputOf(lines []string) *sigv4.VerifyInput {
	in := d.c.in
	in.Header = make(http.Header)
	in.Header["Authorization"] = d.c.in.Header["Authorization"]
	in.Method, in.PayloadHash = lines[0], lines[len(lines)-1]
	in.Target, _ = url.PathUnescape(lines[1])
	in.Target += "?" + lines[2]
	if d.Seen.Presigned {
		in.Target += "&X-Amz-Signature=" + d.Seen.Claimed
	}
	for _, line := range lines[3:max(3, len(lines)-3)] {
		name, value, _ := strings.Cut(line, ":")
		if in.Header.Add(name, value); name == "host" {
			in.Host = value
		}
	}
	return &in
}

// compareWithClient is for a request that is let in: does the client's log tell of it?
func (d *diagnosis) compareWithClient(server sigv4.Transcript) {
	client, found := d.clientTranscript()
	if !found {
		return
	}
	if difference := explainAligned(server, client); difference.Part != sigv4.PartNone {
		d.note("the signature is right, but the client's log tells of another request: its %s differs", difference.Part)
	}
}

func (d *diagnosis) explainSecret(why string, proven bool) {
	d.Causes = append(d.Causes, cause{Difference: sigv4.Difference{Part: sigv4.PartSecret, Why: why}, sides: serverAndClient, proven: proven})
}

// explainStructure finds what is wrong with a request by itself: it cannot be verified whatever the client signed.
func (d *diagnosis) explainStructure() (found bool) {
	for _, name := range d.Seen.SignedHeaders {
		if name == "host" || len(d.c.in.Header.Values(name)) > 0 {
			continue
		}
		d.Causes = append(d.Causes, cause{sides: serverAndClient, proven: true, Difference: sigv4.Difference{
			Part: sigv4.PartHeader, Name: name, Server: "(absent)", Client: name + ":…",
			Why: "the header is in SignedHeaders, but it is not in the request: something removed it, or its name was changed"}})
		found = true
	}
	return found
}

// explainByTrial tries the mistakes that are known.
func (d *diagnosis) explainByTrial(agreed bool) {
	s := &d.c.signer
	if !d.keyKnown() {
		return
	}
	if d.Seen.Signature == d.Seen.Claimed && d.Seen.Signature != "" {
		if agreed {
			d.explainSecret(d.otherSecret(), true)
			return
		}
		d.add(sigv4.PartPayload, "the signature is right, but X-Amz-Content-Sha256 is not the hash of the body that arrived")
		return
	}
	if found, hit := d.c.try(d.Seen); hit {
		for _, difference := range found {
			d.Causes = append(d.Causes, cause{Difference: difference, sides: serverAndClient, proven: true})
		}
		return
	}
	if d.Seen.Signature == "" { // SigV4a
		d.add(partOther, "the signature is wrong, and for SigV4a no mistakes can be tried: compare with --client-canonical")
		return
	}
	d.explainSecret(fmt.Sprintf("no mistake that clients and proxies are known to make gives this signature with the secret of %s, so another secret made it; "+
		"or else something was changed after signing into what cannot be guessed: %s. What the client signed (--client-canonical) tells the two apart",
		s.from, d.guarded()), false)
}

// guarded lists what the signature covers and a change of which cannot be undone by trying.
func (d *diagnosis) guarded() string {
	list := []string{"the Host", "the path"}
	if strings.Contains(d.c.in.Target, "?") {
		list = append(list, "the query")
	}
	for _, name := range d.Seen.SignedHeaders {
		if name != "host" {
			list = append(list, visible(name))
		}
	}
	return strings.Join(list, ", ") + " or the body"
}

// explainTexts compares texts alone: sigv4.Explain blames the secret where the signatures differ.
func explainTexts(server, client sigv4.Transcript) sigv4.Difference {
	server.Signature, client.Signature = "same", "same"
	return sigv4.Explain(server, client)
}

// explainAligned is explainTexts for texts that were written down: a session token that one side has redacted is no
// difference, and a changed date is one of the date.
func explainAligned(server, client sigv4.Transcript) sigv4.Difference {
	ours, theirs := tokenLine(server.CanonicalRequest), tokenLine(client.CanonicalRequest)
	if ours != "" && theirs != "" && (isRedacted(ours) || isRedacted(theirs)) {
		server.CanonicalRequest = strings.Replace(server.CanonicalRequest, ours, theirs, 1)
	}
	d := explainTexts(server, client)
	if d.Part == sigv4.PartHeader && d.Name == "x-amz-date" && strings.HasPrefix(d.Client, d.Name) {
		d.Part, d.Why = sigv4.PartDate, "the date was changed after signing: nothing may set X-Amz-Date again"
	}
	return d
}

// explainAll finds every line on which two texts differ. It stops at the first that puts the lines after it out of step.
func explainAll(server, client sigv4.Transcript) []sigv4.Difference {
	var found []sigv4.Difference
	dated := false
	for {
		d := explainAligned(server, client)
		if d.Part == sigv4.PartNone {
			return found
		}
		if d.Part != sigv4.PartDate || !dated { // the date stands in both texts
			found = append(found, d)
		}
		dated = dated || d.Part == sigv4.PartDate
		ours, theirs := &server.CanonicalRequest, client.CanonicalRequest
		if *ours == theirs || *ours == "" || theirs == "" {
			ours, theirs = &server.StringToSign, client.StringToSign
		} else {
			server.StringToSign = withLine(server.StringToSign, client.StringToSign, 4) // the hash of what differs
		}
		if strings.Count(*ours, "\n") != strings.Count(theirs, "\n") || d.Line == 0 {
			return found
		}
		*ours = withLine(*ours, theirs, d.Line)
	}
}

// withLine takes one line, counted from 1, from another text.
func withLine(text, other string, number int) string {
	lines, others := strings.Split(text, "\n"), strings.Split(other, "\n")
	if number <= len(lines) && number <= len(others) {
		lines[number-1] = others[number-1]
	}
	return strings.Join(lines, "\n")
}

// tokenLine is the line of a canonical request that holds the session token; empty if there is none.
func tokenLine(canonicalRequest string) string {
	for l := range strings.Lines(canonicalRequest) {
		if strings.HasPrefix(l, "x-amz-security-token:") {
			return l
		}
	}
	return ""
}

// isRedacted recognises what people and tools put in place of a token: tokens are base64.
func isRedacted(value string) bool {
	return strings.ContainsAny(value, "[]<>*…()") || strings.Contains(strings.ToLower(value), "redacted")
}

// queryParameter is the decoded value of a parameter of a raw target, empty if it is not there.
func queryParameter(target, name string) string {
	_, query, _ := strings.Cut(target, "?")
	for piece := range strings.SplitSeq(query, "&") {
		key, value, _ := strings.Cut(piece, "=")
		if key != name {
			continue
		}
		decoded, err := url.QueryUnescape(value)
		if err == nil {
			return decoded
		}
	}
	return ""
}
