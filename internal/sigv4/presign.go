package sigv4

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// maxExpires is what S3 documents as the longest life of a presigned URL: "604800
// seconds (seven days)". No service takes more.
const maxExpires = 7 * 24 * time.Hour

// presignParameters are what Presign may add. The first of a repeated parameter
// counts, so a URL must not have any of them yet.
var presignParameters = []string{
	"X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Date", "X-Amz-Expires", "X-Amz-Region-Set",
	"X-Amz-Security-Token", "X-Amz-SignedHeaders", "X-Amz-Signature",
}

// Presign returns the request's URL with the signature in its query. The request
// must be sent to it with the same method, the same body, and every header of
// in.Request that is signed (host, content-type, x-amz-*). The request itself is
// not changed.
func (s *Signer) Presign(in *SignInput) (string, error) {
	if in.Expires%time.Second != 0 || in.Expires < 0 || in.Expires > maxExpires {
		return "", fmt.Errorf("sigv4: SignInput.Expires is %v: want whole seconds, at most %v", in.Expires, maxExpires)
	}
	work := getScratch()
	defer work.release()
	var d draft
	if err := d.read(in, work); err != nil {
		return "", err
	}
	for _, name := range presignParameters {
		if _, found := queryValue(d.query, name); found {
			return "", fmt.Errorf("sigv4: the URL is presigned already: presign the one without %s", name)
		}
	}
	fields, err := d.requestFields(nil, work)
	if err != nil {
		return "", err
	}
	d.query = d.presignedQuery(string(work.time), string(appendSignedHeaders(nil, fields)))
	c := d.canonical(work)
	c.fields = fields
	if err := s.sign(&d, &c, work); err != nil {
		return "", err
	}
	return d.presignedURL(string(work.signature)), nil
}

// presignedQuery is the query with every X-Amz-* parameter but the signature. The
// parameters of the caller stay as they are on the wire.
func (d *draft) presignedQuery(date, signedHeaders string) string {
	in := d.in
	scope := date[:len("20060102")] + "/" + in.Region + "/" + in.Service + "/" + terminator
	if d.regionSet != "" {
		scope = date[:len("20060102")] + "/" + in.Service + "/" + terminator
	}
	query := []byte(d.query)
	add := func(name, value string) {
		if len(query) > 0 {
			query = append(query, '&')
		}
		query = append(append(query, name...), '=')
		query = appendEncoded(query, value, &querySafe)
	}
	add("X-Amz-Algorithm", d.algorithm())
	add("X-Amz-Credential", in.Credentials.AccessKeyID+"/"+scope)
	add("X-Amz-Date", date)
	if in.Expires > 0 {
		add("X-Amz-Expires", strconv.Itoa(int(in.Expires/time.Second)))
	}
	if d.regionSet != "" {
		add("X-Amz-Region-Set", d.regionSet)
	}
	if token := in.Credentials.SessionToken; token != "" && !in.UnsignedToken {
		add("X-Amz-Security-Token", token)
	}
	add("X-Amz-SignedHeaders", signedHeaders)
	return string(query)
}

// presignedURL is the URL with what is not signed itself: the signature, and the
// token if it is to stay unsigned.
func (d *draft) presignedURL(signature string) string {
	var query strings.Builder
	query.WriteString(d.query)
	if token := d.in.Credentials.SessionToken; token != "" && d.in.UnsignedToken {
		query.WriteString("&X-Amz-Security-Token=")
		query.Write(appendEncoded(nil, token, &querySafe))
	}
	query.WriteString("&X-Amz-Signature=" + signature)
	u := *d.in.Request.URL
	u.RawQuery, u.Fragment, u.RawFragment = query.String(), "", ""
	return u.String()
}
