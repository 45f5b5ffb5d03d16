package main

import "strings"

// meaning is what one of AWS's messages means, and what to do about it.
type meaning struct{ begin, why, next string }

const signAnew = "correct the client's signing and sign again; an AWS SDK's signer does all of this"

// meanings are the messages that need no canonical request to be understood, by how they begin.
var meanings = [...]meaning{
	{"Missing Authentication Token", "the request carries no signature (an Authorization header, or X-Amz-Algorithm and more in the query); API Gateway also says so where there is no such path",
		"sign the request: marquee call, curl --aws-sigv4, or an AWS SDK; check method and path"},
	{"Found both", "the request is signed twice, in the header and in the query",
		"send one signature: no Authorization header with a presigned URL"},
	{"Invalid key=value pair", "the Authorization header is not of the form AWS4-HMAC-SHA256 Credential=…, SignedHeaders=…, Signature=…: it is for another kind of authentication",
		"sign with SigV4 in place of the other kind; look for what sets Authorization after signing"},
	{"Authorization header requires", "parts of the signature are missing, or Authorization is for another kind of authentication", signAnew},
	{"AWS query-string parameters", "parts of the presigned URL's signature are missing: was the URL cut off?", signAnew},
	{"Unsupported AWS 'algorithm'", "the first word of the Authorization header is no algorithm of SigV4's", signAnew},
	{"'Host' or ':authority'", "the client did not sign the Host: every signature has to cover it", "add host to the signed headers"},
	{"Date must be in ISO-8601", "the date is not of the form 20260102T150405Z", "set X-Amz-Date to the time of signing in UTC, in this form"},
	{"X-Amz-Expires", "X-Amz-Expires is not a number of seconds up to a week", signAnew},
	{"Signature expired", "the request was signed more than five minutes before it was verified: it was kept too long, or the client's clock is behind",
		"sign just before sending, every retry anew, and set the client's clock"},
	{"Signature not yet current", "the request was signed more than five minutes ahead of when it was verified: the client's clock is ahead", "set the client's clock"},
	{"Credential must have exactly", "the credential is not of the form ID/day/region/service/aws4_request", signAnew},
	{"Credential should be scoped", "the request was signed for another region or service", "sign for the API's region, and for the service execute-api"},
	{"Date in Credential scope", "the day of the scope is not the day of X-Amz-Date", "take both from one reading of the clock, in UTC"},
	{"The security token included in the request is invalid", "the access key id is not known, or the session token does not belong to it",
		"give the client the id, the secret and the token of one and the same access key"},
	{"The security token included in the request is expired", "the session has ended", "get new credentials and sign again"},
	{"User: ", "the signature was right: a policy denies the request", "read which policy the message names; marquee simulate and the console of marquee local show why"},
	{"Forbidden", "the request did not come in through a way that the API allows: this is not about the signature",
		"call a private API through its VPC endpoint, and check its resource policy and the API key"},
}

// knownMeaning is what a message means, if it is one of those.
func knownMeaning(message string) (meaning, bool) {
	for _, m := range meanings {
		if strings.HasPrefix(message, m.begin) {
			return m, true
		}
	}
	return meaning{}, false
}

func meaningOf(message string) meaning {
	if m, ok := knownMeaning(message); ok {
		return m
	}
	return meaning{why: "the message is none of those that are known of signatures", next: "look at what in front of the API may have answered"}
}

// addMeaning adds what a message means as a cause.
func (d *diagnosis) addMeaning(message string) {
	m := meaningOf(message)
	d.add(partForm, m.why)
	d.Causes[len(d.Causes)-1].advice = m.next
}
