package stack

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// readOverrides reads parameter_overrides in every form that SAM CLI takes: text, a list of texts or tables, a table. No
// error repeats any of it: values may be secrets.
func readOverrides(v any, into map[string]string) error {
	switch t := v.(type) {
	case string:
		if err := parseOverrides(t, into); err != nil {
			return fmt.Errorf("parameter_overrides: %w", err)
		}
		return nil
	case []any:
		for i, item := range t {
			if text, ok := item.(string); ok {
				if err := parseListItem(text, into); err != nil {
					return fmt.Errorf("parameter_overrides, item %d: %w", i+1, err)
				}
				continue
			}
			if err := readOverrides(item, into); err != nil {
				return err
			}
		}
		return nil
	case map[string]any:
		for _, name := range sortedKeys(t) {
			text, err := overrideText(t[name])
			if err != nil {
				return fmt.Errorf("parameter_overrides.%s: %w", name, err)
			}
			into[name] = text
		}
		return nil
	}
	return fmt.Errorf("parameter_overrides is %T, not text, a list or a table", v)
}

// overrideText writes a value as SAM CLI hands it to CloudFormation; lists become comma-delimited.
func overrideText(v any) (string, error) {
	switch t := v.(type) {
	case string:
		return t, nil
	case bool:
		return strconv.FormatBool(t), nil
	case int:
		return strconv.Itoa(t), nil
	case int64:
		return strconv.FormatInt(t, 10), nil
	case float64:
		return strconv.FormatFloat(t, 'f', -1, 64), nil
	case []any:
		var parts []string
		for _, item := range t {
			part, err := overrideText(item)
			if err != nil {
				return "", err
			}
			parts = append(parts, part)
		}
		return strings.Join(parts, ","), nil
	}
	return "", fmt.Errorf("%T is not a value of a parameter", v)
}

// parseListItem reads an item of the list form. A single Key=Value takes everything after the first equals sign.
func parseListItem(text string, into map[string]string) error {
	if strings.ContainsAny(text, `"'\`) || strings.HasPrefix(text, "ParameterKey=") {
		return parseOverrides(text, into)
	}
	name, value, ok := strings.Cut(text, "=")
	if !ok || !alphanumeric.MatchString(name) {
		return errors.New("it is not of the form Name=Value")
	}
	into[name] = value
	return nil
}

// parseOverrides reads `A=B C="d e"`, and CloudFormation's old `ParameterKey=A,ParameterValue=B`.
func parseOverrides(text string, into map[string]string) error {
	words, err := splitWords(text)
	if err != nil {
		return err
	}
	for i, word := range words {
		if rest, ok := strings.CutPrefix(word, "ParameterKey="); ok {
			name, value, ok := strings.Cut(rest, ",ParameterValue=")
			if !ok {
				return fmt.Errorf("part %d is not of the form ParameterKey=Name,ParameterValue=Value", i+1)
			}
			into[name] = value
			continue
		}
		name, value, ok := strings.Cut(word, "=")
		if !ok || !alphanumeric.MatchString(name) {
			return fmt.Errorf("part %d is not of the form Name=Value", i+1)
		}
		into[name] = value
	}
	return nil
}

// splitWords splits at spaces outside quotes and takes quotes and backslashes away, as a shell does.
func splitWords(text string) ([]string, error) {
	var words []string
	var word strings.Builder
	var quote rune
	started, escaped := false, false
	for _, r := range text {
		switch {
		case escaped:
			word.WriteRune(r)
			escaped = false
		case r == '\\' && quote != '\'':
			escaped, started = true, true
		case quote != 0 && r == quote:
			quote = 0
		case quote == 0 && (r == '"' || r == '\''):
			quote, started = r, true
		case quote == 0 && strings.ContainsRune(" \t\r\n", r):
			if started {
				words = append(words, word.String())
			}
			word.Reset()
			started = false
		default:
			word.WriteRune(r)
			started = true
		}
	}
	if quote != 0 || escaped {
		return nil, errors.New("the quotes do not close")
	}
	if started {
		words = append(words, word.String())
	}
	return words, nil
}
