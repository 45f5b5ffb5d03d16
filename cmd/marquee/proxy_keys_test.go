package main

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
)

// TestProxyReadsNewKeys: a credentials file that is written anew, as a local stack does when it starts again and tools
// for short sessions do each hour, is found when the API no longer takes the old keys, and no request fails for it.
func TestProxyReadsNewKeys(t *testing.T) {
	var taken atomic.Value // the key that the API takes
	taken.Store("ASIAFIRST00000000000")
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.Contains(r.Header.Get("Authorization"), "Credential="+taken.Load().(string)+"/") {
			w.Header().Set("X-Amzn-Errortype", "UnrecognizedClientException")
			w.WriteHeader(http.StatusForbidden)
			io.WriteString(w, `{"message":"The security token included in the request is invalid"}`)
		}
	}))
	defer api.Close()
	file := filepath.Join(t.TempDir(), "credentials")
	write := func(key string) {
		t.Helper()
		text := fmt.Sprintf("[work]\naws_access_key_id = %s\naws_secret_access_key = secret\naws_session_token = token\n", key)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("ASIAFIRST00000000000")
	for name, value := range map[string]string{"AWS_SHARED_CREDENTIALS_FILE": file, "AWS_CONFIG_FILE": file, "AWS_EC2_METADATA_DISABLED": "true"} {
		t.Setenv(name, value)
	}
	proxy := startProxy(t, "marquee", "proxy", "--url", api.URL+"/dev", "--profile", "work", "--listen", "127.0.0.1:0", "--admin", "off")
	call := func() int {
		t.Helper()
		resp, err := http.Post("http://"+proxy.address+"/a", "text/plain", strings.NewReader("body"))
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		return resp.StatusCode
	}
	if got := call(); got != 200 {
		t.Fatalf("with the first keys: %d", got)
	}
	taken.Store("ASIASECOND0000000000")
	if got := call(); got != 403 {
		t.Errorf("with keys that are not taken and no others: %d, want the API's 403", got)
	}
	write("ASIASECOND0000000000")
	if got := call(); got != 200 {
		t.Errorf("after new keys were written: %d", got)
	}
}
