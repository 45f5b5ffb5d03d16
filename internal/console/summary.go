package console

import (
	"strings"
	"time"

	"github.com/marquee-api/marquee/internal/gateway"
)

// Verdict is what became of a request, in one word.
type Verdict string

// The verdicts.
const (
	LetIn     Verdict = "let in"    // the gateway had nothing against it; the status is the function's
	Refused   Verdict = "refused"   // by a check of the gateway
	Throttled Verdict = "throttled" // by a limit
	Failed    Verdict = "failed"    // 5xx, the gateway's or the function's
)

// What stands for the identity of a request without a signature, and of one whose signature names nobody who is known.
const (
	unsigned = "unsigned"
	unknown  = "unknown"
)

// Summary is a request as the list shows it.
type Summary struct {
	Number   uint64    `json:"n"`
	Time     time.Time `json:"time"`
	Identity string    `json:"identity"`           // a name, or "unsigned"
	ARN      string    `json:"arn,omitempty"`      // proven by a signature
	Unproven bool      `json:"unproven,omitempty"` // the request says so, and its signature was refused
	Door     string    `json:"door"`
	Method   string    `json:"method"`
	Path     string    `json:"path"` // with the query
	Verdict  Verdict   `json:"verdict"`
	Status   int       `json:"status"`
	Duration int64     `json:"us"` // microseconds
	Why      string    `json:"why,omitempty"`
}

// longestPath bounds what a summary keeps of a path and its query.
const longestPath = 300

func summarize(r *gateway.Record, number uint64) Summary {
	s := Summary{
		Number: number, Time: r.Time, ARN: r.Identity, Door: r.Door, Method: r.Method, Path: r.Path,
		Verdict: verdictOf(r), Status: r.Status, Duration: r.Duration.Microseconds(), Why: r.Why,
	}
	s.Identity, s.Unproven = identityOf(r)
	if query := r.Query(); query != "" {
		s.Path += "?" + query
	}
	if len(s.Path) > longestPath {
		s.Path = strings.ToValidUTF8(s.Path[:longestPath], "") + "…"
	}
	return s
}

// identityOf names who a request is from, and says whether that is only claimed.
func identityOf(r *gateway.Record) (name string, unproven bool) {
	switch {
	case r.Name != "":
		return r.Name, false
	case r.Identity != "": // records of before names were kept
		return r.Identity[strings.LastIndexByte(r.Identity, '/')+1:], false
	case r.Claimed != "":
		return r.Claimed, true
	case r.AccessKeyID != "":
		return r.AccessKeyID, true
	}
	if r.LooksSigned() {
		return unknown, true
	}
	return unsigned, false
}

// refusal returns the check that refused the request, nil if none did. It is always the last one.
func refusal(r *gateway.Record) *gateway.Check {
	if n := len(r.Checks); n > 0 && !r.Checks[n-1].OK {
		return &r.Checks[n-1]
	}
	return nil
}

func verdictOf(r *gateway.Record) Verdict {
	refused := refusal(r)
	switch {
	case r.Status >= 500:
		return Failed
	case refused == nil:
		return LetIn
	case r.Status == 429:
		return Throttled
	}
	return Refused
}
