package sidecar

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"sync"
	"sync/atomic"

	"github.com/marquee-api/marquee/apiclient"
)

const (
	// chunkSize is the unit in which bodies are held and answers are copied.
	chunkSize = 32 << 10
	// maxSmall is what is neither pooled nor counted: one exact piece of memory, which net/http knows to be that, so that
	// header and body leave in one write.
	maxSmall = 16 << 10
	// maxInMemory is how much of one body is held in memory; the rest lies in a file.
	maxInMemory = 1 << 20
	// defaultSpoolMemory bounds what all bodies together hold in memory beyond their first chunk.
	defaultSpoolMemory = 16 << 20
)

// errSpool says that the machine could not hold a body. errClient says that the client did not send one whole.
var (
	errSpool  = errors.New("no place for the request body")
	errClient = errors.New("reading the request body")
)

type chunk [chunkSize]byte

var chunks = sync.Pool{New: func() any { return new(chunk) }}

var hashes = sync.Pool{New: func() any { return sha256.New() }}

// spooler takes bodies in.
type spooler struct {
	dir    string // of the files; empty is the system's
	budget atomic.Int64
	files  func() // is told of each file
}

// spool is a body that was taken in whole: small, or its first chunks in memory and the rest in a file. It lives until its
// last reader is closed, because a transport may still send a body whose answer is there already.
type spool struct {
	owner *spooler
	small []byte
	held  []*chunk
	file  *os.File
	size  int64
	sum   string
	users atomic.Int32
}

// take reads a body to its end, of a length that is known or -1. It needs no more than the limit and one byte to say
// [apiclient.ErrBodyTooLarge]. The result has one user, who must release it.
func (o *spooler) take(body io.Reader, length int64) (*spool, error) {
	s := &spool{owner: o}
	s.users.Store(1)
	sum := hashes.Get().(hash.Hash)
	defer func() { sum.Reset(); hashes.Put(sum) }()
	var err error
	if 0 <= length && length <= maxSmall {
		err = s.fillSmall(body, length)
		sum.Write(s.small)
	} else {
		err = s.fill(body, sum)
	}
	if err != nil {
		s.release()
		return nil, err
	}
	var digest [sha256.Size]byte
	s.sum = hex.EncodeToString(sum.Sum(digest[:0]))
	return s, nil
}

func (s *spool) fillSmall(body io.Reader, length int64) error {
	s.small, s.size = make([]byte, length), length
	if _, err := io.ReadFull(body, s.small); err != nil {
		return fmt.Errorf("%w: %w", errClient, err)
	}
	// net/http must see the end, or it looks for more before it answers.
	if _, err := body.Read(nil); err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("%w: %w", errClient, err)
	}
	return nil
}

func (s *spool) fill(body io.Reader, sum hash.Hash) error {
	var spare *chunk // what goes through it lies in the file
	defer func() {
		if spare != nil {
			chunks.Put(spare)
		}
	}()
	for {
		into := spare
		if into == nil {
			into = chunks.Get().(*chunk)
			if s.mayHold() {
				s.held = append(s.held, into)
			} else {
				spare = into
			}
		}
		n, err := full(body, into[:])
		if s.size += int64(n); s.size > apiclient.MaxBodyBytes {
			return apiclient.ErrBodyTooLarge
		}
		sum.Write(into[:n])
		if into == spare {
			if err := s.write(into[:n]); err != nil {
				return err
			}
		}
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return fmt.Errorf("%w: %w", errClient, err)
		}
	}
}

// full reads until the chunk is full or the body has ended. Unlike io.ReadFull it returns the body's own error, because
// net/http says "unexpected EOF" of a body that was cut off.
func full(body io.Reader, into []byte) (n int, err error) {
	for n < len(into) && err == nil {
		var m int
		m, err = body.Read(into[n:])
		n += m
	}
	return n, err
}

// mayHold reports whether the next chunk stays in memory. The first one always does.
func (s *spool) mayHold() bool {
	if len(s.held) == 0 {
		return true
	}
	if s.file != nil || len(s.held) >= maxInMemory/chunkSize {
		return false
	}
	if s.owner.budget.Add(-chunkSize) < 0 {
		s.owner.budget.Add(chunkSize)
		return false
	}
	return true
}

// write appends to the file, which loses its name at once: it is gone with the process, however that ends.
func (s *spool) write(b []byte) error {
	if len(b) == 0 {
		return nil
	}
	if s.file == nil {
		file, err := os.CreateTemp(s.owner.dir, "marquee-body-*")
		if err != nil {
			return fmt.Errorf("%w: %w", errSpool, err)
		}
		s.file = file
		os.Remove(file.Name()) //nolint:errcheck // where an open file keeps its name, release removes it
		if s.owner.files != nil {
			s.owner.files()
		}
	}
	if _, err := s.file.Write(b); err != nil {
		return fmt.Errorf("%w: %w", errSpool, err)
	}
	return nil
}

func (s *spool) release() {
	if s.users.Add(-1) > 0 {
		return
	}
	for i, c := range s.held {
		if i > 0 {
			s.owner.budget.Add(chunkSize)
		}
		chunks.Put(c)
	}
	s.held = nil
	if s.file != nil {
		s.file.Close()
		os.Remove(s.file.Name()) //nolint:errcheck // it is gone already on most systems
	}
}

// open returns a reader of the whole body, which releases it when it is closed.
func (s *spool) open() io.ReadCloser {
	if s.small != nil {
		return io.NopCloser(bytes.NewReader(s.small))
	}
	s.users.Add(1)
	return &spoolReader{s: s}
}

// hashedBody is the body of the request that the client is given: it says the hash, and the client opens what it sends.
type hashedBody struct {
	io.Reader
	sum string
}

var _ apiclient.HashedBody = hashedBody{}

func (s *spool) hashed() hashedBody { return hashedBody{eof{}, s.sum} }

func (h hashedBody) SHA256() string { return h.sum }
func (h hashedBody) Close() error   { return nil }

type eof struct{}

func (eof) Read([]byte) (int, error) { return 0, io.EOF }

// readAt is io.ReaderAt over memory and file.
func (s *spool) readAt(p []byte, off int64) (int, error) {
	if off >= s.size {
		return 0, io.EOF
	}
	if left := s.size - off; int64(len(p)) > left {
		p = p[:left]
	}
	if i := int(off / chunkSize); i < len(s.held) {
		return copy(p, s.held[i][off%chunkSize:]), nil
	}
	return s.file.ReadAt(p, off-int64(len(s.held))*chunkSize)
}

// spoolReader is one reading of a spool. Close may come from another goroutine while Read runs, as transports do; it
// waits for it, because afterwards the memory belongs to another body.
type spoolReader struct {
	mu  sync.Mutex
	s   *spool
	off int64
}

func (r *spoolReader) Read(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.s == nil {
		return 0, os.ErrClosed
	}
	n, err := r.s.readAt(p, r.off)
	r.off += int64(n)
	return n, err
}

func (r *spoolReader) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.s != nil {
		r.s.release()
		r.s = nil
	}
	return nil
}
