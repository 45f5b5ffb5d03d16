package http1

import (
	"errors"
	"net"
)

// recordHeader is the length of what each TLS record begins with; its last two bytes are the length of the rest (RFC 5246
// section 6.2.1, RFC 8446 section 5.1).
const recordHeader = 5

// records is the socket of a TLS connection. crypto/tls reads ahead and does not say what it holds, so the bytes beyond an
// answer could hide there from whoever looks at the socket alone. records follows where each record ends, and can be shut:
// then a read gives what crypto/tls has, and waits for nothing.
type records struct {
	net.Conn
	shut   bool
	header [recordHeader]byte // of the record that is arriving
	have   int                // how much of that is here
	left   int                // bytes of the record that are still to come
	more   [1]byte            // what a read finds that should find nothing
}

func (r *records) Read(p []byte) (int, error) {
	if r.shut {
		return 0, errShut
	}
	n, err := r.Conn.Read(p)
	r.follow(p[:n])
	return n, err
}

func (r *records) follow(p []byte) {
	for len(p) > 0 {
		if r.left > 0 {
			n := min(r.left, len(p))
			r.left -= n
			p = p[n:]
			continue
		}
		n := copy(r.header[r.have:], p)
		r.have += n
		p = p[n:]
		if r.have == recordHeader {
			r.left = int(r.header[3])<<8 | int(r.header[4])
			r.have = 0
		}
	}
}

// isDrained reports whether the connection above holds nothing: no record that is whole, because a read finds none, and
// no piece of another.
func (r *records) isDrained(secured net.Conn) bool {
	if r.have > 0 || r.left > 0 {
		return false
	}
	r.shut = true
	n, err := secured.Read(r.more[:])
	r.shut = false
	return n == 0 && errors.Is(err, errShut)
}

// errShut is of a kind that crypto/tls does not take for the end of the connection.
var errShut error = &timeoutError{text: "nothing is read now"}
