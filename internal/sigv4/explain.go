package sigv4

import (
	"fmt"
	"strings"
)

// Part is the part of a signed request on which two sides part.
type Part string

// The parts, in the order in which they are compared.
const (
	PartNone          Part = "none" // nothing differs
	PartMethod        Part = "method"
	PartPath          Part = "path"
	PartQuery         Part = "query"
	PartHost          Part = "host"
	PartHeader        Part = "header"
	PartSignedHeaders Part = "signed headers"
	PartPayload       Part = "payload"
	PartAlgorithm     Part = "algorithm"
	PartDate          Part = "date"
	PartScope         Part = "scope"
	PartSecret        Part = "secret"
)

// Difference is the first line on which the server's and the client's text part.
type Difference struct {
	Part Part
	// Name is the header or the query parameter that differs, if there is one.
	Name string
	// Line is the number of the line, from 1: in the canonical request up to
	// PartPayload, in the string to sign after it, 0 if there is none.
	Line int
	// Server and Client are what the two have there; for a query only the
	// parameter that differs.
	Server, Client string
	// Why is what most likely happened, as a sentence.
	Why string
}

// String is the difference as a person reads it, on one to three lines.
func (d Difference) String() string {
	where := string(d.Part)
	if d.Name != "" {
		where += " " + d.Name
	}
	if d.Part == PartNone || d.Part == PartSecret {
		return fmt.Sprintf("%s: %s", where, d.Why)
	}
	return fmt.Sprintf("%s (line %d): %s\n  server: %s\n  client: %s", where, d.Line, d.Why, d.Server, d.Client)
}

// Explain compares what the server computed (a Refusal's texts, Inspect's, or
// AWS's by ParseMismatch) with what the client signed, and names the first
// difference. A text that one side does not have (it is empty) is not compared.
// With equal texts and different signatures the secret must differ.
func Explain(server, client Transcript) Difference {
	if server.CanonicalRequest != "" && client.CanonicalRequest != "" {
		if d := explainCanonical(parseShape(server.CanonicalRequest), parseShape(client.CanonicalRequest)); d.Part != PartNone {
			return d
		}
	}
	if server.StringToSign != "" && client.StringToSign != "" {
		if d := explainStringToSign(server.StringToSign, client.StringToSign); d.Part != PartNone {
			return d
		}
	}
	if server.Signature == client.Signature && server.Signature != "" {
		return Difference{Part: PartNone, Why: "both sides signed the same text with the same key"}
	}
	return Difference{Part: PartSecret, Server: server.Signature, Client: client.Signature,
		Why: "both sides signed the same text, so they used different secrets: check the secret access key, and that it belongs to this access key id"}
}

// shape is a canonical request taken apart.
type shape struct {
	method, path, query string
	headers             []string // "name:value"
	signedHeaders       string
	payload             string
}

// parseShape takes any text: what is missing stays empty.
func parseShape(canonicalRequest string) shape {
	lines := strings.Split(strings.TrimRight(canonicalRequest, "\n"), "\n")
	at := func(i int) string {
		if i < len(lines) {
			return lines[i]
		}
		return ""
	}
	s := shape{method: at(0), path: at(1), query: at(2)}
	i := 3
	for ; i < len(lines) && lines[i] != ""; i++ {
		s.headers = append(s.headers, lines[i])
	}
	s.signedHeaders, s.payload = at(i+1), at(i+2)
	return s
}

func (s *shape) String() string {
	var b strings.Builder
	b.WriteString(s.method + "\n" + s.path + "\n" + s.query + "\n")
	for _, header := range s.headers {
		b.WriteString(header + "\n")
	}
	b.WriteString("\n" + s.signedHeaders + "\n" + s.payload)
	return b.String()
}

func explainCanonical(server, client shape) Difference {
	firstHeader := 4
	switch {
	case server.method != client.method:
		return Difference{Part: PartMethod, Line: 1, Server: server.method, Client: client.method,
			Why: whyMethod(server.method, client.method)}
	case server.path != client.path:
		return Difference{Part: PartPath, Line: 2, Server: server.path, Client: client.path,
			Why: whyPath(server.path, client.path)}
	case server.query != client.query:
		return explainQuery(server.query, client.query)
	}
	for i := 0; i < len(server.headers) || i < len(client.headers); i++ {
		if d := explainHeader(lineAt(server.headers, i), lineAt(client.headers, i)); d.Part != PartNone {
			d.Line = firstHeader + i
			return d
		}
	}
	last := firstHeader + len(server.headers) + 1
	switch {
	case server.signedHeaders != client.signedHeaders:
		return Difference{Part: PartSignedHeaders, Line: last, Server: server.signedHeaders, Client: client.signedHeaders,
			Why: "the list of signed headers is not the one that was sent: it is sorted, in lower case, and the same in both places"}
	case server.payload != client.payload:
		return Difference{Part: PartPayload, Line: last + 1, Server: server.payload, Client: client.payload,
			Why: whyPayload(server.payload, client.payload)}
	}
	return Difference{Part: PartNone}
}

func lineAt(lines []string, i int) string {
	if i < len(lines) {
		return lines[i]
	}
	return ""
}

func explainHeader(server, client string) Difference {
	if server == client {
		return Difference{Part: PartNone}
	}
	serverName, serverValue, _ := strings.Cut(server, ":")
	clientName, clientValue, _ := strings.Cut(client, ":")
	d := Difference{Part: PartHeader, Name: serverName, Server: server, Client: client}
	switch {
	case serverName != clientName:
		if serverName == "" {
			d.Name = clientName
		}
		d.Why = "the two sides do not sign the same headers in the same order"
	case serverName == "host":
		d.Part, d.Name = PartHost, ""
		d.Why = whyHost(serverValue, clientValue)
	default:
		d.Why = whyHeader(serverValue, clientValue)
	}
	return d
}

// explainStringToSign compares algorithm, date and scope. The fourth line is the
// hash of the canonical request, which is compared elsewhere if it is known.
func explainStringToSign(server, client string) Difference {
	s, c := strings.Split(server, "\n"), strings.Split(client, "\n")
	parts := []Difference{
		{Part: PartAlgorithm, Why: "the two sides use different algorithms"},
		{Part: PartDate, Why: "the date in the string to sign is not the one that was sent: X-Amz-Date must be the time of the signature, and nothing may change it afterwards"},
		{Part: PartScope},
	}
	for i, d := range parts {
		d.Line, d.Server, d.Client = i+1, lineAt(s, i), lineAt(c, i)
		if d.Server == d.Client {
			continue
		}
		if d.Part == PartScope {
			d.Why = whyScope(d.Server, d.Client)
		}
		return d
	}
	if lineAt(s, 3) != lineAt(c, 3) {
		return Difference{Part: PartPayload, Line: 4, Server: lineAt(s, 3), Client: lineAt(c, 3),
			Why: "the canonical requests differ, and only their hashes are known: compare the canonical requests themselves"}
	}
	return Difference{Part: PartNone}
}
