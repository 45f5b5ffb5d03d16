package sigv4

import (
	"fmt"
	"slices"
	"strings"
)

func whyMethod(server, client string) string {
	if strings.EqualFold(server, client) {
		return "the method is signed in upper case"
	}
	return "the request was sent with another method than it was signed with"
}

// whyPath knows what clients were seen to do to a path.
func whyPath(server, client string) string {
	decoded := decodePath(server)
	switch {
	case strings.EqualFold(server, client):
		return "the digits of percent escapes are upper case (%2F, not %2f)"
	case decoded == client:
		return "the client signed the path as it is on the wire: API Gateway percent-encodes the path of the wire once more (only S3 does not)"
	case NormalizePath(client) == server:
		return `the client signed empty, "." or ".." segments: the server removes them before it verifies`
	case strings.TrimSuffix(server, "/") == strings.TrimSuffix(client, "/"):
		return "a trailing slash is part of the path, and only one side has it"
	case client != "/" && strings.HasSuffix(server, client):
		return "the client signed the path without its beginning: the stage or the base path is part of it"
	case server != "/" && strings.HasSuffix(client, server):
		return "something on the way removed the beginning of the path: the stage or the base path is part of what was signed"
	case decodePath(decoded) == decodePath(client) || decoded == decodePath(client) || decodePath(decoded) == decodePath(decodePath(client)):
		return "the two sides encode the same path differently: every byte but A-Z a-z 0-9 - . _ ~ / is encoded, those that the URL leaves as they are (! ' ( ) * + , : ; = @ $ &) too"
	}
	return "the request was sent to another path than the signed one"
}

// decodePath undoes one round of percent-encoding. A plus is a plus in a path.
func decodePath(path string) string {
	return decodeQuery(strings.ReplaceAll(path, "+", "%2B"))
}

// explainQuery names the first parameter on which two canonical queries part.
func explainQuery(server, client string) Difference {
	d := Difference{Part: PartQuery, Line: 3, Server: server, Client: client}
	s, c := strings.Split(server, "&"), strings.Split(client, "&")
	sorted := slices.Sorted(slices.Values(c))
	switch {
	case slices.Equal(slices.Sorted(slices.Values(s)), sorted):
		d.Why = "the parameters are not in order: they are sorted by encoded name, and those of one name by encoded value"
		return d
	case client == "":
		d.Why = "the client signed no query: everything after the question mark is part of the request"
		return d
	case server == "":
		d.Why = "the query that the client signed did not arrive"
		return d
	}
	i := 0
	for i < len(s) && i < len(c) && s[i] == c[i] {
		i++
	}
	d.Server, d.Client = lineAt(s, i), lineAt(c, i)
	serverName, _, _ := strings.Cut(d.Server, "=")
	clientName, _, hasValue := strings.Cut(d.Client, "=")
	d.Name = serverName
	if d.Name == "" || d.Client != "" && clientName < serverName {
		d.Name = clientName
	}
	d.Why = whyParameter(d, hasValue)
	return d
}

func whyParameter(d Difference, hasValue bool) string {
	decoded := decodeQuery(d.Client)
	switch {
	case d.Client != "" && !hasValue && d.Server == d.Client+"=":
		return `a parameter without a value is signed with "="`
	case strings.EqualFold(d.Server, d.Client):
		return "the digits of percent escapes are upper case (%2A, not %2a)"
	case strings.Contains(d.Server, "%20") && strings.ReplaceAll(d.Server, "%20", "%2B") == d.Client,
		strings.Contains(d.Client, "+") && strings.ReplaceAll(d.Client, "+", "%20") == d.Server:
		return "a plus in a query is a space, and a space is signed as %20; a real plus is sent as %2B"
	case strings.HasPrefix(d.Client, "X-Amz-Signature="):
		return "X-Amz-Signature is not part of what it signs"
	case d.Server == "":
		return fmt.Sprintf("the client signed a parameter %q that did not arrive", d.Name)
	case d.Client == "":
		return fmt.Sprintf("a parameter %q arrived that the client did not sign", d.Name)
	case decoded == decodeQuery(d.Server):
		return "the two sides encode the same text differently: every byte but A-Z a-z 0-9 - . _ ~ is encoded"
	case decoded == d.Server:
		return "the client encoded the parameter twice"
	}
	return "the query that was sent is not the one that was signed"
}

func whyHost(server, client string) string {
	serverName, serverPort := cutPort(server)
	clientName, clientPort := cutPort(client)
	switch {
	case strings.EqualFold(server, client):
		return "the host is signed as it is sent, upper and lower case included"
	case serverName == clientName && serverPort && !clientPort:
		return "the client signed the host without its port"
	case serverName == clientName && clientPort && !serverPort:
		return "the client signed a port that is not in the Host header"
	}
	return "the request arrived under another Host than the signed one: sign the Host that is sent, and let no proxy rewrite it"
}

func whyHeader(server, client string) string {
	switch {
	case client != server && strings.Join(strings.Fields(client), " ") == server:
		return "a value is signed without white space around it, and with one space in place of several"
	case client == "":
		return "the client signed the header as empty"
	case server == "":
		return "the header was signed but did not arrive"
	}
	return "the header was changed after it was signed"
}

func whyPayload(server, client string) string {
	switch {
	case client == "UNSIGNED-PAYLOAD" || strings.HasPrefix(client, "STREAMING-"):
		return "the client did not sign the body: API Gateway wants the SHA-256 of the body"
	case client == EmptyPayloadHash:
		return "the client signed an empty body, but one arrived"
	case server == EmptyPayloadHash:
		return "the client signed a body, but none arrived"
	case strings.EqualFold(server, client):
		return "the hash is written in lower case"
	}
	return "the body that arrived is not the one that was hashed: nothing may serialise or compress it again after signing"
}

func whyScope(server, client string) string {
	s, c := strings.Split(server, "/"), strings.Split(client, "/")
	if len(s) != len(c) {
		return "the credential scopes have different forms: SigV4 has day/region/service/aws4_request, SigV4a no region"
	}
	names := []string{"day", "region", "service", "terminator"}
	if len(s) == 3 {
		names = []string{"day", "service", "terminator"}
	}
	for i, name := range names {
		if i < len(s) && s[i] != c[i] {
			return fmt.Sprintf("the %s of the scope is %q on the server and %q on the client", name, s[i], c[i])
		}
	}
	return "the credential scopes differ"
}
