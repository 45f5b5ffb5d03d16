package lambdahost

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
)

// newUUID returns a random UUID, version 4 (RFC 9562 section 5.4), the form of
// Lambda's request ids.
func newUUID() string {
	var b [16]byte
	rand.Read(b[:]) // never fails: crypto/rand ends the program instead
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[0:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// newStreamID returns the 32 hexadecimal digits that end a log stream's name.
func newStreamID() string {
	var b [16]byte
	rand.Read(b[:])
	return hex.EncodeToString(b[:])
}
