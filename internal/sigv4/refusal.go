package sigv4

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"strings"
	"time"
)

// The types of a Refusal: AWS's names, as x-amzn-ErrorType carries them.
const (
	TypeMissingAuthenticationToken = "MissingAuthenticationTokenException"
	TypeIncompleteSignature        = "IncompleteSignatureException"
	TypeInvalidSignature           = "InvalidSignatureException"
	TypeUnrecognizedClient         = "UnrecognizedClientException"
	TypeExpiredToken               = "ExpiredTokenException"
)

// Refusal is why a request was not let in, in AWS's words. It is the error that
// Verify returns; errors.As finds it.
type Refusal struct {
	// Type is AWS's name of the error, one of the constants above.
	Type string
	// Message is AWS's exact text. With a wrong signature it holds the two fields
	// below, and in them the session token if that was signed: it is meant for the
	// caller who sent it, not for a log.
	Message string
	// CanonicalRequest and StringToSign are what the signature should have been
	// over. They are empty unless the signature itself was wrong.
	CanonicalRequest string
	StringToSign     string
}

// Error is the type and the first line of the message.
func (r *Refusal) Error() string {
	message, _, _ := strings.Cut(r.Message, "\n")
	return r.Type + ": " + message
}

func refuseMissingToken() *Refusal {
	return &Refusal{Type: TypeMissingAuthenticationToken, Message: "Missing Authentication Token"}
}

func refuseBothPlacements() *Refusal {
	return &Refusal{Type: TypeInvalidSignature,
		Message: "Found both 'X-Amz-Algorithm' as a query-string param and 'Authorization' as HTTP header."}
}

// refuseSyntax quotes the hash of the header, as AWS does since 2025: the value
// may be somebody's bearer token.
func refuseSyntax(authorization string) *Refusal {
	sum := sha256.Sum256([]byte(authorization))
	return &Refusal{Type: TypeIncompleteSignature, Message: fmt.Sprintf(
		"Invalid key=value pair (missing equal-sign) in Authorization header (hashed with SHA-256 and encoded with Base64): '%s'.",
		base64.StdEncoding.EncodeToString(sum[:]))}
}

// refuseIncomplete lists everything that an Authorization header lacks.
func refuseIncomplete(authorization string, missing []string, hasDate bool) *Refusal {
	var b strings.Builder
	for _, name := range missing {
		fmt.Fprintf(&b, "Authorization header requires '%s' parameter. ", name)
	}
	if !hasDate {
		b.WriteString("Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. ")
	}
	b.WriteString("Authorization=" + authorization)
	return &Refusal{Type: TypeIncompleteSignature, Message: b.String()}
}

// refuseIncompleteQuery lists everything that a presigned URL lacks.
func refuseIncompleteQuery(missing []string) *Refusal {
	var b strings.Builder
	for _, name := range missing {
		fmt.Fprintf(&b, "AWS query-string parameters must include '%s'. ", name)
	}
	b.WriteString("Re-examine the query-string parameters.")
	return &Refusal{Type: TypeIncompleteSignature, Message: b.String()}
}

func refuseAlgorithm(algorithm string) *Refusal {
	return &Refusal{Type: TypeIncompleteSignature,
		Message: fmt.Sprintf("Unsupported AWS 'algorithm': '%s'.", algorithm)}
}

func refuseUnsignedHost() *Refusal {
	return &Refusal{Type: TypeInvalidSignature,
		Message: "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization."}
}

func refuseDate(date string) *Refusal {
	return &Refusal{Type: TypeIncompleteSignature, Message: fmt.Sprintf(
		"Date must be in ISO-8601 'basic format'. Got '%s'. See http://en.wikipedia.org/wiki/ISO_8601", date)}
}

// refuseExpires words what only S3 documents, under the type that the front end
// of API Gateway gives to every malformed parameter.
func refuseExpires(reason string) *Refusal {
	return &Refusal{Type: TypeIncompleteSignature, Message: reason}
}

func refuseExpired(date, now time.Time, window time.Duration) *Refusal {
	return &Refusal{Type: TypeInvalidSignature, Message: fmt.Sprintf(
		"Signature expired: %s is now earlier than %s (%s - %s)",
		date.Format(timeFormat), now.Add(-window).Format(timeFormat), now.Format(timeFormat), inWords(window))}
}

func refuseNotYetCurrent(date, now time.Time, skew time.Duration) *Refusal {
	return &Refusal{Type: TypeInvalidSignature, Message: fmt.Sprintf(
		"Signature not yet current: %s is still later than %s (%s + %s)",
		date.Format(timeFormat), now.Add(skew).Format(timeFormat), now.Format(timeFormat), inWords(skew))}
}

// inWords prints "5 min.", which is all that AWS was ever seen to print; windows
// of other lengths are ours.
func inWords(d time.Duration) string {
	if d%time.Minute == 0 {
		return fmt.Sprintf("%d min.", d/time.Minute)
	}
	return fmt.Sprintf("%d sec.", d/time.Second)
}

func refuseCredential(c *claim) *Refusal {
	count, example := 5, "keyid/date/region/service/term"
	if c.algorithm == algorithmECDSA {
		count, example = 4, "keyid/date/service/term"
	}
	return &Refusal{Type: TypeIncompleteSignature, Message: fmt.Sprintf(
		"Credential must have exactly %d slash-delimited elements, e.g. %s, got '%s'", count, example, c.credential)}
}

// refuseScope lists every part of the scope that is wrong. Each sentence ends in
// a space, the last one too.
func refuseScope(c *claim, regionWrong bool, service string) *Refusal {
	var b strings.Builder
	if regionWrong {
		b.WriteString("Credential should be scoped to a valid region. ")
	}
	if c.service != service {
		fmt.Fprintf(&b, "Credential should be scoped to correct service: '%s'. ", service)
	}
	if c.term != terminator {
		fmt.Fprintf(&b, "Credential should be scoped with a valid terminator: '%s', not '%s'. ", terminator, c.term)
	}
	if c.day != c.isoDate[:8] {
		fmt.Fprintf(&b, "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '%s' != '%s', from '%s'. ",
			c.day, c.isoDate[:8], c.isoDate)
	}
	return &Refusal{Type: TypeInvalidSignature, Message: b.String()}
}

func refuseClient() *Refusal {
	return &Refusal{Type: TypeUnrecognizedClient, Message: "The security token included in the request is invalid."}
}

func refuseExpiredToken() *Refusal {
	return &Refusal{Type: TypeExpiredToken, Message: "The security token included in the request is expired"}
}

func refuseSignature(canonicalRequest, stringToSign []byte) *Refusal {
	r := &Refusal{Type: TypeInvalidSignature,
		CanonicalRequest: string(canonicalRequest), StringToSign: string(stringToSign)}
	r.Message = "The request signature we calculated does not match the signature you provided. " +
		"Check your AWS Secret Access Key and signing method. Consult the service documentation for details.\n\n" +
		canonicalIntro + r.CanonicalRequest + "'\n\n" + stringToSignIntro + r.StringToSign + "'\n"
	return r
}
