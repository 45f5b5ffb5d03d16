package gateway_test

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

// Two signed requests on one connection: names reach the function as they were spelt, in both maps, and the signature,
// which covers lower-case names, does not mind.
func TestEventHeaderSpelling(t *testing.T) {
	f := newFixture(t)
	address := f.vpce.Listener.Addr().String()
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	answers := bufio.NewReader(c)
	for _, name := range []string{"tEsT-HEADeR", "TEST-header"} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+address+"/dev/movie_list", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header["Test-Header"] = []string{"1", "2"}
		sum := sha256.Sum256(nil)
		credentials := aws.Credentials{AccessKeyID: "ASIAREADER", SecretAccessKey: "secret", SessionToken: "token"}
		if err := v4.NewSigner().SignHTTP(t.Context(), credentials, r, hex.EncodeToString(sum[:]), "execute-api", region, now); err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(c, "GET /dev/movie_list HTTP/1.1\r\nhost: %s\r\nauthorization: %s\r\nx-amz-date: %s\r\nx-amz-security-token: token\r\n%s: 1\r\n%[5]s: 2\r\nuser-agent: tester\r\n\r\n",
			address, r.Header.Get("Authorization"), r.Header.Get("X-Amz-Date"), name, name)
		answer, err := http.ReadResponse(answers, r)
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		if answer.StatusCode != 200 {
			t.Fatalf("got %d %s", answer.StatusCode, answer.Header.Get("X-Amzn-Errortype"))
		}
		single, multi := f.function.event["headers"].(map[string]any), f.function.event["multiValueHeaders"].(map[string]any)
		if got := fmt.Sprintf("%v %v", single[name], multi[name]); got != "2 [1 2]" {
			t.Errorf("%s: got %s, want 2 [1 2]", name, got)
		}
		for other := range multi {
			if strings.EqualFold(other, name) && other != name {
				t.Errorf("the name is there as %s, too", other)
			}
		}
		if single["User-Agent"] != "tester" || single["Host"] != address || single["x-amz-date"] == nil {
			t.Errorf("got the headers %v", single)
		}
	}
}
