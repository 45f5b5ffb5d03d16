package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestRun(t *testing.T) {
	file := filepath.Join(t.TempDir(), "template.json")
	text := `{"Parameters": {"Mode": {"Default": "off"}}, "Conditions": {"On": {"Fn::Equals": [{"Ref": "Mode"}, "on"]}},
		"Resources": {"A": {"Condition": "On"}, "B": {"Properties": {"P": {"Fn::If": ["On", 1, 2]}}}}}`
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		args       []string
		resources  int
		p          float64
		mode, fail string
	}{
		"as it is":           {[]string{file}, 1, 2, "off", ""},
		"with a value":       {[]string{file, "Mode=on"}, 2, 1, "on", ""},
		"no template":        {nil, 0, 0, "", "which template?"},
		"no such template":   {[]string{file + "x"}, 0, 0, "", "no such file"},
		"a value of nothing": {[]string{file, "Mode"}, 0, 0, "", `"Mode" is not Name=Value`},
	} {
		t.Run(name, func(t *testing.T) {
			var out strings.Builder
			err := run(test.args, &out)
			if test.fail != "" {
				if err == nil || !strings.Contains(err.Error(), test.fail) {
					t.Fatalf("got %v, want an error with %q", err, test.fail)
				}
				return
			}
			var got struct {
				Parameters struct{ Mode struct{ Default string } }
				Resources  map[string]struct{ Properties struct{ P float64 } }
			}
			if err != nil || json.Unmarshal([]byte(out.String()), &got) != nil {
				t.Fatalf("%v: %s", err, out.String())
			}
			if len(got.Resources) != test.resources || got.Resources["B"].Properties.P != test.p || got.Parameters.Mode.Default != test.mode {
				t.Errorf("got %s", out.String())
			}
		})
	}
}
