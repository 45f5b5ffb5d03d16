package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/marquee-api/marquee/apiclient"
	"github.com/marquee-api/marquee/internal/answer"
	"github.com/marquee-api/marquee/internal/outfile"
	"github.com/marquee-api/marquee/internal/terminal"
)

// mostRefusal bounds what is kept of an answer that is no 2xx, to say what API Gateway meant. Its messages are shorter.
const mostRefusal = 64 << 10

// callOutput is where answers go.
type callOutput struct {
	answer.Printer
	name   string        // of --output
	file   *outfile.File // nil is standard output
	whole  int           // answers that came to their end
	spoilt bool          // one broke off
}

// openOutput begins the file of --output before anything is sent.
func (o callOptions) openOutput(env environment) (*callOutput, error) {
	out := &callOutput{Printer: answer.Printer{Out: env.Stdout, Head: o.include}, name: o.output}
	switch {
	case !o.outputGiven:
		reader := terminal.Of(env.Stdout, env.Getenv)
		out.Terminal, out.Colour = reader.IsTerminal(), reader.Colour()
	case o.output == "":
		return nil, errors.New("--output is empty: give it a file, or - for standard output")
	case o.output != "-":
		file, err := outfile.Create(o.output)
		if err != nil {
			return nil, fmt.Errorf("--output: %w", err)
		}
		out.file, out.Out = file, file
	}
	return out, nil
}

// commit puts the file into its place, if all of what should be in it is.
func (out *callOutput) commit() error {
	if out.file == nil || out.spoilt || out.whole == 0 {
		return nil
	}
	if err := out.file.Commit(); err != nil {
		return fmt.Errorf("--output: %w", err)
	}
	return nil
}

func (out *callOutput) discard() {
	if out.file != nil {
		out.file.Discard() //nolint:errcheck // what went wrong before has been said
	}
}

// callSending is what is sent, and where its answers go.
type callSending struct {
	client  *apiclient.Client
	target  *callTarget
	request apiclient.Request
	out     *callOutput
	stderr  io.Writer
}

// repeat sends the request so often. What becomes of one does not keep the next from being sent, unless nothing would: a
// request that cannot be sent, an output that takes no more, Ctrl-C.
func (s callSending) repeat(ctx context.Context, times int) error {
	var worst *exitStatus
	for range times {
		status, err := s.once(ctx)
		switch {
		case err != nil && ctx.Err() != nil:
			return s.failed(errInterrupted)
		case err != nil:
			return err
		}
		if status != nil && status.err != nil {
			fmt.Fprintf(s.stderr, "marquee: %s\n", answer.Clean(status.err.Error()))
		}
		worst = worse(worst, status)
	}
	if err := s.out.commit(); err != nil {
		return err
	}
	if worst == nil {
		return nil
	}
	return &exitStatus{code: worst.code} // the reasons have been said
}

// once sends the request and prints its answer. The status is nil for a 2xx; an error ends it all.
func (s callSending) once(ctx context.Context) (*exitStatus, error) {
	resp, err := s.client.Stream(ctx, s.request)
	if err != nil {
		var call *apiclient.CallError
		if ctx.Err() != nil || !errors.As(err, &call) || call.Attempts == 0 {
			return nil, s.target.explain(err)
		}
		return &exitStatus{code: 1, err: s.target.explain(err)}, nil
	}
	defer resp.Body.Close()
	var kept beginning
	if resp.StatusCode < 200 || 299 < resp.StatusCode {
		resp.Body = struct {
			io.Reader
			io.Closer
		}{io.TeeReader(resp.Body, &kept), resp.Body}
	}
	err = s.out.Print(resp)
	var (
		binary *answer.BinaryError
		broken *answer.BrokenError
	)
	switch {
	case errors.As(err, &broken) && ctx.Err() == nil:
		return s.brokenOff(err), nil
	case errors.As(err, &binary):
		return s.notShown(resp, err), nil
	case err != nil:
		return nil, err
	}
	s.out.whole++
	return s.target.statusOf(refusalOf(resp, kept), s.out.Terminal), nil
}

// failed says which call it was, without its query: that may hold what nobody should read.
func (s callSending) failed(err error) error {
	path, _, _ := strings.Cut(s.request.Path, "?")
	return &apiclient.CallError{Method: s.request.Method, Path: path, Attempts: 1, Err: err}
}

// brokenOff is the status of an answer that ended too early.
func (s callSending) brokenOff(err error) *exitStatus {
	s.out.spoilt = true
	err = s.target.explain(s.failed(err))
	if s.out.file != nil {
		err = fmt.Errorf("%w; %s was not written", err, s.out.name)
	}
	return &exitStatus{code: 1, err: err}
}

// notShown is the status of an answer that a terminal cannot show.
func (s callSending) notShown(resp *http.Response, err error) *exitStatus {
	status := s.target.statusOf(refusalOf(resp, nil), false)
	if status == nil {
		status = &exitStatus{code: 1}
	}
	status.err = fmt.Errorf("%w: write it to a file with -o FILE, or into a pipe; -o - shows it all the same", err)
	return status
}

// refusalOf is the error of an answer that is no 2xx, else nil.
func refusalOf(resp *http.Response, body []byte) *apiclient.APIError {
	var refusal *apiclient.APIError
	errors.As((&apiclient.Response{Status: resp.StatusCode, Proto: resp.Proto, Header: resp.Header, Body: body}).Err(), &refusal)
	return refusal
}

// beginning keeps the first bytes of what is written to it.
type beginning []byte

func (b *beginning) Write(piece []byte) (int, error) {
	*b = append(*b, piece[:min(len(piece), mostRefusal-len(*b))]...)
	return len(piece), nil
}

// outcomeOf is what came of an attempt, in a few words.
func outcomeOf(a apiclient.Attempt) string {
	if a.Err != nil {
		return a.Err.Error()
	}
	words := []byte(fmt.Sprintf("%d %s", a.StatusCode, http.StatusText(a.StatusCode)))
	if kind := a.ErrorType(); kind != "" {
		words = append(append(words, ' '), kind...)
	}
	return string(bytes.TrimSpace(words))
}
