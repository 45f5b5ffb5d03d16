package main

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/marquee-api/marquee/apiclient"
)

// Only the beginning of a body that is too large is read, so its length is not known and must not be told.
func TestDataThatIsTooLarge(t *testing.T) {
	for name, tt := range map[string]struct {
		size int
		fits bool
	}{"10 MiB": {10 << 20, true}, "11 MiB": {11 << 20, false}} {
		t.Run(name, func(t *testing.T) {
			content := make([]byte, tt.size)
			file := filepath.Join(t.TempDir(), "body")
			if err := os.WriteFile(file, content, 0o600); err != nil {
				t.Fatal(err)
			}
			for _, data := range []string{"@" + file, "@-"} {
				body, err := readData(data, bytes.NewReader(content))
				switch {
				case tt.fits && (err != nil || len(body) != tt.size):
					t.Errorf("%s: got %d bytes, %v, want all", data, len(body), err)
				case !tt.fits && (!errors.Is(err, apiclient.ErrBodyTooLarge) || !strings.HasPrefix(err.Error(), "-d "+data) || strings.Contains(err.Error(), "10485761")):
					t.Errorf("%s: got %d bytes, %v, want ErrBodyTooLarge and no length", data, len(body), err)
				}
			}
		})
	}
}
