package sigv4

import (
	"slices"
	"strings"
)

// Guess finds out what a client signed whose canonical request is not known. It
// tries the mistakes that clients were seen to make, one and then two at a time,
// until one yields the signature that the request carries: what it returns is
// proven by the signature. Without a hit it returns false. It needs a Lookup that
// knows the key, and knows nothing of SigV4a.
func Guess(in *VerifyInput) ([]Difference, bool) {
	differences, _, found := GuessText(in)
	return differences, found
}

// GuessText is Guess with the whole canonical request that the client signed. It
// may hold the session token.
func GuessText(in *VerifyInput) (differences []Difference, canonicalRequest string, found bool) {
	seen, err := Inspect(in)
	if err != nil || seen.Signature == "" {
		return nil, "", false
	}
	g := newGuess(in, seen)
	if g.yields(&g.server, g.secret) {
		return []Difference{{Part: PartNone, Why: "the signature is right"}}, g.server.String(), true
	}
	if why, found := g.secretMistake(); found {
		return []Difference{{Part: PartSecret, Why: why}}, g.server.String(), true
	}
	for i, first := range mistakes {
		one, ok := first.apply(g, g.server)
		if !ok {
			continue
		}
		if g.yields(&one, g.secret) {
			return []Difference{g.difference(first, one)}, one.String(), true
		}
		for _, second := range mistakes[i+1:] {
			two, ok := second.apply(g, one)
			if ok && second.part != first.part && g.yields(&two, g.secret) {
				return []Difference{g.difference(first, two), g.difference(second, two)}, two.String(), true
			}
		}
	}
	return nil, "", false
}

// guess is one request whose signature is to be hit.
type guess struct {
	in                    *VerifyInput
	seen                  *Inspection
	server                shape
	path, query           string // raw
	secret                string
	date, region, service string
}

func newGuess(in *VerifyInput, seen *Inspection) *guess {
	key, _ := in.Lookup(seen.AccessKeyID)
	g := &guess{in: in, seen: seen, server: parseShape(seen.CanonicalRequest), secret: key.SecretAccessKey}
	g.path, g.query = splitTarget(in.Target)
	if seen.Presigned {
		g.query = withoutParameter(g.query, "X-Amz-Signature")
	}
	scope := strings.Split(seen.Scope, "/")
	g.date, g.region, g.service = scope[0], scope[1], scope[2]
	return g
}

// yields reports whether a client that signs this canonical request with this
// secret arrives at the signature that the request carries.
func (g *guess) yields(s *shape, secret string) bool {
	work := getScratch()
	defer work.release()
	_, date, _ := strings.Cut(g.seen.StringToSign, "\n")
	date, _, _ = strings.Cut(date, "\n")
	work.canonical = append(work.canonical[:0], s.String()...)
	work.time, work.second = append(work.time[:0], date...), 0
	work.writeStringToSign(algorithmHMAC, work.time, g.seen.Scope)
	newSigningKey(g.seen.AccessKeyID, secret, g.date, g.region, g.service).sign(work)
	return string(work.signature) == g.seen.Claimed
}

func (g *guess) secretMistake() (why string, found bool) {
	for _, try := range []struct{ secret, why string }{
		{g.secret + "\n", "the client's secret ends in a line break"},
		{g.secret + "\r\n", "the client's secret ends in a line break"},
		{g.secret + " ", "the client's secret ends in a space"},
		{" " + g.secret, "the client's secret begins with a space"},
		{`"` + g.secret + `"`, "the client's secret stands in quotes"},
		{"", "the client's secret is empty"},
	} {
		if g.yields(&g.server, try.secret) {
			return try.why, true
		}
	}
	return "", false
}

// difference words a mistake with the texts of both sides.
func (g *guess) difference(m mistake, client shape) Difference {
	full := explainCanonical(g.server, client)
	if full.Part != m.part { // the second of two mistakes
		only := g.server
		only, _ = m.apply(g, only)
		full = explainCanonical(g.server, only)
	}
	full.Why = m.why
	return full
}

// mistake is one way in which a client's canonical request was seen to be wrong.
type mistake struct {
	part   Part
	why    string
	change func(g *guess, s *shape)
}

// apply returns the changed shape, and whether the mistake changes anything here.
func (m mistake) apply(g *guess, s shape) (shape, bool) {
	before := s.String()
	s.headers = append([]string(nil), s.headers...)
	m.change(g, &s)
	return s, s.String() != before
}

var mistakes = []mistake{
	{PartMethod, "the client signed the method in lower case",
		func(_ *guess, s *shape) { s.method = strings.ToLower(s.method) }},
	{PartPath, "the client signed the path as it is on the wire: API Gateway percent-encodes the path of the wire once more (only S3 does not)",
		func(g *guess, s *shape) { s.path = NormalizePath(g.path) }},
	{PartPath, `the client signed the path as it is on the wire, with its empty, "." or ".." segments and not encoded once more`,
		func(g *guess, s *shape) { s.path = g.path }},
	{PartPath, `the client signed empty, "." or ".." segments: the server removes them before it verifies`,
		func(g *guess, s *shape) { s.path = string(appendCanonicalPath(nil, g.path, PathUnnormalized)) }},
	{PartPath, "the client decoded the path and encoded it once: API Gateway percent-encodes the path of the wire, escapes included",
		func(g *guess, s *shape) {
			s.path = string(appendEncoded(nil, decodePath(NormalizePath(g.path)), &pathSafe))
		}},
	{PartPath, "the client signed the path without its first segment: the stage is part of it",
		func(_ *guess, s *shape) { s.path = withoutFirstSegment(s.path) }},
	{PartQuery, "the client signed no query: everything after the question mark is part of the request",
		func(_ *guess, s *shape) { s.query = "" }},
	{PartQuery, "the client signed the query as it is on the wire: its parameters are encoded anew and sorted",
		func(g *guess, s *shape) { s.query = g.query }},
	{PartQuery, "the client did not sort the query: by encoded name, then by encoded value",
		func(g *guess, s *shape) { s.query = unsortedQuery(g.query) }},
	{PartQuery, "the client signed a plus as %2B: a plus in a query is a space, a real plus is sent as %2B",
		func(g *guess, s *shape) { s.query = canonicalQuery(strings.ReplaceAll(g.query, "+", "%2B")) }},
	{PartQuery, `the client signed parameters without a value without their "="`,
		func(_ *guess, s *shape) { s.query = withoutBareEquals(s.query) }},
	{PartHost, "the client signed the host without its port",
		func(_ *guess, s *shape) { s.setHeader("host", func(v string) string { v, _ = cutPort(v); return v }) }},
	{PartHost, "the client signed the port 443, which is not in the Host header",
		func(_ *guess, s *shape) { s.setHeader("host", func(v string) string { return v + ":443" }) }},
	{PartHost, "the client signed the host in lower case, but did not send it so",
		func(_ *guess, s *shape) { s.setHeader("host", strings.ToLower) }},
	{PartHeader, "the client signed header values as they are: white space is trimmed and collapsed",
		func(g *guess, s *shape) { s.rawHeaders(g) }},
	{PartPayload, "the client signed an empty body, but one arrived",
		func(_ *guess, s *shape) { s.payload = EmptyPayloadHash }},
	{PartPayload, "the client did not sign the body: API Gateway wants the SHA-256 of the body",
		func(_ *guess, s *shape) { s.payload = "UNSIGNED-PAYLOAD" }},
	{PartPayload, "the client signed the hash in X-Amz-Content-Sha256, but another body arrived",
		func(g *guess, s *shape) { s.payload = firstValue(g.in.Header, "X-Amz-Content-Sha256") }},
}

func withoutFirstSegment(path string) string {
	if slash := strings.IndexByte(strings.TrimPrefix(path, "/"), '/'); slash >= 0 {
		return path[slash+1:]
	}
	return "/"
}

func canonicalQuery(query string) string {
	work := getScratch()
	defer work.release()
	return string(work.appendCanonicalQuery(nil, query, queryRule{}))
}

func withoutParameter(query, name string) string {
	parameters := slices.DeleteFunc(strings.Split(query, "&"), func(p string) bool {
		rawName, _, _ := strings.Cut(p, "=")
		return isNamed(rawName, name)
	})
	return strings.Join(parameters, "&")
}

// unsortedQuery is the canonical query in the order of the wire.
func unsortedQuery(query string) string {
	var parameters []string
	for _, piece := range strings.Split(query, "&") {
		if piece != "" {
			parameters = append(parameters, canonicalQuery(piece))
		}
	}
	return strings.Join(parameters, "&")
}

func withoutBareEquals(query string) string {
	parameters := strings.Split(query, "&")
	for i, p := range parameters {
		parameters[i] = strings.TrimSuffix(p, "=")
	}
	return strings.Join(parameters, "&")
}

// setHeader changes the value of a header line.
func (s *shape) setHeader(name string, change func(string) string) {
	for i, line := range s.headers {
		if value, found := strings.CutPrefix(line, name+":"); found {
			s.headers[i] = name + ":" + change(value)
		}
	}
}

// rawHeaders puts the values as they were sent in place of the collapsed ones.
func (s *shape) rawHeaders(g *guess) {
	for i, line := range s.headers {
		name, _, _ := strings.Cut(line, ":")
		if values := headerValues(g.in.Header, name); len(values) > 0 {
			s.headers[i] = name + ":" + strings.Join(values, ",")
		}
	}
}
