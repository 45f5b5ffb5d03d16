package main

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/marquee-api/marquee/internal/sidecar"
)

// sidecarGC takes 2.5 MiB off the memory at 64 connections and nothing that can be measured off the requests
// per second: a program beside another one is small first.
const sidecarGC = 60

// runProxy serves until it is told to stop. It logs JSON lines to standard error.
func runProxy(ctx context.Context, env environment, o proxyOptions) error {
	lines := sidecar.NewLineBuffer(env.Stderr)
	defer lines.Flush()
	log := slog.New(slog.NewJSONHandler(lines, nil))
	cfg, err := o.config(ctx, env)
	if err != nil {
		return err
	}
	cfg.Log = log
	run := sidecar.Run{DrainDelay: o.drainDelay, DrainTimeout: o.drainTimeout, Hurry: env.Hurry}
	if run.Door, err = o.openDoor(ctx); err != nil {
		return err
	}
	defer run.Door.Close()
	if run.Admin, err = o.openAdmin(ctx); err != nil {
		return err
	}
	if run.Admin != nil {
		defer run.Admin.Close()
	}
	if calls(cfg.Endpoint.DialAddress(), run.Door.Addr()) {
		return fmt.Errorf("--url %s is this proxy's own address: give the API's", cfg.Endpoint.URL())
	}
	if host, _, err := net.SplitHostPort(o.listen); err == nil && host != "" {
		cfg.Hosts = append(cfg.Hosts, host)
	}
	if strings.HasPrefix(o.listen, "unix:") {
		cfg.Hosts = append(cfg.Hosts, "*") // no web page reaches a Unix socket, and clients make names up for it
	}
	proxy, err := sidecar.New(cfg)
	if err != nil {
		return err
	}
	if err := proxy.CheckSpool(); err != nil {
		log.Warn("request bodies of more than 1 MiB will be refused: give --spool-dir a directory to write to", "error", err.Error())
	}
	if err := o.writeAddresses(run); err != nil {
		return err
	}
	if o.addresses != "" {
		defer os.Remove(o.addresses)
	}
	log.Info("listening", "listen", addressOf(run.Door), "admin", addressOf(run.Admin), "api", cfg.Endpoint.String())
	if env.Getenv("GOGC") == "" {
		debug.SetGCPercent(sidecarGC)
	}
	debug.FreeOSMemory() // a sidecar is small: what starting took goes back
	return proxy.Serve(ctx, run)
}

func (o proxyOptions) config(ctx context.Context, env environment) (sidecar.Config, error) {
	cfg := sidecar.Config{
		Upstream: sidecar.Upstream{Proxy: http.ProxyFromEnvironment, IdleConnections: o.idleConnections, HTTP1: o.http1},
		Timeouts: o.timeouts, Retries: o.retry, Hosts: o.allowHosts, Origins: o.allowOrigins, Strip: o.strip,
		KeepForwarded: o.keepForwarded, AccessLog: !o.noAccessLog, SpoolDir: o.spoolDir, SpoolMemory: int64(o.spoolMemory) << 20,
	}
	err := o.checkNumbers()
	if err != nil {
		return cfg, err
	}
	if cfg.Add, cfg.AddFiles, err = o.added(); err != nil {
		return cfg, err
	}
	if o.ca != "" {
		if cfg.Upstream.Roots, err = sidecar.ReadCertificates(o.ca); err != nil {
			return cfg, fmt.Errorf("--ca: %w", err)
		}
	}
	target, err := findTarget(ctx, env, o.target, make(http.Header))
	if err != nil {
		return cfg, err
	}
	cfg.Endpoint, cfg.Credentials = target.endpoint, o.source(env, target)
	return cfg, nil
}

// checkNumbers refuses what would be taken for no limit, or for another one. A mebibyte count above maxSpoolMemory does not
// fit into bytes.
func (o proxyOptions) checkNumbers() error {
	if o.retry < 0 || o.idleConnections < 1 || o.spoolMemory < 1 || o.spoolMemory > maxSpoolMemory {
		return fmt.Errorf("--retry %d --idle-connections %d --spool-memory %d: the first must not be negative, the others at least 1, the last at most %d",
			o.retry, o.idleConnections, o.spoolMemory, maxSpoolMemory)
	}
	for _, limit := range []struct {
		flag  string
		value time.Duration
	}{
		{"read-header-timeout", o.timeouts.ReadHeader}, {"body-timeout", o.timeouts.Body}, {"idle-timeout", o.timeouts.Idle},
		{"dial-timeout", o.timeouts.Dial}, {"response-header-timeout", o.timeouts.ResponseHeader}, {"timeout", o.timeouts.Request},
		{"drain-delay", o.drainDelay}, {"drain-timeout", o.drainTimeout},
	} {
		if limit.value < 0 {
			return fmt.Errorf("--%s %s must not be negative", limit.flag, limit.value)
		}
	}
	return nil
}

const maxSpoolMemory = 1 << 20

// source gives the target's credentials, and looks for the target's again each time that it is asked for others. A local
// stack that has been started or stopped meanwhile would lend its keys to another API, or another's to its own.
func (o proxyOptions) source(env environment, target *callTarget) sidecar.Source {
	first := target.credentials
	return func(ctx context.Context) (aws.CredentialsProvider, error) {
		if p := first; p != nil {
			first = nil
			return p, nil
		}
		again, err := findTarget(ctx, env, o.target, make(http.Header))
		if err != nil {
			return nil, err
		}
		if (again.state == nil) != (target.state == nil) || again.endpoint.String() != target.endpoint.String() {
			return nil, fmt.Errorf("this proxy is for %s, but the credentials that are there now are for %s: start it anew, with --url if that must not change",
				target.endpoint, again.endpoint)
		}
		return again.credentials, nil
	}
}

// added are the headers of --add and --add-file.
func (o proxyOptions) added() (http.Header, []sidecar.HeaderFile, error) {
	all := make(http.Header)
	for i, line := range o.add {
		name, value, err := sidecar.ParseHeader(line)
		if err != nil {
			return nil, nil, fmt.Errorf("%s: %w", placeOf("--add", i, len(o.add)), err)
		}
		all.Add(name, value)
	}
	var files []sidecar.HeaderFile
	for i, line := range o.addFile {
		place := placeOf("--add-file", i, len(o.addFile))
		name, file, err := sidecar.ParseHeader(line)
		if err != nil {
			return nil, nil, fmt.Errorf("%s: it is not 'Name: FILE': %w", place, err)
		}
		added := sidecar.HeaderFile{Name: name, File: file}
		if _, err := added.Read(); err != nil {
			return nil, nil, fmt.Errorf("%s: the file for %s: %w", place, name, err)
		}
		files = append(files, added)
	}
	return all, files, nil
}

func (o proxyOptions) openDoor(ctx context.Context) (net.Listener, error) {
	mode, err := strconv.ParseUint(o.socketMode, 8, 32)
	if err != nil || mode > 0o777 {
		return nil, fmt.Errorf("--socket-mode %q is no mode such as 0660", o.socketMode)
	}
	door := sidecar.Door{Address: o.listen, SocketMode: fs.FileMode(mode), AllowPlain: o.insecureListen}
	switch {
	case (o.tlsCert == "") != (o.tlsKey == ""):
		return nil, errors.New("--tls-cert and --tls-key go together: give both")
	case o.tlsCert == "" && o.tlsClientCA != "":
		return nil, errors.New("--tls-client-ca needs a TLS listener: give --tls-cert and --tls-key, too")
	case o.tlsCert != "":
		if door.TLS, err = o.tls(); err != nil {
			return nil, err
		}
	}
	return sidecar.Listen(ctx, door)
}

func (o proxyOptions) tls() (*tls.Config, error) {
	return sidecar.Certificate{CertFile: o.tlsCert, KeyFile: o.tlsKey, ClientCAFile: o.tlsClientCA}.Config()
}

// openAdmin opens the second listener, which signs nothing and so may be open to the network, where probes come from.
func (o proxyOptions) openAdmin(ctx context.Context) (net.Listener, error) {
	if o.admin == "off" {
		return nil, nil
	}
	l, err := sidecar.Listen(ctx, sidecar.Door{Address: o.admin, AllowPlain: true})
	if err != nil {
		return nil, fmt.Errorf("--admin: %w", err)
	}
	return l, nil
}

func addressOf(l net.Listener) string {
	if l == nil {
		return ""
	}
	if l.Addr().Network() == "unix" {
		return "unix:" + l.Addr().String()
	}
	return l.Addr().String()
}

// writeAddresses writes where it listens. Whoever waits for the file never sees half of it.
func (o proxyOptions) writeAddresses(run sidecar.Run) error {
	if o.addresses == "" {
		return nil
	}
	text, err := json.Marshal(map[string]string{"listen": addressOf(run.Door), "admin": addressOf(run.Admin)})
	if err != nil {
		return err
	}
	draft := o.addresses + ".new"
	if err := os.WriteFile(draft, append(text, '\n'), 0o644); err != nil {
		return fmt.Errorf("--addresses: %w", err)
	}
	return os.Rename(draft, o.addresses)
}

// calls reports whether the API's address is the door.
func calls(api string, door net.Addr) bool {
	own, ok := door.(*net.TCPAddr)
	if !ok {
		return false
	}
	host, port, err := net.SplitHostPort(api)
	if err != nil || port != strconv.Itoa(own.Port) {
		return false
	}
	return isThisMachine(host)
}

// checkProxy asks a running proxy how it is. It is the health check of an image without a shell.
func checkProxy(ctx context.Context, o proxyOptions) error {
	if o.check != "ready" && o.check != "healthy" {
		return fmt.Errorf("--check=%s: it can ask for ready or healthy", o.check)
	}
	if o.admin == "off" {
		return errors.New("--check asks the admin listener: give --admin the address at which the proxy has it")
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	url := "http://" + o.admin
	if path, ok := strings.CutPrefix(o.admin, "unix:"); ok {
		url = "http://localhost"
		client.Transport = &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", path)
		}}
	} else if host, port, err := net.SplitHostPort(o.admin); err == nil && (host == "" || host == "0.0.0.0" || host == "::") {
		url = "http://" + net.JoinHostPort("127.0.0.1", port)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url+"/-/"+o.check, nil)
	if err != nil {
		return fmt.Errorf("--admin %q: %w", o.admin, err)
	}
	resp, err := client.Do(req)
	if err != nil {
		return fmt.Errorf("no proxy answers at --admin %s: %w", o.admin, err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, 4096))
	if err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("not %s: %s", o.check, strings.TrimSpace(string(text)))
	}
	return nil
}
