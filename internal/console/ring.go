package console

import (
	"slices"
	"strings"
	"sync"

	"github.com/marquee-api/marquee/internal/gateway"
)

// entry is a record that is kept.
type entry struct {
	summary  Summary
	record   gateway.Record
	mismatch *gateway.Mismatch // what the caller knows of a signature that was refused
	size     int               // roughly; 0: it is trimmed
	trimmed  bool              // only the beginnings of its texts are left
}

// ring keeps the latest records, and of those the latest whole. Records are numbered from 1.
type ring struct {
	capacity int
	memory   int // of the records that are whole

	mu      sync.Mutex
	entries []entry // by number modulo the capacity once it is full
	last    uint64  // the number of the newest record; 0: there is none
	oldest  uint64  // the number of the oldest that is whole
	used    int
	changed chan struct{} // closed when a record is added
}

func (r *ring) add(record gateway.Record) {
	size := sizeOf(&record)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.last++
	e := entry{summary: summarize(&record, r.last), record: record, size: size}
	if len(r.entries) < r.capacity {
		r.entries = append(r.entries, e)
	} else {
		place := &r.entries[r.place(r.last)]
		r.used -= place.size
		*place = e
	}
	r.used += size
	r.trim()
	close(r.changed)
	r.changed = make(chan struct{})
}

func (r *ring) place(number uint64) int { return int((number - 1) % uint64(r.capacity)) }

// first is the number of the oldest record that is kept.
func (r *ring) first() uint64 { return r.last - uint64(len(r.entries)) + 1 }

// trim lets go of the oldest until the others fit.
func (r *ring) trim() {
	r.oldest = max(r.oldest, r.first())
	for ; r.used > r.memory && r.oldest < r.last; r.oldest++ {
		e := &r.entries[r.place(r.oldest)]
		r.used -= e.size
		e.size, e.trimmed, e.mismatch = 0, true, nil
		e.record = shorten(e.record)
	}
}

// longestTrimmed bounds each text of a record that is trimmed.
const longestTrimmed = 300

// shorten returns what is kept of a record when memory is short: no detail, and the beginnings of texts.
func shorten(r gateway.Record) gateway.Record {
	r.Detail, r.Evidence, r.CanonicalRequest, r.StringToSign = nil, nil, "", ""
	for _, text := range []*string{&r.RequestID, &r.Door, &r.Method, &r.Host, &r.Path, &r.API, &r.Route, &r.Identity, &r.Name, &r.Claimed,
		&r.AccessKeyID, &r.ErrorType, &r.Message, &r.Why, &r.Function} {
		*text = beginning(*text)
	}
	r.Checks = slices.Clone(r.Checks[:min(len(r.Checks), mostChecks)])
	for i := range r.Checks {
		r.Checks[i].Name, r.Checks[i].Detail = beginning(r.Checks[i].Name), beginning(r.Checks[i].Detail)
	}
	return r
}

// mostChecks is more than the gateway makes.
const mostChecks = 20

// beginning is a text of its own: a piece of a long one would keep the whole of it.
func beginning(text string) string {
	if len(text) <= longestTrimmed {
		return text
	}
	return strings.Clone(strings.ToValidUTF8(text[:longestTrimmed], "")) + "…"
}

// after returns up to limit summaries that follow a number, oldest first, and a channel that is closed when there are more.
func (r *ring) after(number uint64, limit int) ([]Summary, <-chan struct{}) {
	r.mu.Lock()
	defer r.mu.Unlock()
	from := max(number+1, r.first())
	var out []Summary
	for n := from; n <= r.last && len(out) < limit; n++ {
		out = append(out, r.entries[r.place(n)].summary)
	}
	return out, r.changed
}

// find returns the record of a number.
func (r *ring) find(number uint64) (entry, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if number == 0 || number > r.last || number < r.first() {
		return entry{}, false
	}
	return r.entries[r.place(number)], true
}

// numberOf returns the number of the latest record of a request id, 0 if there is none.
func (r *ring) numberOf(requestID string) uint64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	for n := r.last; n > 0 && n >= r.first(); n-- {
		if r.entries[r.place(n)].record.RequestID == requestID {
			return n
		}
	}
	return 0
}

// explain adds what the caller knows of a signature that was refused.
func (r *ring) explain(number uint64, mismatch *gateway.Mismatch) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if mismatch == nil || number == 0 || number < r.first() {
		return
	}
	if e := &r.entries[r.place(number)]; !e.trimmed {
		e.mismatch = mismatch
	}
}

// detailed is the record with all that is known of it.
func (e *entry) detailed() gateway.Record {
	record := e.record.Detailed()
	if d := record.Detail; d != nil && e.mismatch != nil && (d.Mismatch == nil || d.Mismatch.Client == "") {
		explained := *d // others may be reading it
		explained.Mismatch = e.mismatch
		record.Detail = &explained
	}
	return record
}

// sizeOf is roughly what a record takes.
func sizeOf(r *gateway.Record) int {
	size := 1<<10 + len(r.Host) + len(r.Path) + len(r.CanonicalRequest) + len(r.StringToSign) + len(r.Message) + len(r.Why) + r.Evidence.Size()
	for _, check := range r.Checks {
		size += len(check.Name) + len(check.Detail) + 48
	}
	return size + sizeOfDetail(r.Detail)
}

func sizeOfDetail(d *gateway.Detail) int {
	if d == nil {
		return 0
	}
	size := 2<<10 + len(d.Event) + len(d.CanonicalRequest) + len(d.Target)
	for _, body := range []*gateway.Body{d.RequestBody, d.ResponseBody} {
		if body != nil {
			size += len(body.Text)
		}
	}
	for _, header := range []map[string][]string{d.RequestHeader, d.ResponseHeader, d.Context} {
		for name, values := range header {
			size += len(name) + 48
			for _, value := range values {
				size += len(value) + 16
			}
		}
	}
	for _, p := range d.Policies {
		size += len(p.Document) + 128
	}
	if d.Mismatch != nil {
		size += len(d.Mismatch.Client)
	}
	return size
}
