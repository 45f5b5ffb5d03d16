package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/marquee-api/marquee/apiclient"
	"github.com/marquee-api/marquee/internal/shell"
)

// mostPresign is how long API Gateway takes a signature after its date, however long a URL says that it lives: a longer life is
// S3's alone.
const mostPresign = 5 * time.Minute

// sendingFlags say how a request is sent, and what becomes of its answer.
var sendingFlags = []string{"repeat", "retry", "include", "show-signing", "output", "timeout"}

// checkPresign refuses what a presigned URL cannot be, and what would be passed over in silence beside it.
func checkPresign(f *pflag.FlagSet, life time.Duration) error {
	if !f.Changed("presign") {
		return nil
	}
	var beside []string
	for _, name := range sendingFlags {
		if f.Changed(name) {
			beside = append(beside, "--"+name)
		}
	}
	switch {
	case life < time.Second || life > mostPresign || life%time.Second != 0:
		return fmt.Errorf("--presign=%s: a presigned URL lives for whole seconds, from 1s to 5m, for which API Gateway takes a signature", brief(life))
	case beside != nil:
		return fmt.Errorf("%s beside --presign: nothing is sent, so leave one of them out", strings.Join(beside, " and "))
	}
	return nil
}

// brief is a duration without the zeros at its end: 10m, not 10m0s.
func brief(d time.Duration) string {
	text := d.String()
	for _, zero := range []string{"m0s", "h0m"} {
		if strings.HasSuffix(text, zero) {
			text = strings.TrimSuffix(text, zero[1:])
		}
	}
	return text
}

// printURL prints the URL, and on standard error what has to be sent with it.
func (o callOptions) printURL(ctx context.Context, env environment, client *apiclient.Client, call presigned) error {
	signed, err := client.Presign(ctx, call.request, o.presign)
	if err != nil {
		return call.target.explain(err)
	}
	u, err := url.Parse(signed)
	if err != nil {
		return errors.New("the presigned URL cannot be read")
	}
	if with := call.companions(u); with != nil {
		fmt.Fprintf(env.Stderr, "marquee: the URL works only with %s\n", listed(with))
	}
	_, err = io.WriteString(env.Stdout, signed+"\n")
	return err
}

// presigned is a call that becomes a URL.
type presigned struct {
	target  *callTarget
	request apiclient.Request
}

// companions are what has to come along with the URL, because the signature covers it or because it leads to the API, as arguments of curl where there are any. Values that were typed
// may be secrets, so only those are shown that the program has chosen or that name the API.
func (p presigned) companions(u *url.URL) []string {
	var with []string
	if p.request.Method != http.MethodGet {
		with = append(with, "the method "+p.request.Method)
	}
	header := func(name, value string) { with = append(with, "-H "+shell.Quote(name+": "+value)) }
	if id := p.target.endpoint.APIID(); id != "" {
		header("X-Apigw-Api-Id", id)
	}
	for name := range strings.SplitSeq(u.Query().Get("X-Amz-SignedHeaders"), ";") {
		switch {
		case name == "host" && p.target.endpoint.Host() != u.Host:
			header("Host", p.target.endpoint.Host())
		case name == "host", name == "x-apigw-api-id":
		case name == "content-type":
			header("Content-Type", p.request.Header.Get("Content-Type"))
		default:
			with = append(with, "the same header "+name)
		}
	}
	if len(p.request.Body) > 0 {
		with = append(with, "the same body")
	}
	return with
}

// listed joins words as a sentence does.
func listed(words []string) string {
	last := len(words) - 1
	if last == 0 {
		return words[0]
	}
	return strings.Join(words[:last], ", ") + " and " + words[last]
}
