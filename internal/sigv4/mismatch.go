package sigv4

import (
	"encoding/json"
	"errors"
	"strings"
)

// ErrNoMismatch is returned for an answer that is not AWS's "signature does not
// match", or that comes without the canonical string.
var ErrNoMismatch = errors.New("sigv4: this is no answer that shows a canonical string: want AWS's body that begins with \"The request signature we calculated does not match\"")

const (
	canonicalIntro    = "The Canonical String for this request should have been\n'"
	stringToSignIntro = "The String-to-Sign should have been\n'"
)

// ParseMismatch reads the canonical request and the string to sign out of AWS's
// answer to a wrong signature: the JSON body, or the message in it.
func ParseMismatch(body []byte) (Transcript, error) {
	message := strings.ReplaceAll(string(body), "\r\n", "\n")
	var answer struct {
		Lower string `json:"message"`
		Upper string `json:"Message"`
	}
	if json.Unmarshal(body, &answer) == nil {
		message = answer.Lower + answer.Upper
	}
	_, rest, found := strings.Cut(message, canonicalIntro)
	if !found {
		return Transcript{}, ErrNoMismatch
	}
	canonicalRequest, rest, found := strings.Cut(rest, "'\n\n"+stringToSignIntro)
	if !found {
		return Transcript{}, ErrNoMismatch
	}
	end := strings.LastIndexByte(rest, '\'')
	if end < 0 {
		return Transcript{}, ErrNoMismatch
	}
	return Transcript{CanonicalRequest: canonicalRequest, StringToSign: rest[:end]}, nil
}
