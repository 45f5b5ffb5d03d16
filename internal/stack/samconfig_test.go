package stack_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/marquee-api/marquee/internal/stack"
)

func TestLoadConfig(t *testing.T) {
	tests := map[string]struct {
		file, env, text string
		want            stack.Config
	}{
		"global alone": {"samconfig.toml", "dev", `
version = 0.1
[dev.global.parameters]
stack_name = "marquee-dev"
region = "ap-northeast-2"
template_file = "t.yaml"
parameter_overrides = "Stage=dev Name=\"a b\""
`, stack.Config{Env: "dev", StackName: "marquee-dev", Region: "ap-northeast-2", Template: "t.yaml", Parameters: map[string]string{"Stage": "dev", "Name": "a b"}}},
		"the later table wins, parameter by parameter": {"samconfig.toml", "dev", `
version = 0.1
[dev.local_start_api.parameters]
parameter_overrides = ["C=local"]
[dev.deploy.parameters]
region = "eu-west-1"
parameter_overrides = "B=deploy C=deploy"
[dev.global.parameters]
region = "us-east-1"
parameter_overrides = "A=global B=global C=global"
[dev.build.parameters]
region = "none"
`, stack.Config{Env: "dev", Region: "eu-west-1", Parameters: map[string]string{"A": "global", "B": "deploy", "C": "local"}}},
		"no environment means default": {"samconfig.toml", "", `
version = 0.1
[default.deploy.parameters]
stack_name = "s"
[other.deploy.parameters]
stack_name = "o"
`, stack.Config{Env: "default", StackName: "s", Parameters: map[string]string{}}},
		"local falls back": {"samconfig.toml", "local", `
version = "0.1"
[default.deploy.parameters]
stack_name = "s"
`, stack.Config{Env: "default", StackName: "s", Parameters: map[string]string{}}},
		"local of its own": {"samconfig.toml", "local", `
version = 0.1
[default.deploy.parameters]
stack_name = "s"
[local.global.parameters]
stack_name = "l"
`, stack.Config{Env: "local", StackName: "l", Parameters: map[string]string{}}},
		"a list": {"samconfig.toml", "default", `
version = 0.1
[default.deploy.parameters]
parameter_overrides = ["A=1", "B=two words = one", "C=", "D=\"quoted words\" E=f", {F = "g"}]
`, stack.Config{Env: "default", Parameters: map[string]string{"A": "1", "B": "two words = one", "C": "", "D": "quoted words", "E": "f", "F": "g"}}},
		"a table": {"samconfig.toml", "default", `
version = 0.1
[default.deploy.parameters.parameter_overrides]
A = "text"
B = 3
C = true
D = 1.5
E = ["x", "y"]
`, stack.Config{Env: "default", Parameters: map[string]string{"A": "text", "B": "3", "C": "true", "D": "1.5", "E": "x,y"}}},
		"the old form": {"samconfig.toml", "default", `
version = 0.1
[default.deploy.parameters]
parameter_overrides = "ParameterKey=A,ParameterValue=b ParameterKey=C,ParameterValue=\"d, e=f\""
`, stack.Config{Env: "default", Parameters: map[string]string{"A": "b", "C": "d, e=f"}}},
		"YAML": {"samconfig.yaml", "dev", `
version: 0.1
dev:
  deploy:
    parameters:
      stack_name: s
      parameter_overrides: {A: 1, B: x}
`, stack.Config{Env: "dev", StackName: "s", Parameters: map[string]string{"A": "1", "B": "x"}}},
		"YAML with every kind of value": {"samconfig.yml", "dev", `
version: "0.1"
defaults: &shared {stack_name: s}
dev:
  deploy:
    parameters:
      <<: *shared
      parameter_overrides: {A: true, B: 1.5, C: 0x1F, D: [x, 2], E: "007", F: text}
`, stack.Config{Env: "dev", StackName: "s", Parameters: map[string]string{"A": "true", "B": "1.5", "C": "31", "D": "x,2", "E": "007", "F": "text"}}},
		"what marquee local asks": {"samconfig.toml", "local", `
version = 0.1
[local.global.parameters]
stack_name = "l"
[local.marquee_local.parameters]
call = true
`, stack.Config{Env: "local", StackName: "l", Parameters: map[string]string{}, Call: true}},
		"neither local nor default": {"samconfig.toml", "local", "version = 0.1\n[prod.deploy.parameters]\nstack_name = \"p\"\n", stack.Config{Parameters: map[string]string{}}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := stack.LoadConfig(write(t, tt.file, tt.text), tt.env)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(&tt.want, got); diff != "" {
				t.Errorf("got (+), want (-):\n%s", diff)
			}
		})
	}
}

func TestLoadConfigWithoutAFile(t *testing.T) {
	got, err := stack.LoadConfig("testdata/none.toml", "dev")
	if err != nil {
		t.Fatal(err)
	}
	check(t, "the configuration", got, &stack.Config{Parameters: map[string]string{}})
}

func TestLoadConfigErrors(t *testing.T) {
	tests := map[string]struct{ text, want string }{
		"not TOML":            {"version = 0.1\n[dev", "samconfig.toml:2: "},
		"no version":          {"[dev.global.parameters]\nregion = \"x\"", "version is <nil>, and only 0.1 is known: write version = 0.1"},
		"another version":     {"version = 2", "version is 2, and only 0.1 is known"},
		"no such environment": {"version = 0.1\n[prod.global.parameters]\n[test.global.parameters]", `has no environment "dev": it has prod, test`},
		"a wrong type":        {"version = 0.1\n[dev.global.parameters]\nregion = 3", "dev.global.parameters: region is 3, not text"},
		"no equals sign":      {"version = 0.1\n[dev.global.parameters]\nparameter_overrides = \"A\"", `parameter_overrides: part 1 is not of the form Name=Value`},
		"no name":             {"version = 0.1\n[dev.global.parameters]\nparameter_overrides = \"A=b =x\"", `parameter_overrides: part 2 is not of the form Name=Value`},
		"half an old form":    {"version = 0.1\n[dev.global.parameters]\nparameter_overrides = \"ParameterKey=A\"", `parameter_overrides: part 1 is not of the form ParameterKey=Name,ParameterValue=Value`},
		"open quotes":         {"version = 0.1\n[dev.global.parameters]\nparameter_overrides = 'A=\"b'", `parameter_overrides: the quotes do not close`},
		"a number":            {"version = 0.1\n[dev.global.parameters]\nparameter_overrides = 3", "parameter_overrides is int64, not text, a list or a table"},
		"a nested table":      {"version = 0.1\n[dev.global.parameters.parameter_overrides.A]\nb = 1", "parameter_overrides.A: map[string]interface {} is not a value of a parameter"},
		"not a wish we know":  {"version = 0.1\n[dev.marquee_local.parameters]\ncalls = true", "dev.marquee_local.parameters: calls is not known: there is call"},
		"a wish of text":      {"version = 0.1\n[dev.marquee_local.parameters]\ncall = \"yes\"", "dev.marquee_local.parameters: call is yes, not true or false"},
		"a bad item":          {"version = 0.1\n[dev.global.parameters]\nparameter_overrides = [\"A=b\", \"A b=c\"]", `parameter_overrides, item 2: it is not of the form Name=Value`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := stack.LoadConfig(write(t, "samconfig.toml", tt.text), "dev")
			contains(t, err, tt.want)
		})
	}
}

// TestLoadYAMLConfigErrors holds that a configuration in YAML has the bounds of a template, and its places in errors.
func TestLoadYAMLConfigErrors(t *testing.T) {
	for name, tt := range map[string]struct{ text, want string }{
		"too deep":       {strings.Repeat("[", 200) + strings.Repeat("]", 200), "samconfig.yaml:1: values are nested more than 128 deep"},
		"billion laughs": {laughs(), "samconfig.yaml:2: the template has more than 200000 values with its aliases expanded"},
		"a key twice":    {"version: 0.1\nversion: 0.1\n", `samconfig.yaml:2: the key "version" stands here for the second time, the first is in line 1`},
		"a list":         {"- version\n", "samconfig.yaml:1: a configuration is a map of environments, this is a list"},
		"nothing":        {"", "samconfig.yaml: the file is empty"},
		"too much":       {strings.Repeat("#", 1<<20+1), "samconfig.yaml has more than 1048576 bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := stack.LoadConfig(write(t, "samconfig.yaml", tt.text), "dev")
			contains(t, err, tt.want)
		})
	}
}
