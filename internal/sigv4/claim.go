package sigv4

import (
	"net/http"
	"time"
)

// claim is what a request says about its own signature.
type claim struct {
	presigned     bool
	algorithm     string
	credential    string // as sent, "id/day/region/service/aws4_request"
	signedHeaders string // as sent, "host;x-amz-date"
	signature     string

	rawDate string // as sent
	isoDate string // as it stands in the string to sign
	date    time.Time

	id, day, region, service, term string // of the credential; no region with SigV4a

	expires    string // X-Amz-Expires of a presigned URL
	hasExpires bool
	token      string
	tokenParam bool // the token came as a query parameter
	regionSet  string
}

// read finds the one place where the request is signed and takes its claim from
// there. It checks form only: both placements or none, syntax, what is missing,
// algorithm, in this order.
func (c *claim) read(header http.Header, query string) *Refusal {
	authorization := firstValue(header, "Authorization")
	inHeader := authorization != ""
	algorithm, inQuery := queryValue(query, "X-Amz-Algorithm")
	switch {
	case inHeader && inQuery:
		return refuseBothPlacements()
	case inHeader:
		return c.readHeader(header, authorization)
	}
	c.algorithm = decodeQuery(algorithm)
	if inQuery && (c.algorithm == algorithmHMAC || c.algorithm == algorithmECDSA) {
		return c.readQuery(query)
	}
	return refuseMissingToken() // an unknown algorithm in the query is no authentication at all
}

// readHeader reads "ALGORITHM Credential=…, SignedHeaders=…, Signature=…". The
// first word is the algorithm whatever it says; the last of a repeated parameter
// wins.
func (c *claim) readHeader(header http.Header, authorization string) *Refusal {
	first := 0
	for first < len(authorization) && authorization[first] != ' ' && authorization[first] != ',' {
		first++
	}
	c.algorithm = authorization[:first]
	for rest, more := authorization[first:], true; more; {
		var piece string
		if piece, rest, more = cutByte(rest, ','); !c.readPiece(piece) {
			return refuseSyntax(authorization)
		}
	}
	c.readDate(header)
	if c.credential == "" || c.signature == "" || c.signedHeaders == "" || c.rawDate == "" {
		return refuseIncomplete(authorization, c.missing(""), c.rawDate != "")
	}
	if c.algorithm != algorithmHMAC && c.algorithm != algorithmECDSA {
		return refuseAlgorithm(c.algorithm)
	}
	c.token = firstValue(header, "X-Amz-Security-Token")
	if c.algorithm == algorithmECDSA {
		c.regionSet = firstValue(header, "X-Amz-Region-Set")
	}
	return nil
}

// readPiece reads what stands between two commas: "name=value", and more of them
// with spaces between. It is false if one has no equal-sign.
func (c *claim) readPiece(piece string) bool {
	for more := true; more; {
		var word string
		if word, piece, more = cutByte(piece, ' '); word == "" {
			continue
		}
		name, value, found := cutByte(word, '=')
		if !found {
			return false
		}
		switch name {
		case "Credential":
			c.credential = value
		case "SignedHeaders":
			c.signedHeaders = value
		case "Signature":
			c.signature = value
		}
	}
	return true
}

// readDate takes X-Amz-Date, and Date only in its absence.
func (c *claim) readDate(header http.Header) {
	c.rawDate = firstValue(header, "X-Amz-Date")
	c.isoDate = c.rawDate
	if c.rawDate != "" {
		return
	}
	c.rawDate = firstValue(header, "Date")
	c.isoDate = c.rawDate
	t, err := http.ParseTime(c.rawDate)
	if err != nil {
		t, err = time.Parse(time.RFC1123Z, c.rawDate) // botocore ends in "-0000"
	}
	if err == nil {
		c.isoDate = string(appendTime(nil, t.UTC()))
	}
}

// readQuery reads a presigned URL. The first of a repeated parameter wins.
func (c *claim) readQuery(query string) *Refusal {
	c.presigned = true
	value := func(name string) string {
		raw, _ := queryValue(query, name)
		return decodeQuery(raw)
	}
	c.credential = value("X-Amz-Credential")
	c.signature = value("X-Amz-Signature")
	c.signedHeaders = value("X-Amz-SignedHeaders")
	c.rawDate = value("X-Amz-Date")
	c.isoDate = c.rawDate
	if c.credential == "" || c.signature == "" || c.signedHeaders == "" || c.rawDate == "" {
		missing := c.missing("X-Amz-")
		if c.rawDate == "" {
			missing = append(missing, "X-Amz-Date")
		}
		return refuseIncompleteQuery(missing)
	}
	c.regionSet = value("X-Amz-Region-Set")
	c.token = value("X-Amz-Security-Token")
	c.tokenParam = c.token != ""
	_, c.hasExpires = queryValue(query, "X-Amz-Expires")
	c.expires = value("X-Amz-Expires")
	return nil
}

func (c *claim) missing(prefix string) []string {
	var names []string
	for _, p := range []struct{ name, value string }{
		{"Credential", c.credential}, {"Signature", c.signature}, {"SignedHeaders", c.signedHeaders},
	} {
		if p.value == "" {
			names = append(names, prefix+p.name)
		}
	}
	return names
}

// signs reports whether a header is among the signed ones.
func (c *claim) signs(name string) bool {
	for rest, more := c.signedHeaders, true; more; {
		var signed string
		if signed, rest, more = cutByte(rest, ';'); signed == name {
			return true
		}
	}
	return false
}

// splitCredential takes the credential apart: five parts, four with SigV4a.
func (c *claim) splitCredential() bool {
	var parts [5]string
	want := 5
	if c.algorithm == algorithmECDSA {
		want = 4
	}
	n := 0
	for rest, more := c.credential, true; more; n++ {
		if n == want {
			return false
		}
		parts[n], rest, more = cutByte(rest, '/')
	}
	if n != want {
		return false
	}
	c.id, c.day = parts[0], parts[1]
	if want == 5 {
		c.region = parts[2]
	}
	c.service, c.term = parts[want-2], parts[want-1]
	return true
}

// scope is the credential without the key's id.
func (c *claim) scope() string { return c.credential[len(c.id)+1:] }
