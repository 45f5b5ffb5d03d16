// Package simulate answers "would IAM let this call in?" from JSON lines: one question on each line in, one answer on
// each line out. It is the engine of marquee simulate.
//
// It asks internal/policy and decides nothing itself, it keeps nothing between lines, and it never calls AWS.
package simulate

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/marquee-api/marquee/internal/policy"
)

// MaxLine is the length of the longest line that is read, in bytes.
const MaxLine = 4 << 20

// An Answer is one line of output. Exactly one of Decision and Error is set.
type Answer struct {
	Decision string
	// By is the statement that decided; nil for an implicit deny, and for the root user, who needs no statement.
	By    *By
	Error string
}

// By names a statement.
type By struct {
	// Policy is identity, resource or endpoint.
	Policy string `json:"policy"`
	// Document counts the identity policies from 0; it is 0 for the others. Statement counts inside its document.
	Document  int    `json:"document"`
	Statement int    `json:"statement"`
	Sid       string `json:"sid"`
}

// MarshalJSON writes {"decision":…,"by":…} or {"error":…}.
func (a Answer) MarshalJSON() ([]byte, error) {
	if a.Error != "" {
		return encode(struct {
			Error string `json:"error"`
		}{a.Error})
	}
	return encode(struct {
		Decision string `json:"decision"`
		By       *By    `json:"by"`
	}{a.Decision, a.By})
}

func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false) // policies are full of < and &; nobody puts the answer into a page
	err := enc.Encode(v)
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), err
}

// Run answers every line of in on out until in ends. Blank lines are skipped. A line that cannot be answered gets
// {"error":…} and the others go on; Run returns how many these were. The error is one of reading or writing.
func Run(in io.Reader, out io.Writer) (failed int, err error) {
	r := bufio.NewReaderSize(in, 64<<10)
	w := bufio.NewWriter(out)
	for number := 1; ; number++ {
		line, tooLong, readErr := readLine(r)
		if readErr != nil && !errors.Is(readErr, io.EOF) {
			return failed, errors.Join(fmt.Errorf("read line %d: %w", number, readErr), w.Flush())
		}
		if trimmed := bytes.TrimSpace(line); tooLong || len(trimmed) > 0 {
			answer := One(trimmed)
			if tooLong {
				answer = Answer{Error: fmt.Sprintf("line is longer than %d bytes", MaxLine)}
			}
			if answer.Error != "" {
				answer.Error = fmt.Sprintf("line %d: %s", number, answer.Error)
				failed++
			}
			if err := write(w, answer); err != nil {
				return failed, fmt.Errorf("write answer %d: %w", number, err)
			}
		}
		// Answers go out as soon as no further question waits, so that a program can ask and wait in turns.
		if r.Buffered() == 0 || readErr != nil {
			if err := w.Flush(); err != nil {
				return failed, fmt.Errorf("write answer %d: %w", number, err)
			}
		}
		if readErr != nil {
			return failed, nil
		}
	}
}

// readLine reads to the next line end. Of a line that is too long it keeps nothing and reads on to its end.
func readLine(r *bufio.Reader) (line []byte, tooLong bool, err error) {
	for {
		part, err := r.ReadSlice('\n')
		if len(line)+len(part) > MaxLine+1 {
			line, tooLong = nil, true
		}
		if !tooLong {
			line = append(line, part...)
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			return line, tooLong, err
		}
	}
}

func write(w *bufio.Writer, answer Answer) error {
	text, err := answer.MarshalJSON()
	if err != nil {
		return err
	}
	_, err = w.Write(append(text, '\n'))
	return err
}

// One answers one question.
func One(line []byte) Answer {
	q, err := parse(line)
	if err != nil {
		return Answer{Error: err.Error()}
	}
	v := q.call.Authorize(&q.request)
	a := Answer{Decision: v.Decision.String()}
	if v.Statement >= 0 {
		a.By = &By{Policy: v.Source.String(), Document: v.Document, Statement: v.Statement, Sid: v.Sid}
	}
	return a
}

// question is a line, understood.
type question struct {
	call    policy.Call
	request policy.Request
}
