package local

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/marquee-api/marquee/internal/gateway"
	"github.com/marquee-api/marquee/internal/identity/sts"
	"github.com/marquee-api/marquee/internal/lambdahost"
)

// requestLine is a record as one readable line.
func requestLine(r gateway.Record) string {
	line := fmt.Sprintf("%s %d %s %s by %s through %s in %s", r.Time.Format("15:04:05.000"), r.Status, r.Method,
		printable(r.Path), orUnsigned(r.Identity), r.Door, r.Duration.Round(10*time.Microsecond))
	if r.Why != "" {
		line += ": " + printable(r.Why)
	}
	return line
}

// stsLine is what became of a request to STS.
func stsLine(r sts.Record) string {
	line := fmt.Sprintf("%s %d sts:%s by %s", r.Time.Format("15:04:05.000"), r.Status, r.Action, orUnsigned(r.Caller))
	if r.Why != "" {
		line += ": " + printable(r.Why)
	}
	return line
}

func orUnsigned(arn string) string {
	if arn == "" {
		return "unsigned"
	}
	return arn
}

// recordWriter writes each record as one JSON line, whole, from many goroutines. A record that cannot be written is told:
// a log with holes that nobody knows of is worse than none.
func recordWriter(w io.Writer, failed func(error)) func(gateway.Record) {
	var mu sync.Mutex
	return func(r gateway.Record) {
		line, err := json.Marshal(r)
		if err == nil {
			mu.Lock()
			_, err = w.Write(append(line, '\n'))
			mu.Unlock()
		}
		if err != nil {
			failed(fmt.Errorf("the log of requests: %w", err))
		}
	}
}

// functionLine is what a function printed, behind the function's name. Lambda's own START, END and REPORT lines are left
// out: each request has its line already.
func functionLine(l lambdahost.LogLine) (line string, show bool) {
	if l.Host {
		word, _, _ := strings.Cut(l.Text, " ")
		if word == "START" || word == "END" || word == "REPORT" {
			return "", false
		}
	}
	return l.Function + ": " + printable(l.Text), true
}
