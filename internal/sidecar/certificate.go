package sidecar

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"
	"sync"
	"time"
)

// Certificate is the pair of files that a TLS door shows, and whom it lets in.
type Certificate struct {
	CertFile, KeyFile string
	// ClientCAFile, if not empty, lets only clients in whose certificate one of these authorities has signed.
	ClientCAFile string
}

// Config reads the files. The pair is read again when it has changed, because certificates are renewed while programs
// run; a new pair that cannot be read leaves the old one in place.
func (c Certificate) Config() (*tls.Config, error) {
	pair := &certificatePair{files: c}
	if err := pair.load(); err != nil {
		return nil, err
	}
	config := &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: pair.get, NextProtos: []string{"h2", "http/1.1"}}
	if c.ClientCAFile != "" {
		pool, err := ReadCertificates(c.ClientCAFile)
		if err != nil {
			return nil, err
		}
		config.ClientCAs, config.ClientAuth = pool, tls.RequireAndVerifyClientCert
	}
	return config, nil
}

// ReadCertificates reads the authorities of a PEM file.
func ReadCertificates(file string) (*x509.CertPool, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("%s holds no certificate in PEM form", file)
	}
	return pool, nil
}

type certificatePair struct {
	files Certificate
	mu    sync.Mutex
	held  *tls.Certificate
	seen  [2]time.Time // when the files were written
}

func (p *certificatePair) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.seen != p.written() {
		p.load() //nolint:errcheck // half of a pair may be there only; the next connection looks again
	}
	return p.held, nil
}

func (p *certificatePair) load() error {
	written := p.written()
	pair, err := tls.LoadX509KeyPair(p.files.CertFile, p.files.KeyFile)
	if err != nil {
		return fmt.Errorf("certificate of the listener: %w", err)
	}
	p.held, p.seen = &pair, written
	return nil
}

func (p *certificatePair) written() (at [2]time.Time) {
	for i, name := range []string{p.files.CertFile, p.files.KeyFile} {
		if info, err := os.Stat(name); err == nil {
			at[i] = info.ModTime()
		}
	}
	return at
}
