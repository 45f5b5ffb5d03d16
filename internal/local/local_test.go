package local

import (
	"errors"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/marquee-api/marquee/internal/identity"
	"github.com/marquee-api/marquee/internal/secrets"
	"github.com/marquee-api/marquee/internal/sigv4"
	"github.com/marquee-api/marquee/internal/stack"
)

func TestLocalizeReplacesWhatOnlyAWSResolves(t *testing.T) {
	a := &addresses{
		stack: &stack.Stack{
			Region:    "ap-northeast-2",
			APIs:      []*stack.API{{ID: "a1b2c3d4e5"}},
			Endpoints: []*stack.VPCEndpoint{{ID: "vpce-1", Service: "execute-api", PrivateDNS: true, DNSName: "vpce-1-x.execute-api.ap-northeast-2.vpce.amazonaws.com"}, {Service: "dynamodb"}},
		},
		vpce: "http://127.0.0.1:8080", public: "http://127.0.0.1:8082",
	}
	tests := map[string]struct {
		value string
		inVPC bool
		want  string
	}{
		"own name, in the VPC":      {"https://a1b2c3d4e5.execute-api.ap-northeast-2.amazonaws.com/dev", true, "http://127.0.0.1:8080/dev"},
		"own name, outside":         {"https://a1b2c3d4e5.execute-api.ap-northeast-2.amazonaws.com/dev", false, "http://127.0.0.1:8082/dev"},
		"alias":                     {"https://a1b2c3d4e5-vpce-1.execute-api.ap-northeast-2.amazonaws.com/dev", true, "http://127.0.0.1:8080/dev"},
		"endpoint's URL":            {"https://vpce-1-x.execute-api.ap-northeast-2.vpce.amazonaws.com/dev", true, "http://127.0.0.1:8080/dev"},
		"endpoint's name":           {"vpce-1-x.execute-api.ap-northeast-2.vpce.amazonaws.com", true, "127.0.0.1:8080"},
		"another API":               {"https://zzzzzzzzzz.execute-api.ap-northeast-2.amazonaws.com/dev", true, "https://zzzzzzzzzz.execute-api.ap-northeast-2.amazonaws.com/dev"},
		"another region":            {"https://a1b2c3d4e5.execute-api.us-east-1.amazonaws.com/dev", true, "https://a1b2c3d4e5.execute-api.us-east-1.amazonaws.com/dev"},
		"inside a longer text":      {"url=https://a1b2c3d4e5.execute-api.ap-northeast-2.amazonaws.com/dev;x", true, "url=http://127.0.0.1:8080/dev;x"},
		"nothing to replace: empty": {"", true, ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if got := a.localize(tt.value, tt.inVPC); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

// Without private DNS the API's own name does not lead to the endpoint, whoever asks.
func TestLocalizeWithoutPrivateDNS(t *testing.T) {
	a := &addresses{
		stack: &stack.Stack{
			Region:    "ap-northeast-2",
			APIs:      []*stack.API{{ID: "a1b2c3d4e5"}},
			Endpoints: []*stack.VPCEndpoint{{ID: "vpce-1", Service: "execute-api", DNSName: "vpce-1-x.execute-api.ap-northeast-2.vpce.amazonaws.com"}},
		},
		vpce: "http://127.0.0.1:8080", public: "http://127.0.0.1:8082",
	}
	for value, want := range map[string]string{
		"https://a1b2c3d4e5.execute-api.ap-northeast-2.amazonaws.com/dev":        "http://127.0.0.1:8082/dev",
		"https://a1b2c3d4e5-vpce-1.execute-api.ap-northeast-2.amazonaws.com/dev": "http://127.0.0.1:8080/dev",
		"https://vpce-1-x.execute-api.ap-northeast-2.vpce.amazonaws.com/dev":     "http://127.0.0.1:8080/dev",
	} {
		if got := a.localize(value, true); got != want {
			t.Errorf("%s: got %q, want %q", value, got, want)
		}
	}
}

func TestEnvironmentOfAFunction(t *testing.T) {
	a := &addresses{stack: &stack.Stack{Region: "eu-central-1"}, dynamodb: "http://127.0.0.1:8085", sts: "http://127.0.0.1:8086"}
	f := &stack.Function{Environment: map[string]string{"TABLE_NAME": "t", "AWS_ENDPOINT_URL_DYNAMODB": ""}}
	got := a.environment(f, &identity.Identity{AccessKeyID: "ASIAX", Key: sigv4.Key{SecretAccessKey: "s", SessionToken: "t"}})
	want := []string{
		"AWS_ACCESS_KEY_ID=ASIAX", "AWS_DEFAULT_REGION=eu-central-1", "AWS_EC2_METADATA_DISABLED=true",
		"AWS_ENDPOINT_URL_DYNAMODB=http://127.0.0.1:8085", "AWS_ENDPOINT_URL_STS=http://127.0.0.1:8086", "AWS_REGION=eu-central-1", "AWS_SECRET_ACCESS_KEY=s",
		"AWS_SESSION_TOKEN=t", "TABLE_NAME=t",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if f.Environment["AWS_ENDPOINT_URL_DYNAMODB"] != "" {
		t.Error("the template's own map was changed")
	}
}

// Runs that share a folder share no file but the lock's folder.
func TestFilesOfTwoRunsInOneFolderDiffer(t *testing.T) {
	first, second := filesOf(".marquee/local.json"), filesOf(".marquee/other.json")
	if first.credentials != ".marquee/credentials" || first.samEnv != ".marquee/sam-env.json" {
		t.Errorf("got %+v, want the names that the documents have", first)
	}
	list := func(f files) []string {
		return []string{f.state, f.credentials, f.samEnv, f.curl, f.artifacts, f.lock}
	}
	for _, path := range list(first) {
		if slices.Contains(list(second), path) {
			t.Errorf("both use %s", path)
		}
	}
}

func TestStateFileIsLockedForOneRun(t *testing.T) {
	path := filepath.Join(t.TempDir(), "deep", "local.json.lock")
	release, err := lockState(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := lockState(path); !errors.Is(err, errLocked) {
		t.Errorf("second run: got %v, want %v", err, errLocked)
	}
	release()
	again, err := lockState(path)
	if err != nil {
		t.Fatalf("after the first has ended: %v", err)
	}
	again()
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the lock file after the end: got %v, want that it is gone", err)
	}
}

func TestOpenDoor(t *testing.T) {
	busy, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer busy.Close()
	port := busy.Addr().(*net.TCPAddr).Port
	tests := map[string]struct {
		host string
		port int
		want string // part of the error; empty for success
	}{
		"a free one":                {"127.0.0.1", 0, ""},
		"every address":             {"0.0.0.0", 0, ""},
		"a further loopback":        {"127.0.0.2", 0, ""},
		"busy":                      {"", port, "is in use: give another first port with --port"},
		"no address":                {"example", 0, "is not an IP address"},
		"no address of the machine": {"192.0.2.1", 0, "is no address of this machine"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			o, err := openDoor(tt.host, tt.port)
			if tt.want != "" {
				if err == nil || !strings.Contains(err.Error(), tt.want) {
					t.Errorf("got error %v, want %q", err, tt.want)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			defer o.close()
			for _, l := range o.listeners {
				if got := l.Addr().(*net.TCPAddr).Port; got != o.port {
					t.Errorf("listens on port %d, says %d", got, o.port)
				}
			}
		})
	}
}

func TestSecurityCredentialsAreTheOwnersAlone(t *testing.T) {
	s, err := stack.Load("testdata/echo/template.yaml", stack.Options{Name: "s", Region: "eu-central-1", AccountID: accountID})
	if err != nil {
		t.Fatal(err)
	}
	directory := func() *identity.Directory {
		d, err := newDirectory(s, Options{}, new(secrets.Set))
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	first, second := directory(), directory()
	for i, p := range first.Profiles() {
		if other := second.Profiles()[i]; p.AccessKeyID == other.AccessKeyID || p.SecretAccessKey == other.SecretAccessKey || p.SessionToken == other.SessionToken {
			t.Errorf("%s: two runs share a key", p.Profile)
		}
	}
	f := filesOf(filepath.Join(t.TempDir(), "local.json"))
	if err := writeCredentials(first, f); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{f.credentials, filepath.Join(f.curl, "reader")} {
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v, want 0600", path, info.Mode().Perm())
		}
	}
}

func TestPrintResult(t *testing.T) {
	tests := map[string]struct{ body, want string }{
		"movies": {
			`{"Items":[{"year":1997,"title":"Face/Off","info":{"rating":7.25,"running_time_secs":8340,"directors":["John Woo"]}}],"Count":1,"NextToken":"x"}`,
			"YEAR  TITLE     RATING  MINUTES  DIRECTED BY\n1997  Face/Off  7.2     139      John Woo\n1 movies, and there are more\n",
		},
		"none":                  {`{"Items":[],"Count":0}`, "YEAR  TITLE  RATING  MINUTES  DIRECTED BY\n0 movies\n"},
		"another API's answer":  {`{"hello":"world"}`, "{\"hello\":\"world\"}\n"},
		"terminal control text": {`{"Items":[{"title":"\u001b[2Jx"}]}`, "YEAR  TITLE  RATING  MINUTES  DIRECTED BY\n0     [2Jx   0.0     0        \n1 movies\n"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var b strings.Builder
			if err := printResult(&b, &callResult{Body: []byte(tt.body)}); err != nil {
				t.Fatal(err)
			}
			if b.String() != tt.want {
				t.Errorf("got\n%s\nwant\n%s", b.String(), tt.want)
			}
		})
	}
}
