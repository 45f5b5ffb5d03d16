package dynamolocal_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/marquee-api/marquee/internal/dynamolocal"
)

// FuzzLoad compares what is taken from an input with what encoding/json says that it holds: the
// loader must neither take what is not JSON nor refuse, lose or add an item.
func FuzzLoad(f *testing.F) {
	for _, seed := range []string{
		"", "[]", "[{}]", titled("a"), `[{"year":1,"title":"a"},{"year":2,"title":"\"}]"}]`, "[{},]", "[{}] x", "{}\n{", "\ufeff[]",
		`[{"year":1,"title":"a","x":[[{}],"\\"]}]`, "{\"year\":1,\"title\":\"a\"}\r\n\n{\"year\":1,\"title\":\"b\"}", "[{\"a\":\"\xff\"}]", `[{"year":1,"title":"a"} ,5]`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, input []byte) {
		want, valid := objectsIn(input)
		n, err := dynamolocal.Load(t.Context(), &fakeTable{}, "movies", bytes.NewReader(input))
		if valid != (err == nil) {
			t.Fatalf("encoding/json says valid %t, the loader says %v", valid, err)
		}
		if valid && n != want {
			t.Fatalf("got %d items, want %d", n, want)
		}
	})
}

// objectsIn is a slow reference: how many items the input holds, if it is right.
func objectsIn(input []byte) (n int, valid bool) {
	text := strings.Trim(strings.TrimPrefix(string(input), "\ufeff"), " \t\r\n")
	if !utf8.ValidString(text) {
		return 0, false
	}
	var elements []json.RawMessage
	if strings.HasPrefix(text, "[") {
		if json.Unmarshal([]byte(text), &elements) != nil {
			return 0, false
		}
	} else {
		for line := range strings.SplitSeq(text, "\n") {
			if line = strings.Trim(line, " \t\r"); line != "" {
				elements = append(elements, json.RawMessage(line))
			}
		}
	}
	for _, e := range elements {
		fields := map[string]any{}
		dec := json.NewDecoder(bytes.NewReader(e))
		dec.UseNumber()
		if e[0] != '{' || !json.Valid(e) || dec.Decode(&fields) != nil {
			return 0, false
		}
		for _, key := range []string{"year", "title"} {
			switch fields[key].(type) {
			case string, json.Number:
			default:
				return 0, false
			}
		}
	}
	return len(elements), true
}
