package apiclient

import (
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// Config is what a [Client] or a [Transport] is made of. Endpoint and Credentials are required. Numbers and times below
// zero are refused.
type Config struct {
	// Endpoint is the API, from [ResolveEndpoint].
	Endpoint *Endpoint
	// Credentials sign. A provider that is no *aws.CredentialsCache is wrapped in one.
	Credentials aws.CredentialsProvider
	// Base sends the signed requests. nil is what [NewBase] makes with the proxy of http.DefaultTransport, which is the
	// environment's. It must not follow redirects, and no transport does. The bodies of its answers may be closed while
	// they are read, as net/http's may.
	Base http.RoundTripper
	// Retry says when a request is sent again.
	Retry Retry
	// Clock says which time signatures carry.
	Clock Clock
	// MaxResponseBytes bounds the body of an answer that [Client] reads into memory. 0 means 10 MiB, API Gateway's own
	// limit. A [Transport] streams and has no limit.
	MaxResponseBytes int64
	// OnSign is shown what each attempt signed, session tokens redacted. nil costs nothing.
	OnSign func(Signing)
}

// check refuses what cannot be meant, by the name of the field.
func (cfg Config) check() error {
	switch {
	case cfg.Endpoint == nil:
		return errors.New("config has no Endpoint: make one with ResolveEndpoint")
	case *cfg.Endpoint == Endpoint{}:
		return errors.New("config's Endpoint is empty: make one with ResolveEndpoint")
	case cfg.Credentials == nil:
		return errors.New("config has no Credentials: give a provider, such as Credentials of the SDK's default configuration")
	case cfg.MaxResponseBytes < 0:
		return fmt.Errorf("config's MaxResponseBytes is %d: give a number of bytes, or 0 for API Gateway's limit", cfg.MaxResponseBytes)
	}
	return cfg.Retry.check("config")
}

// check is Config's for the part that a request may replace.
func (r Retry) check(owner string) error {
	if r.MaxAttempts < 0 {
		return fmt.Errorf("%s's Retry.MaxAttempts is %d: 1 is no retry, 0 means 3", owner, r.MaxAttempts)
	}
	for _, wait := range []struct {
		name string
		time time.Duration
	}{{"MaxBackoff", r.MaxBackoff}, {"BaseDelay", r.BaseDelay}} {
		if wait.time < 0 {
			return fmt.Errorf("%s's Retry.%s is %v: a wait cannot be negative", owner, wait.name, wait.time)
		}
	}
	return nil
}
