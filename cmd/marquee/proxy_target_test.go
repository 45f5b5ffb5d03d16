package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/marquee-api/marquee/internal/sidecar"
)

// TestProxyKeepsItsTarget: credentials that are looked for anew are those of the API that the proxy was started for. A
// local stack that has been started or stopped meanwhile means another one.
func TestProxyKeepsItsTarget(t *testing.T) {
	t.Setenv("AWS_ACCESS_KEY_ID", "AKIAOFTHEACCOUNT0000")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "secret")
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	dir := t.TempDir()
	keys, state := filepath.Join(dir, "credentials"), filepath.Join(dir, "local.json")
	write := func(file, text string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(keys, "[reader]\naws_access_key_id = AKIAOFTHELOCALSTACK0\naws_secret_access_key = secret\n")
	startStack := func(port int) {
		t.Helper()
		write(state, fmt.Sprintf(`{"region":"ap-northeast-2","invoke_url":"http://127.0.0.1:%d/dev","credentials_file":%q,"profiles":{"reader":"x"}}`, port, keys))
	}
	stopStack := func() {
		t.Helper()
		if err := os.Remove(state); err != nil {
			t.Fatal(err)
		}
	}
	env := environment{Getenv: func(name string) string {
		return map[string]string{"MARQUEE_URL": "https://a1b2c3d4e5.execute-api.ap-northeast-2.amazonaws.com/dev"}[name]
	}}
	prepare := func() sidecar.Source {
		t.Helper()
		cfg, err := proxyOptions{target: callOptions{state: state}, idleConnections: 1, spoolMemory: 1}.config(t.Context(), env)
		if err != nil {
			t.Fatal(err)
		}
		return cfg.Credentials
	}
	check := func(source sidecar.Source, want string) {
		t.Helper()
		provider, err := source(t.Context())
		if want == "" {
			if err == nil || !strings.Contains(err.Error(), "start it anew") {
				t.Errorf("got %v, %v; want an error that says what to do", provider, err)
			}
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		if got, err := provider.Retrieve(t.Context()); err != nil || got.AccessKeyID != want {
			t.Errorf("got %s, %v; want %s", got.AccessKeyID, err, want)
		}
	}

	remote := prepare()
	check(remote, "AKIAOFTHEACCOUNT0000")
	startStack(8080)
	check(remote, "")
	local := prepare()
	check(local, "AKIAOFTHELOCALSTACK0")
	check(local, "AKIAOFTHELOCALSTACK0")
	startStack(9090)
	check(local, "")
	stopStack()
	check(local, "")
	check(remote, "AKIAOFTHEACCOUNT0000")
}
