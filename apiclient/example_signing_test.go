package apiclient_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/marquee-api/marquee/apiclient"
)

// Who looks for the byte that makes a signature wrong compares the two texts with those of the gateway's refusal. OnSign is
// called for each attempt, from the request's goroutine.
func ExampleConfig_onSign() {
	cfg, stop := exampleAPI(func(http.ResponseWriter, *http.Request) {})
	defer stop()
	cfg.Clock.Now = func() time.Time { return time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC) }
	cfg.OnSign = func(s apiclient.Signing) {
		for line := range strings.Lines(s.CanonicalRequest) {
			if !strings.HasPrefix(line, "host:") { // another port each time
				fmt.Print(line)
			}
		}
		fmt.Print("\n\n")
		lines := strings.Split(s.StringToSign, "\n")
		fmt.Println(strings.Join(lines[:3], "\n")) // the fourth is the hash of the canonical request
	}
	client, err := apiclient.New(cfg)
	if err != nil {
		fmt.Println(err)
		return
	}
	if _, err := client.Do(context.Background(), apiclient.Request{Path: "/movie_list?year=1999"}); err != nil {
		fmt.Println(err)
	}
	// Output:
	// GET
	// /dev/movie_list
	// year=1999
	// x-amz-date:20261123T120000Z
	//
	// host;x-amz-date
	// e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855
	//
	// AWS4-HMAC-SHA256
	// 20261123T120000Z
	// 20261123/ap-northeast-2/execute-api/aws4_request
}

// stored is a body whose hash is kept beside it, as by a store that names its content by it.
type stored struct {
	*bytes.Reader
	sum string
}

func (h stored) SHA256() string { return h.sum }

func (h stored) Close() error { return nil }

// A body whose hash is known is not read to find it out: it goes from where it is to the connection.
func ExampleHashedBody() {
	cfg, stop := exampleAPI(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		fmt.Fprintf(w, "%s of %d bytes", r.Method, len(body))
	})
	defer stop()
	transport, err := apiclient.NewTransport(cfg)
	if err != nil {
		fmt.Println(err)
		return
	}
	content := []byte(`{"info":{"rating":8.1}}`)
	digest := sha256.Sum256(content)
	open := func() (io.ReadCloser, error) { // once for each attempt
		return stored{bytes.NewReader(content), hex.EncodeToString(digest[:])}, nil
	}
	req, err := http.NewRequest(http.MethodPut, cfg.Endpoint.URL()+"/movie_list/2013/Rush", nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	req.Body, err = open()
	if err != nil {
		fmt.Println(err)
		return
	}
	req.GetBody, req.ContentLength = open, int64(len(content))
	resp, err := (&http.Client{Transport: transport}).Do(req)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	fmt.Println(string(answer), err)
	// Output: PUT of 23 bytes <nil>
}

var _ apiclient.HashedBody = stored{}
