package console

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/marquee-api/marquee/internal/gateway"
)

// longestLine bounds a line of a log. The gateway writes shorter ones: bodies are cut.
const longestLine = 4 << 20

// Reading is what was read of a log.
type Reading struct {
	Requests int
	Cut      int // of them, those that held more than a gateway writes, which was left out
}

// Read adds the records of a log, one JSON object a line as `marquee local --log` writes it. A last line without its end was
// cut off when the log was copied, and is left out.
func (c *Console) Read(log io.Reader) (Reading, error) {
	lines := bufio.NewReaderSize(log, 64<<10)
	var got Reading
	for number := 1; ; number++ {
		line, err := readLine(lines)
		if err == io.EOF && !json.Valid(line) {
			return got, nil
		}
		if err != nil && err != io.EOF {
			return got, fmt.Errorf("line %d: %w", number, err)
		}
		if len(bytes.TrimSpace(line)) == 0 {
			continue
		}
		var r gateway.Record
		if err := json.Unmarshal(line, &r); err != nil {
			return got, fmt.Errorf("line %d is no record of a request: %w", number, err)
		}
		if r.Time.IsZero() || r.Status == 0 {
			return got, fmt.Errorf("line %d is no record of a request: want the lines of marquee local --log", number)
		}
		if cut(&r) {
			got.Cut++
		}
		c.Add(r)
		got.Requests++
	}
}

// readLine returns a line without its end, and io.EOF with what lies behind the last end.
func readLine(r *bufio.Reader) ([]byte, error) {
	var line []byte
	for {
		piece, err := r.ReadSlice('\n')
		line = append(line, piece...)
		switch {
		case len(line) > longestLine:
			return nil, fmt.Errorf("longer than %d bytes: this is no log of requests", longestLine)
		case errors.Is(err, bufio.ErrBufferFull):
		case err != nil:
			return line, err
		default:
			return bytes.TrimSuffix(line, []byte("\n")), nil
		}
	}
}
