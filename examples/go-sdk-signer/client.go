package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

type client struct {
	base        string // what is dialled, with the stage
	host        string // what is sent as Host and signed
	region      string
	credentials aws.CredentialsProvider
	signer      *v4.Signer
	http        *http.Client
}

func newClient(cfg aws.Config, invokeURL, vpce string) (*client, error) {
	api, err := url.Parse(invokeURL)
	if err != nil || api.Host == "" {
		return nil, fmt.Errorf("MARQUEE_URL %q is not the API's invoke URL", invokeURL)
	}
	c := &client{base: invokeURL, host: api.Host, region: cfg.Region, credentials: cfg.Credentials, signer: v4.NewSigner()}
	if vpce != "" { // private DNS is off: connections go to the VPC endpoint's own name, Host stays
		if !strings.Contains(vpce, "://") {
			vpce = "https://" + vpce
		}
		c.base = vpce + api.Path
	}
	// A signature is for one host and one path: a redirect could only be refused, and would carry the token elsewhere.
	c.http = &http.Client{Timeout: 10 * time.Second, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	return c, nil
}

type call struct {
	method, path, ifMatch string
	in, out               any
}

func (c *client) call(ctx context.Context, call call) (http.Header, error) {
	var body []byte
	if call.in != nil {
		var err error
		if body, err = json.Marshal(call.in); err != nil {
			return nil, err
		}
	}
	req, err := http.NewRequestWithContext(ctx, call.method, c.base+call.path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Host = c.host
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if call.ifMatch != "" {
		req.Header.Set("If-Match", call.ifMatch)
	}
	if err := c.sign(ctx, req, body); err != nil {
		return nil, err
	}
	return c.send(req, call.out)
}

func (c *client) sign(ctx context.Context, req *http.Request, body []byte) error {
	credentials, err := c.credentials.Retrieve(ctx) // a cache: asks again when they are about to end
	if err != nil {
		return err
	}
	hash := sha256.Sum256(body)
	return c.signer.SignHTTP(ctx, credentials, req, hex.EncodeToString(hash[:]), "execute-api", c.region, time.Now())
}

func (c *client) send(req *http.Request, out any) (http.Header, error) {
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode >= 300 {
		return nil, newRefusal(resp, body)
	}
	if out == nil {
		return resp.Header, nil
	}
	return resp.Header, json.Unmarshal(body, out)
}

// refusal is an answer other than 2xx.
type refusal struct {
	status        int
	kind, message string
}

// newRefusal reads API Gateway's own refusals, which have a type and a message, and the service's errors. A denial by policy
// spells its message with a capital, which encoding/json does not mind.
func newRefusal(resp *http.Response, body []byte) *refusal {
	var answer struct {
		Message string
		Error   struct{ Code, Message string }
	}
	if json.Unmarshal(body, &answer) != nil {
		answer.Message = string(body) // API Gateway's 413 is plain text
	}
	r := &refusal{status: resp.StatusCode, kind: resp.Header.Get("X-Amzn-Errortype"), message: answer.Message}
	if r.kind == "" {
		r.kind, r.message = answer.Error.Code, answer.Error.Message
	}
	return r
}

func (r *refusal) Error() string {
	first, _, _ := strings.Cut(r.message, "\n") // later lines would hold the session token
	return fmt.Sprintf("%d %s: %s", r.status, r.kind, first)
}
