package sidecar

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"syscall"
	"time"

	"github.com/marquee-api/marquee/apiclient"
)

// Refusal is an answer that the proxy gives itself, in place of the API.
type Refusal struct {
	// Status is the HTTP status.
	Status int
	// Code is the code of the answer's body, and the label of the metric.
	Code string
	// Proxy is the error type of RFC 9209 section 2.3, for the Proxy-Status header.
	Proxy string
	// Message says what is wrong and what to do.
	Message string
}

func (r *Refusal) Error() string { return r.Code + ": " + r.Message }

// because returns the refusal with its message.
func (r Refusal) because(format string, args ...any) *Refusal {
	r.Message = fmt.Sprintf(format, args...)
	return &r
}

// The catalogue. What the client did is 4xx, what became of the API is 502 or 504, what this process lacks is 503 or 507.
var (
	refuseHost        = Refusal{Status: http.StatusMisdirectedRequest, Code: "host_not_allowed", Proxy: "http_request_denied"}
	refuseOrigin      = Refusal{Status: http.StatusForbidden, Code: "origin_not_allowed", Proxy: "http_request_denied"}
	refuseTarget      = Refusal{Status: http.StatusBadRequest, Code: "bad_target", Proxy: "http_request_error"}
	refuseOutside     = Refusal{Status: http.StatusBadRequest, Code: "path_outside_stage", Proxy: "http_request_denied"}
	refuseMethod      = Refusal{Status: http.StatusNotImplemented, Code: "method_not_supported", Proxy: "http_request_error"}
	refuseUpgrade     = Refusal{Status: http.StatusNotImplemented, Code: "upgrade_not_supported", Proxy: "http_request_error"}
	refuseAPIID       = Refusal{Status: http.StatusMisdirectedRequest, Code: "other_api", Proxy: "http_request_denied"}
	refuseTooLarge    = Refusal{Status: http.StatusRequestEntityTooLarge, Code: "body_too_large", Proxy: "http_request_error"}
	refuseBody        = Refusal{Status: http.StatusBadRequest, Code: "body_incomplete", Proxy: "http_request_error"}
	refuseSlowBody    = Refusal{Status: http.StatusRequestTimeout, Code: "body_timeout", Proxy: "http_request_error"}
	refuseSpool       = Refusal{Status: http.StatusInsufficientStorage, Code: "no_space_for_body", Proxy: "proxy_internal_error"}
	refuseUnsignable  = Refusal{Status: http.StatusBadRequest, Code: "cannot_be_signed", Proxy: "http_request_error"}
	refuseCredentials = Refusal{Status: http.StatusServiceUnavailable, Code: "no_credentials", Proxy: "proxy_configuration_error"}

	// These are said where net/http answers before a handler sees the request.
	refuseUnreadable = Refusal{Status: http.StatusBadRequest, Code: "bad_request", Proxy: "http_request_error"}
	refuseExpect     = Refusal{Status: http.StatusExpectationFailed, Code: "expectation_failed", Proxy: "http_request_error"}
	refuseHeader     = Refusal{Status: http.StatusRequestHeaderFieldsTooLarge, Code: "header_too_large", Proxy: "http_request_error"}
	refuseCoding     = Refusal{Status: http.StatusNotImplemented, Code: "transfer_encoding_not_supported", Proxy: "http_request_error"}
	refuseVersion    = Refusal{Status: http.StatusHTTPVersionNotSupported, Code: "version_not_supported", Proxy: "http_request_error"}

	failedDNS        = Refusal{Status: http.StatusBadGateway, Code: "dns_error", Proxy: "dns_error"}
	failedRefused    = Refusal{Status: http.StatusBadGateway, Code: "connection_refused", Proxy: "connection_refused"}
	failedConnect    = Refusal{Status: http.StatusGatewayTimeout, Code: "connection_timeout", Proxy: "connection_timeout"}
	failedTLS        = Refusal{Status: http.StatusBadGateway, Code: "tls_certificate_error", Proxy: "tls_certificate_error"}
	failedTLSAlert   = Refusal{Status: http.StatusBadGateway, Code: "tls_protocol_error", Proxy: "tls_protocol_error"}
	failedResponse   = Refusal{Status: http.StatusGatewayTimeout, Code: "response_timeout", Proxy: "http_response_timeout"}
	failedRequest    = Refusal{Status: http.StatusGatewayTimeout, Code: "request_timeout", Proxy: "http_response_timeout"}
	failedConnection = Refusal{Status: http.StatusBadGateway, Code: "connection_terminated", Proxy: "connection_terminated"}
	failedElse       = Refusal{Status: http.StatusBadGateway, Code: "api_unreachable", Proxy: "destination_unavailable"}

	notReady    = Refusal{Status: http.StatusServiceUnavailable, Code: "not_ready", Proxy: "proxy_internal_error"}
	notDraining = Refusal{Status: http.StatusServiceUnavailable, Code: "draining", Proxy: "proxy_internal_error"}
)

// errRequestTimeout is why a request ended that took longer than it may as a whole.
var errRequestTimeout = errors.New("the time for the whole request is over")

// errCredentials marks what went wrong while credentials were fetched.
var errCredentials = errors.New("credentials")

// refusalOfBody says why a body was not taken in.
func refusalOfBody(err error, dir string) *Refusal {
	var timeout net.Error
	switch {
	case errors.Is(err, apiclient.ErrBodyTooLarge):
		return refuseTooLarge.because("the request body is larger than %d bytes, which is all that API Gateway takes; nothing was sent: send less, or put the data into S3 and send where it is", apiclient.MaxBodyBytes)
	case errors.Is(err, errSpool):
		return refuseSpool.because("%v; nothing was sent: give --spool-dir a directory with room that this process may write to (now %q)", err, dir)
	case errors.As(err, &timeout) && timeout.Timeout():
		return refuseSlowBody.because("the request body did not arrive in time; nothing was sent: send it faster or raise --body-timeout")
	default:
		return refuseBody.because("the request body ended before its end; nothing was sent: send all that Content-Length or the last chunk promises")
	}
}

// refusalOf says why there is no answer of the API. sent tells whether anything left.
func (p *Proxy) refusalOf(ctx context.Context, err error, sent bool) *Refusal {
	to := p.endpoint.DialAddress()
	var (
		dns     *net.DNSError
		cert    *tls.CertificateVerificationError
		record  tls.RecordHeaderError
		alert   tls.AlertError
		network *net.OpError
		timeout net.Error
		foreign *apiclient.HostError
	)
	switch {
	case errors.Is(context.Cause(ctx), errRequestTimeout):
		return failedRequest.because("the API has not answered within %s: raise --timeout if that is right for it", p.timeouts.Request)
	case errors.Is(err, errCredentials):
		return refuseCredentials.because("there are no credentials to sign with: %v; give the task a role, or --profile, or the variables AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY", err)
	case errors.As(err, &foreign), !sent:
		return refuseUnsignable.because("%v; nothing was sent", err)
	case errors.As(err, &dns):
		return failedDNS.because("the name %s does not resolve (%s): outside the VPC, or with private DNS off, give --vpce the DNS name of the VPC endpoint", dns.Name, dns.Err)
	case errors.As(err, &cert):
		return failedTLS.because("the certificate of %s is not trusted (%v): install the system's CA certificates, or name those to trust with --ca", to, cert.Err)
	case errors.As(err, &record), errors.As(err, &alert), errors.As(err, &network) && isAlert(network):
		return failedTLSAlert.because("no TLS with %s (%v): check that --url and --vpce name the API", to, err)
	case errors.Is(err, syscall.ECONNREFUSED):
		return failedRefused.because("nothing listens at %s: check --url and --vpce, and that the API runs", to)
	case errors.As(err, &network) && network.Op == "dial" && network.Timeout():
		return failedConnect.because("no connection to %s in time: check that the endpoint's security group lets port 443 in from here, and its subnets' routes", to)
	case errors.As(err, &timeout) && timeout.Timeout():
		return failedResponse.because("%s did not begin to answer within %s: raise --response-header-timeout if the integration may take longer", to, p.timeouts.ResponseHeader)
	case isHangUp(err):
		return failedConnection.because("%s closed the connection without an answer; the request may have been carried out: repeat it if that is safe, or use --retry", to)
	default:
		return failedElse.because("%v", err)
	}
}

// isAlert reports whether one side ended the handshake: crypto/tls says so by these words alone, which AlertError is for
// QUIC.
func isAlert(err *net.OpError) bool { return err.Op == "remote error" || err.Op == "local error" }

// write sends the refusal. HEAD gets the same headers.
func (r *Refusal) write(w http.ResponseWriter) {
	body := r.fill(w.Header())
	w.WriteHeader(r.Status)
	w.Write(body) //nolint:errcheck // a client that is gone needs no answer
}

// wire is the refusal as the last thing that an HTTP/1.1 connection says.
func (r *Refusal) wire(now time.Time) []byte {
	header := http.Header{"Connection": {"close"}, "Date": {now.UTC().Format(http.TimeFormat)}}
	body := r.fill(header)
	var b bytes.Buffer
	fmt.Fprintf(&b, "HTTP/1.1 %d %s\r\n", r.Status, http.StatusText(r.Status))
	header.Write(&b) //nolint:errcheck // into memory
	b.WriteString("\r\n")
	b.Write(body)
	return b.Bytes()
}

// fill sets the refusal's header and returns its body.
func (r *Refusal) fill(h http.Header) []byte {
	body, _ := json.Marshal(map[string]any{"error": map[string]string{"code": r.Code, "message": r.Message}})
	body = append(body, '\n')
	h["Content-Type"] = []string{"application/json"}
	h["Content-Length"] = []string{fmt.Sprint(len(body))}
	h["Cache-Control"] = []string{"no-store"}
	h["Proxy-Status"] = []string{"marquee; error=" + r.Proxy}
	return body
}
