package main

import "encoding/json"

// scalar is a string, a number or a boolean, as text. Numbers keep their digits.
type scalar string

// UnmarshalJSON implements json.Unmarshaler.
func (s *scalar) UnmarshalJSON(data []byte) error {
	// The decoder fills in the field of this error type, and of no other.
	switch data[0] {
	case '"':
		return json.Unmarshal(data, (*string)(s))
	case '{':
		return &json.UnmarshalTypeError{Value: "object"}
	case '[':
		return &json.UnmarshalTypeError{Value: "array"}
	case 'n':
		return &json.UnmarshalTypeError{Value: "null"}
	default:
		*s = scalar(data)
		return nil
	}
}

// list is one scalar or several.
type list []string

// UnmarshalJSON implements json.Unmarshaler.
func (l *list) UnmarshalJSON(data []byte) error {
	values := make([]scalar, 1)
	target := any(&values[0])
	if data[0] == '[' {
		target = &values
	}
	if err := json.Unmarshal(data, target); err != nil {
		return err
	}
	for _, value := range values {
		*l = append(*l, string(value))
	}
	return nil
}
