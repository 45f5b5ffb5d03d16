package deployment

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

// The longest number that a schema is asked about, and the largest power of ten in it: a double's (RFC 8259, section 6).
const (
	longestNumber = 1000
	mostExponent  = 324
)

// checkNumbers refuses numbers that take the validator's exact arithmetic long to write out, or that it panics on.
func checkNumbers(value any) error {
	switch value := value.(type) {
	case map[string]any:
		for _, member := range value {
			if err := checkNumbers(member); err != nil {
				return err
			}
		}
	case []any:
		for _, element := range value {
			if err := checkNumbers(element); err != nil {
				return err
			}
		}
	case json.Number:
		text := strings.ToLower(value.String())
		_, exponent, scientific := strings.Cut(text, "e")
		power, err := strconv.Atoi(exponent)
		if len(text) > longestNumber || scientific && (err != nil || max(power, -power) > mostExponent) {
			return fmt.Errorf("the number %.40s is beyond what is compared here: at most %d characters and a power of ten up to %d", text, longestNumber, mostExponent)
		}
	}
	return nil
}
