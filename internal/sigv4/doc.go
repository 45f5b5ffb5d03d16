// Package sigv4 signs HTTP requests with AWS Signature Version 4 and verifies
// requests that others signed.
//
// Both directions share one canonical request, built from the raw request
// target: what counts is what stands on the wire. [Signer] signs with an
// Authorization header or presigns a URL, [Verifier] answers who signed and what
// was signed, or a [Refusal] in AWS's own words, and [Explain] names the first
// line on which two canonical requests part.
//
// SigV4a (ECDSA P-256, for a set of regions) shares everything but the key, the
// scope and the signature.
//
// The rules are those of "Create a signed AWS API request" in the IAM User
// Guide, as API Gateway applies them: the path of the wire is normalised and
// percent-encoded once more, the payload line is the hash of the body, and a
// signature lives for five minutes.
//
// The package reads no configuration, fetches no credentials, sends nothing and
// authorises nobody. It does not know S3's chunked and unsigned payloads as a
// verifier: a body whose hash is not signed is refused.
package sigv4
