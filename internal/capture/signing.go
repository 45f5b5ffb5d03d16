package capture

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
)

// maxLog is the longest log that ParseSigning reads, in bytes.
const maxLog = 16 << 20

// Signing is the pair of texts that a client says it signed. One of the two may be empty.
type Signing struct {
	CanonicalRequest string
	StringToSign     string
}

// ParseSigning finds canonical requests and strings to sign in a text: marquee call --show-signing, the debug log of
// botocore, of the AWS SDKs or of curl, an answer of AWS's, or the bare texts. They are recognised by their shape, and a
// string to sign belongs to the canonical request whose hash it holds.
func ParseSigning(in io.Reader) ([]Signing, error) {
	text, err := io.ReadAll(io.LimitReader(in, maxLog+1))
	if err != nil {
		return nil, err
	}
	if len(text) > maxLog {
		return nil, fmt.Errorf("the log is longer than %d bytes: cut out the canonical request that is meant", maxLog)
	}
	found := findSignings(string(text))
	if len(found) == 0 { // a log that keeps each message on one line
		found = findSignings(strings.ReplaceAll(string(text), `\n`, "\n"))
	}
	if len(found) == 0 {
		return nil, errors.New("the text holds no canonical request: want a method, a path, a query, headers, an empty line, the signed headers and a hash, a line each")
	}
	return found, nil
}

var (
	signingMethod  = regexp.MustCompile(`(?:^|['"\[ ])([A-Za-z]{3,10})$`)
	signingHeader  = regexp.MustCompile(`^[^:\s]+:`)
	signingNames   = regexp.MustCompile(`^[A-Za-z0-9_.;-]+$`)
	signingPayload = regexp.MustCompile(`^([0-9a-fA-F]{64}|UNSIGNED-PAYLOAD|STREAMING-[A-Z0-9-]+)['"\])]*`)

	signingAlgorithm = regexp.MustCompile(`(?:^|['"\[ ])(AWS4-[A-Z0-9-]+)$`)
	signingDate      = regexp.MustCompile(`^\d{8}T\d{6}Z$`)
	signingScope     = regexp.MustCompile(`^\d{8}/[^\s]+/aws4_request$`)
	signingHash      = regexp.MustCompile(`^([0-9a-f]{64})['"\])]*`)
)

func findSignings(text string) []Signing {
	lines := strings.Split(text, "\n")
	for i, l := range lines {
		lines[i] = strings.TrimSuffix(l, "\r")
	}
	var found []Signing
	for i := range lines {
		if canonical := canonicalAt(lines[i:]); canonical != "" {
			found = append(found, Signing{CanonicalRequest: canonical})
		}
		if toSign, hash := stringToSignAt(lines[i:]); toSign != "" {
			found = addStringToSign(found, toSign, hash)
		}
	}
	return found
}

// addStringToSign gives a string to sign to the last canonical request with its hash. A canonical request in which
// somebody redacted something has another hash: then the last one that lacks its string to sign is meant.
func addStringToSign(found []Signing, toSign, hash string) []Signing {
	lacking := -1
	for i := len(found) - 1; i >= 0; i-- {
		if found[i].StringToSign != "" {
			continue
		}
		sum := sha256.Sum256([]byte(found[i].CanonicalRequest))
		if hex.EncodeToString(sum[:]) == hash {
			found[i].StringToSign = toSign
			return found
		}
		if lacking < 0 {
			lacking = i
		}
	}
	if lacking < 0 {
		return append(found, Signing{StringToSign: toSign})
	}
	found[lacking].StringToSign = toSign
	return found
}

// canonicalAt returns the canonical request that begins on the first of these lines, or nothing.
func canonicalAt(lines []string) string {
	const before, after, most = 3, 3, 500 // lines around the headers, and of them
	if len(lines) < before+1+after || !strings.HasPrefix(lines[1], "/") {
		return ""
	}
	method := signingMethod.FindStringSubmatch(lines[0])
	if method == nil {
		return ""
	}
	end := before
	for end < min(len(lines), before+most) && signingHeader.MatchString(lines[end]) {
		end++
	}
	if end == before || end+after > len(lines) || lines[end] != "" || !signingNames.MatchString(lines[end+1]) {
		return ""
	}
	payload := signingPayload.FindStringSubmatch(lines[end+2])
	if payload == nil {
		return ""
	}
	return method[1] + "\n" + strings.Join(lines[1:end+2], "\n") + "\n" + payload[1]
}

// stringToSignAt returns the string to sign that begins on the first of these lines, and the hash in it.
func stringToSignAt(lines []string) (text, hash string) {
	if len(lines) < 4 || !signingDate.MatchString(lines[1]) || !signingScope.MatchString(lines[2]) {
		return "", ""
	}
	algorithm, sum := signingAlgorithm.FindStringSubmatch(lines[0]), signingHash.FindStringSubmatch(lines[3])
	if algorithm == nil || sum == nil {
		return "", ""
	}
	return algorithm[1] + "\n" + lines[1] + "\n" + lines[2] + "\n" + sum[1], sum[1]
}
