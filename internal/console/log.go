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

// Read adds the records of a log, one JSON object a line as `marquee local --log` writes it, and returns their number. A
// last line without its end was cut off when the log was copied, and is left out.
func (c *Console) Read(log io.Reader) (int, error) {
	lines := bufio.NewReaderSize(log, 64<<10)
	for number, count := 1, 0; ; number++ {
		line, err := readLine(lines)
		if err == io.EOF && !json.Valid(line) {
			return count, nil
		}
		if err != nil && err != io.EOF {
			return count, fmt.Errorf("line %d: %w", number, err)
		}
		if len(bytes.TrimSpace(line)) == 0 {
			continue
		}
		var r gateway.Record
		if err := json.Unmarshal(line, &r); err != nil {
			return count, fmt.Errorf("line %d is no record of a request: %w", number, err)
		}
		if r.Time.IsZero() || r.Status == 0 {
			return count, fmt.Errorf("line %d is no record of a request: want the lines of marquee local --log", number)
		}
		c.Add(r)
		count++
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
