package main

import (
	"encoding/json"
	"errors"
	"maps"
	"reflect"
	"slices"
)

// scalar is a string, a number or a boolean, as text. Numbers keep their digits.
type scalar string

// UnmarshalJSON implements json.Unmarshaler.
func (s *scalar) UnmarshalJSON(data []byte) error {
	// The decoder fills in the field of this error type, and of no other.
	wrong := json.UnmarshalTypeError{Type: reflect.TypeFor[scalar]()}
	switch data[0] {
	case '"':
		return json.Unmarshal(data, (*string)(s))
	case '{':
		wrong.Value = "object"
	case '[':
		wrong.Value = "array"
	case 'n':
		wrong.Value = "null"
	default:
		*s = scalar(data)
		return nil
	}
	return &wrong
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
		var wrong *json.UnmarshalTypeError
		if errors.As(err, &wrong) {
			wrong.Type = reflect.TypeFor[list]()
		}
		return err
	}
	for _, value := range values {
		*l = append(*l, string(value))
	}
	return nil
}

// keyed is an object whose values are all of a kind. Its errors name the key, which those of a map do not.
type keyed[V scalar | list] map[string]V

// UnmarshalJSON implements json.Unmarshaler.
func (k *keyed[V]) UnmarshalJSON(data []byte) error {
	var values map[string]json.RawMessage
	if err := json.Unmarshal(data, &values); err != nil || values == nil {
		return err
	}
	*k = make(keyed[V], len(values))
	for _, name := range slices.Sorted(maps.Keys(values)) {
		var value V
		if err := json.Unmarshal(values[name], &value); err != nil {
			var wrong *json.UnmarshalTypeError
			if errors.As(err, &wrong) {
				wrong.Field = name
			}
			return err
		}
		(*k)[name] = value
	}
	return nil
}

// expected says in words what goes where something else was found.
func expected(kind reflect.Type) string {
	switch kind {
	case reflect.TypeFor[scalar]():
		return "a text, a number or a boolean"
	case reflect.TypeFor[list]():
		return "a text, a number or a boolean, or a list of these,"
	}
	switch kind.Kind() {
	case reflect.String:
		return "a text"
	case reflect.Bool:
		return "true or false"
	case reflect.Int:
		return "a whole number"
	case reflect.Slice:
		return "a list"
	default:
		return "an object"
	}
}
