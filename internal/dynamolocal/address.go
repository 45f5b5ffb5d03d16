package dynamolocal

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const (
	loopback      = "127.0.0.1"
	answerTimeout = 5 * time.Second
)

// bindHosts puts 127.0.0.1 first, drops repetitions, and lets an unspecified address stand alone
// (it includes all the others, and a second listener beside it would be refused).
func bindHosts(given []string) ([]string, error) {
	hosts := []string{loopback}
	for _, h := range given {
		if h == "localhost" {
			continue
		}
		addr, err := netip.ParseAddr(h)
		if err != nil {
			return nil, fmt.Errorf("host %q is not an IP address", h)
		}
		if addr.IsUnspecified() {
			return []string{addr.String()}, nil
		}
		if !slices.Contains(hosts, addr.String()) {
			hosts = append(hosts, addr.String())
		}
	}
	return hosts, nil
}

// probePort finds out that a port is taken, or a host is not this machine's, before anything is
// downloaded or started.
func probePort(hosts []string, port int) error {
	for _, h := range hosts {
		l, err := net.Listen("tcp", net.JoinHostPort(h, strconv.Itoa(port)))
		switch {
		case err == nil:
			_ = l.Close()
		case errors.Is(err, syscall.EADDRINUSE):
			return &PortInUseError{Host: h, Port: port}
		default:
			return fmt.Errorf("cannot listen for DynamoDB Local: %w", err)
		}
	}
	return nil
}

// localURL is the URL by which this machine reaches a server on the hosts.
func localURL(hosts []string, port int) string {
	host := hosts[0]
	if addr, err := netip.ParseAddr(host); err == nil && addr.IsUnspecified() {
		host = loopback
		if addr.Is6() {
			host = "::1"
		}
	}
	return "http://" + net.JoinHostPort(host, strconv.Itoa(port))
}

// shown is a space and what was given for an error, or nothing where a user and a password, or a query, may be in it.
func shown(given string) string {
	if strings.ContainsAny(given, "@?#") {
		return ""
	}
	return " " + strconv.Quote(given)
}

// attach uses a server that runs already.
func attach(ctx context.Context, rawURL string) (*Server, error) {
	u, err := url.Parse(rawURL)
	if err != nil {
		return nil, errors.New("DynamoDB URL: it cannot be parsed: want no more than scheme, host and port") // the parser repeats it, password included
	}
	if u.Host == "" || u.User != nil || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "" {
		return nil, fmt.Errorf("DynamoDB URL%s: want no more than scheme, host and port", shown(rawURL))
	}
	s := &Server{URL: u.Scheme + "://" + u.Host}
	if err := answers(ctx, s.URL); err != nil {
		return nil, fmt.Errorf("no DynamoDB at %s: %w", s.URL, err)
	}
	return s, nil
}

// answers reports whether an HTTP server is there. Any status will do: DynamoDB Local refuses a
// request without a signature's form.
func answers(ctx context.Context, rawURL string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, rawURL, nil)
	if err != nil {
		return err
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: answerTimeout}
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	return resp.Body.Close()
}
