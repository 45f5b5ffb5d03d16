// Command settle prints what a translated template would make with given values of its parameters, as JSON: conditions
// decided, what they leave out left out, the values as defaults. Scanners that do not decide conditions read that.
//
//	go run ./internal/tools/settle translated.json [Name=Value ...]
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/marquee-api/marquee/internal/deploycheck"
)

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintf(os.Stderr, "settle: %v\n", err)
		os.Exit(1)
	}
}

func run(args []string, out io.Writer) error {
	if len(args) == 0 {
		return fmt.Errorf("which template? settle translated.json [Name=Value ...]")
	}
	text, err := os.ReadFile(args[0])
	if err != nil {
		return err
	}
	var template map[string]any
	if err := json.Unmarshal(text, &template); err != nil {
		return fmt.Errorf("%s: %w", args[0], err)
	}
	values := map[string]string{}
	for _, arg := range args[1:] {
		name, value, ok := strings.Cut(arg, "=")
		if !ok {
			return fmt.Errorf("%q is not Name=Value", arg)
		}
		values[name] = value
	}
	settled, err := deploycheck.Settle(template, values)
	if err != nil {
		return fmt.Errorf("%s: %w", args[0], err)
	}
	// Scanners take a parameter's default for its value.
	if parameters, ok := settled["Parameters"].(map[string]any); ok {
		for name, value := range values {
			if parameter, ok := parameters[name].(map[string]any); ok {
				parameter["Default"] = value
			}
		}
	}
	encoder := json.NewEncoder(out)
	encoder.SetIndent("", " ")
	return encoder.Encode(settled)
}
