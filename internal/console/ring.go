package console

import (
	"sync"

	"github.com/marquee-api/marquee/internal/gateway"
)

// entry is a record that is kept.
type entry struct {
	summary Summary
	record  gateway.Record
	size    int  // of its detail, roughly
	trimmed bool // the detail is gone
}

// ring keeps the latest records, and of those the latest details. Records are numbered from 1.
type ring struct {
	capacity int
	memory   int // of details

	mu      sync.Mutex
	entries []entry // by number modulo the capacity once it is full
	last    uint64  // the number of the newest record; 0: there is none
	oldest  uint64  // the number of the oldest whose detail is kept
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

// trim lets go of the oldest details until the others fit.
func (r *ring) trim() {
	r.oldest = max(r.oldest, r.first())
	for ; r.used > r.memory && r.oldest < r.last; r.oldest++ {
		e := &r.entries[r.place(r.oldest)]
		r.used -= e.size
		e.size, e.trimmed = 0, e.record.Detail != nil
		e.record.Detail = nil
	}
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
	record := &r.entries[r.place(number)].record
	if record.Detail == nil || record.Detail.Mismatch != nil && record.Detail.Mismatch.Client != "" {
		return
	}
	detail := *record.Detail // others may be reading it
	detail.Mismatch = mismatch
	record.Detail = &detail
}

// sizeOf is roughly what a record's detail takes.
func sizeOf(r *gateway.Record) int {
	d := r.Detail
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
