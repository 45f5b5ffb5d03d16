package local

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"github.com/marquee-api/marquee/internal/terminal"
)

// field is a member of a function's JSON log line: a string's text, any other value as it stands.
type field struct{ name, value string }

// longValue is the length from which a value is more likely an id or an ARN than what one reads first.
const longValue = 32

// readable is a structured log line for a person: level and message, then name=value, what is long last. The time is left
// out (it is now), and so are the directions for CloudWatch's metrics, which fill a screen. Lines that are no JSON object
// are not its matter. The ink is faint for what is only told, so that a caller may cut it.
func readable(text string) (line string, ink terminal.Ink, ok bool) {
	fields, ok := members(text)
	if !ok {
		return "", terminal.Plain, false
	}
	var words []string
	ink = terminal.Faint
	take := func(names ...string) string {
		i := slices.IndexFunc(fields, func(f field) bool { return slices.Contains(names, f.name) })
		if i < 0 {
			return ""
		}
		value := fields[i].value
		fields = slices.Delete(fields, i, i+1)
		return value
	}
	take("time", "timestamp", "ts")
	take("_aws")
	if level := strings.ToUpper(take("level")); level != "" {
		words = append(words, level)
		switch {
		case strings.HasPrefix(level, "ERR"), level == "FATAL", level == "CRITICAL":
			ink = terminal.Red
		case strings.HasPrefix(level, "WARN"):
			ink = terminal.Yellow
		}
	}
	if message := take("msg", "message"); message != "" {
		words = append(words, message)
	}
	slices.SortStableFunc(fields, func(a, b field) int {
		return boolToInt(len(a.value) > longValue) - boolToInt(len(b.value) > longValue)
	})
	for _, f := range fields {
		words = append(words, f.name+"="+quoted(f.value))
	}
	return printable(strings.Join(words, " ")), ink, true
}

func boolToInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

// members are those of a JSON object, in their order.
func members(text string) ([]field, bool) {
	if !strings.HasPrefix(text, "{") || !json.Valid([]byte(text)) {
		return nil, false
	}
	in := json.NewDecoder(strings.NewReader(text))
	if _, err := in.Token(); err != nil {
		return nil, false
	}
	var fields []field
	for in.More() {
		name, err := in.Token()
		if err != nil {
			return nil, false
		}
		var value json.RawMessage
		if err := in.Decode(&value); err != nil {
			return nil, false
		}
		fields = append(fields, field{name.(string), plainValue(value)})
	}
	return fields, true
}

// plainValue is the text of a string, and any other value as it stands.
func plainValue(value json.RawMessage) string {
	var text string
	if json.Unmarshal(value, &text) == nil && value[0] == '"' {
		return text
	}
	return string(value)
}

// quoted puts quotes round a text that could not be told from its neighbours without them.
func quoted(text string) string {
	if text == "" || strings.ContainsAny(text, " \t\n") && !strings.HasPrefix(text, "{") && !strings.HasPrefix(text, "[") {
		return strconv.Quote(text)
	}
	return text
}
