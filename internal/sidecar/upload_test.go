package sidecar_test

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"github.com/marquee-api/marquee/internal/sidecar"
)

// upload is a client of one HTTP/2 stream that sends its body to the end before it looks at the answer. It returns the
// answer's status, or how the stream was reset.
func upload(t *testing.T, address string, length int) string {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(20 * time.Second))
	if _, err := io.WriteString(conn, http2.ClientPreface); err != nil {
		t.Fatal(err)
	}
	framer := http2.NewFramer(conn, conn)
	framer.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	var block bytes.Buffer
	fields := hpack.NewEncoder(&block)
	for _, f := range []hpack.HeaderField{
		{Name: ":method", Value: "PUT"}, {Name: ":scheme", Value: "http"}, {Name: ":authority", Value: "localhost"}, {Name: ":path", Value: "/a"},
		{Name: "content-length", Value: fmt.Sprint(length)},
	} {
		if err := fields.WriteField(f); err != nil {
			t.Fatal(err)
		}
	}
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	check(framer.WriteSettings())
	check(framer.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: block.Bytes(), EndHeaders: true}))
	// RFC 9113 section 6.9.2: what may be sent until the other side gives more.
	ofStream, ofConnection, status := 65535, 65535, ""
	piece := make([]byte, 16<<10)
	for {
		if n := min(length, len(piece), ofStream, ofConnection); n > 0 {
			length, ofStream, ofConnection = length-n, ofStream-n, ofConnection-n
			check(framer.WriteData(1, length == 0, piece[:n]))
			continue
		}
		frame, err := framer.ReadFrame()
		check(err)
		switch f := frame.(type) {
		case *http2.SettingsFrame:
			if size, ok := f.Value(http2.SettingInitialWindowSize); ok {
				ofStream += int(size) - 65535
			}
		case *http2.WindowUpdateFrame:
			if f.StreamID == 0 {
				ofConnection += int(f.Increment)
			} else {
				ofStream += int(f.Increment)
			}
		case *http2.MetaHeadersFrame:
			if status = f.PseudoValue("status"); f.StreamEnded() {
				return status
			}
		case *http2.RSTStreamFrame:
			return fmt.Sprintf("%s, reset with %d bytes to send: %s", status, length, f.ErrCode)
		case *http2.DataFrame:
			if f.StreamEnded() && length == 0 {
				return status
			}
		}
	}
}

// TestLargeBodiesInHTTP2: the refusal arrives at a client that sends everything first, and the stream is not reset.
func TestLargeBodiesInHTTP2(t *testing.T) {
	api := newAPI(t, nil)
	side := start(t, api.URL+"/dev", sidecar.Config{})
	for _, length := range []int{10*mib + 1, 12 * mib} {
		if got := upload(t, side.address, length); got != "413" {
			t.Errorf("%d bytes: got %s, want 413", length, got)
		}
	}
	api.arrivals(t, 0)
	if got := upload(t, side.address, 10*mib); got != "200" {
		t.Errorf("as much as may be: got %s, want 200", got)
	}
}
