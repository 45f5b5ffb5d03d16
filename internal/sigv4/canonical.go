package sigv4

import "sync"

const (
	algorithmHMAC  = "AWS4-HMAC-SHA256"
	algorithmECDSA = "AWS4-ECDSA-P256-SHA256"
	terminator     = "aws4_request"
)

// canonical holds what a canonical request is made of.
type canonical struct {
	method   string
	path     string // raw, as on the wire
	pathForm PathForm
	query    string // raw, as on the wire
	rule     queryRule
	fields   []field // in the order of SignedHeaders
	keepTabs bool
	payload  []byte // the payload line: lower-case hex SHA-256 of the body
}

// write leaves the six parts of a canonical request in
// work.canonical, and the list of signed headers in work.signed.
func (c *canonical) write(work *scratch) {
	dst := work.canonical[:0]
	dst = append(dst, c.method...)
	dst = append(dst, '\n')
	dst = appendCanonicalPath(dst, c.path, c.pathForm)
	dst = append(dst, '\n')
	dst = work.appendCanonicalQuery(dst, c.query, c.rule)
	dst = append(dst, '\n')
	dst = appendHeaderLines(dst, c.fields, c.keepTabs)
	dst = append(dst, '\n')
	from := len(dst)
	dst = appendSignedHeaders(dst, c.fields)
	work.signed = dst[from:]
	dst = append(dst, '\n')
	work.canonical = append(dst, c.payload...)
}

// writeStringToSign leaves algorithm, time, scope and the hash of the canonical
// request, a line each, in work.toSign.
func (work *scratch) writeStringToSign(algorithm string, time []byte, scope string) {
	dst := work.toSign[:0]
	dst = append(dst, algorithm...)
	dst = append(dst, '\n')
	dst = append(dst, time...)
	dst = append(dst, '\n')
	dst = append(dst, scope...)
	dst = append(dst, '\n')
	work.sum = work.hash.sum(work.canonical, work.sum[:0])
	work.toSign = appendSum(dst, work.sum)
}

// scratch is the memory that one signing needs, kept for the next. Nothing in it
// points to a request: that would cost write barriers, and keep headers alive.
type scratch struct {
	hash      digest
	canonical []byte
	signed    []byte // within canonical
	toSign    []byte
	sum       []byte
	signature []byte
	text      []byte
	time      []byte // second in ISO 8601 basic format
	second    int64
	payload   []byte
	host      []byte
	value     []byte // of a header: the token that is signed, the host that is verified
	unsorted  []byte
	params    []parameter
	presigned bool // the query holds X-Amz-Algorithm

	// What signingKey.sign keeps from one signature to the next.
	headKey         *signingKey
	head, headState []byte
}

// What the pool keeps at most: an unusually long request gives its memory back.
const (
	maxScratchBytes      = 64 << 10
	maxScratchParameters = 512
)

var scratches = sync.Pool{New: func() any { return &scratch{hash: newDigest()} }}

func getScratch() *scratch { return scratches.Get().(*scratch) }

func (work *scratch) release() {
	if cap(work.canonical)+cap(work.unsorted)+cap(work.text) > maxScratchBytes ||
		cap(work.params) > maxScratchParameters {
		return
	}
	scratches.Put(work)
}
