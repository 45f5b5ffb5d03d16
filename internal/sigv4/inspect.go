package sigv4

import "strings"

// Inspection is what a verifier sees of a signed request, whether or not it would
// let it in.
type Inspection struct {
	// Transcript is what the server signs. Its Signature is empty if Lookup is nil
	// or does not know the key, and with SigV4a, where no two signatures are equal.
	Transcript
	AccessKeyID   string
	Algorithm     string // "AWS4-HMAC-SHA256" or "AWS4-ECDSA-P256-SHA256"
	Scope         string // "20150830/us-east-1/execute-api/aws4_request"
	SignedHeaders []string
	Claimed       string // the signature that the request carries
	Presigned     bool
}

// Inspect computes what Verify would compare, and decides nothing: neither time
// nor scope nor key. Region and Service are not needed. The error is a *Refusal if
// the request carries no signature that can be read.
func Inspect(in *VerifyInput) (*Inspection, error) {
	if err := in.checkPayloadHash(); err != nil {
		return nil, err
	}
	var c claim
	path, query := splitTarget(in.Target)
	if refusal := c.read(in.Header, query); refusal != nil {
		return nil, refusal
	}
	if !c.splitCredential() {
		return nil, refuseCredential(&c)
	}
	work := getScratch()
	defer work.release()
	s := newSubject(in, &c, path, query)
	s.write(work)
	out := &Inspection{
		Transcript:  Transcript{CanonicalRequest: string(work.canonical), StringToSign: string(work.toSign)},
		AccessKeyID: c.id, Algorithm: c.algorithm, Scope: c.scope(), Presigned: c.presigned,
		SignedHeaders: strings.Split(c.signedHeaders, ";"), Claimed: c.signature,
	}
	if in.Lookup == nil || c.algorithm != algorithmHMAC {
		return out, nil
	}
	if key, known := in.Lookup(c.id); known {
		newSigningKey(c.id, key.SecretAccessKey, c.day, c.region, c.service).sign(work)
		out.Signature = string(work.signature)
	}
	return out, nil
}
