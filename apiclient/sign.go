package apiclient

import (
	"net/http"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/marquee-api/marquee/internal/sigv4"
)

// Signing is what was signed, for people who look for the byte that makes a signature wrong. Session tokens in it are
// redacted, so it may be shown and logged.
type Signing struct {
	// CanonicalRequest and StringToSign are the two texts of Signature Version 4.
	CanonicalRequest, StringToSign string
}

// signInput is a signature over a request that leaves now. What the caller of the package had under the names of a
// signature's headers is not part of it.
func (t *Transport) signInput(out *http.Request, hash string, with aws.Credentials, f flight) *sigv4.SignInput {
	return &sigv4.SignInput{
		Request:     out,
		PayloadHash: hash,
		Credentials: sigv4.Credentials{
			AccessKeyID:     with.AccessKeyID,
			SecretAccessKey: with.SecretAccessKey,
			SessionToken:    with.SessionToken,
		},
		Region:  t.endpoint.region,
		Service: service,
		Time:    f.sent.Add(f.offset),
	}
}

func (t *Transport) sign(out *http.Request, hash string, with aws.Credentials, f flight) error {
	in := t.signInput(out, hash, with, f)
	if t.onSign != nil {
		steps, err := t.signer.Transcript(in)
		if err != nil {
			return err
		}
		t.onSign(Signing{
			CanonicalRequest: string(redact([]byte(steps.CanonicalRequest))),
			StringToSign:     steps.StringToSign,
		})
	}
	return t.signer.Sign(in)
}

// isSignature reports whether a header belongs to a signature, and is therefore the transport's to set.
func isSignature(name string) bool {
	switch len(name) {
	case len("Authorization"):
		return strings.EqualFold(name, "Authorization")
	case len("X-Amz-Date"):
		return strings.EqualFold(name, "X-Amz-Date")
	case len("X-Amz-Security-Token"):
		return strings.EqualFold(name, "X-Amz-Security-Token")
	}
	return false
}
