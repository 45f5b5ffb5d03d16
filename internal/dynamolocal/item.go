package dynamolocal

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// decodeItem makes an item of a JSON object. Beside an error it returns where in raw that is.
func decodeItem(raw []byte) (attributes map[string]types.AttributeValue, offset int64, err error) {
	if raw[0] != '{' {
		return nil, 0, notAnObject(raw[0])
	}
	// Go's decoder would replace what is not UTF-8 without a word.
	if i := invalidUTF8(raw); i >= 0 {
		return nil, int64(i), fmt.Errorf("byte 0x%02x is not UTF-8", raw[i])
	}
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber() // a float64 would round
	var object map[string]any
	if err := dec.Decode(&object); err != nil {
		if bad := (*json.SyntaxError)(nil); errors.As(err, &bad) {
			return nil, bad.Offset - 1, bad
		}
		if errors.Is(err, io.ErrUnexpectedEOF) {
			return nil, int64(len(raw)), errors.New("the JSON object does not end here")
		}
		return nil, 0, err
	}
	if rest := bytes.TrimLeft(raw[dec.InputOffset():], " \t\r\n"); len(rest) > 0 {
		return nil, int64(len(raw) - len(rest)), fmt.Errorf("%q follows the JSON object", rest[0])
	}
	return attributesOf(object), 0, nil
}

func notAnObject(first byte) error {
	return fmt.Errorf("want a JSON object, not %q", first)
}

// invalidUTF8 is the index of the first byte that is not UTF-8, or -1.
func invalidUTF8(raw []byte) int {
	for i := 0; i < len(raw); {
		r, size := utf8.DecodeRune(raw[i:])
		if r == utf8.RuneError && size == 1 {
			return i
		}
		i += size
	}
	return -1
}

func attributesOf(object map[string]any) map[string]types.AttributeValue {
	attributes := make(map[string]types.AttributeValue, len(object))
	for name, v := range object {
		attributes[name] = attributeOf(v)
	}
	return attributes
}

// attributeOf knows what a json.Decoder that uses numbers makes, and nothing else.
func attributeOf(v any) types.AttributeValue {
	switch v := v.(type) {
	case string:
		return &types.AttributeValueMemberS{Value: v}
	case json.Number:
		return &types.AttributeValueMemberN{Value: v.String()}
	case bool:
		return &types.AttributeValueMemberBOOL{Value: v}
	case []any:
		list := make([]types.AttributeValue, len(v))
		for i, e := range v {
			list[i] = attributeOf(e)
		}
		return &types.AttributeValueMemberL{Value: list}
	case map[string]any:
		return &types.AttributeValueMemberM{Value: attributesOf(v)}
	default:
		return &types.AttributeValueMemberNULL{Value: true}
	}
}

// keyOf returns the values of the item's key as one text.
func keyOf(attributes map[string]types.AttributeValue, keys []string) (string, error) {
	var text strings.Builder
	for _, name := range keys {
		switch v := attributes[name].(type) {
		case *types.AttributeValueMemberS:
			text.WriteString("S" + strconv.Quote(v.Value))
		case *types.AttributeValueMemberN:
			text.WriteString("N" + strconv.Quote(v.Value))
		case nil:
			return "", fmt.Errorf("it has no %q, which is a key of the table", name)
		default:
			return "", fmt.Errorf("%q is a key of the table and must be a string or a number", name)
		}
	}
	return text.String(), nil
}
