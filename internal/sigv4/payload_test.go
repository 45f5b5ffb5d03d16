package sigv4_test

import (
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/marquee-api/marquee/internal/sigv4"
)

// rushHash is what "printf Rush | sha256sum" prints.
const rushHash = "34ebcd9fcba8b65689b051c3005a425f2d253adfaf42ff0f9cf99487762df7de"

func TestPayloadHash(t *testing.T) {
	file := filepath.Join(t.TempDir(), "body")
	if err := os.WriteFile(file, []byte("head:Rush"), 0o600); err != nil {
		t.Fatal(err)
	}
	open := func() *os.File {
		f, err := os.Open(file)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { f.Close() })
		if _, err := f.Seek(5, io.SeekStart); err != nil {
			t.Fatal(err)
		}
		return f
	}
	for _, tt := range []struct {
		name string
		set  func(*sigv4.SignInput)
		want string
		left string // what can still be read of the body
	}{
		{"no body", func(*sigv4.SignInput) {}, sigv4.EmptyPayloadHash, ""},
		{"NoBody", func(in *sigv4.SignInput) { in.Request.Body = http.NoBody }, sigv4.EmptyPayloadHash, ""},
		{"Body", func(in *sigv4.SignInput) { in.Body = []byte("Rush") }, rushHash, ""},
		{"empty Body", func(in *sigv4.SignInput) { in.Body = []byte{} }, sigv4.EmptyPayloadHash, ""},
		{"GetBody", func(in *sigv4.SignInput) {
			setBody(in, func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader("Rush")), nil })
		}, rushHash, "a"},
		{"file from where it stands", func(in *sigv4.SignInput) { in.Request.Body = open() }, rushHash, "Rush"},
		{"given", func(in *sigv4.SignInput) {
			in.PayloadHash, in.Request.Body = "UNSIGNED-PAYLOAD", io.NopCloser(strings.NewReader("a"))
		}, "UNSIGNED-PAYLOAD", "a"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			in := newInput(t, http.MethodPut, "https://a.example/", nil)
			tt.set(in)
			var signer sigv4.Signer
			text, err := signer.Transcript(in)
			if err != nil {
				t.Fatal(err)
			}
			if got := text.CanonicalRequest[strings.LastIndexByte(text.CanonicalRequest, '\n')+1:]; got != tt.want {
				t.Errorf("payload line: got %s, want %s", got, tt.want)
			}
			if in.Request.Body == nil {
				return
			}
			if left, err := io.ReadAll(in.Request.Body); err != nil || string(left) != tt.left {
				t.Errorf("left to send: %q, %v, want %q", left, err, tt.left)
			}
		})
	}
	if got := sigv4.HashBody([]byte("Rush")); got != rushHash {
		t.Errorf("HashBody: got %s", got)
	}
}

// A pipe is an *os.File and cannot be read twice, either.
func TestPayloadPipe(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	w.Close()
	in := newInput(t, http.MethodPut, "https://a.example/", nil)
	in.Request.Body = r
	var signer sigv4.Signer
	if err := signer.Sign(in); !errors.Is(err, sigv4.ErrBodyReadOnce) {
		t.Errorf("got %v, want ErrBodyReadOnce", err)
	}
}

// A body of 64 MiB is hashed in little memory.
func TestHashReaderBounded(t *testing.T) {
	const size = 64 << 20
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	got, err := sigv4.HashReader(io.LimitReader(zeros{}, size))
	runtime.ReadMemStats(&after)
	// head -c 64M /dev/zero | sha256sum
	if want := "3b6a07d0d404fab4e23b6d34bc6696a6a312dd92821332385e5af7c01c421351"; err != nil || got != want {
		t.Errorf("got %s, %v, want %s", got, err, want)
	}
	allocated := after.TotalAlloc - before.TotalAlloc
	if allocated > 128<<10 {
		t.Errorf("%d bytes were allocated", allocated)
	}
	if _, err := sigv4.HashReader(failing{}); !errors.Is(err, errTest) {
		t.Errorf("got %v", err)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }
