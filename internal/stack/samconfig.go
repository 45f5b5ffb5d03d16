package stack

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/pelletier/go-toml/v2"
)

// Config is what a samconfig file says about one environment, as far as a local run asks.
type Config struct {
	// Env is the environment that was read; empty if there is no file.
	Env        string
	StackName  string
	Region     string
	Parameters map[string]string
	// Template is template_file as written; empty if it is not set.
	Template string
	// Call is what a local run asks of its own table: to begin with a call through the caller function.
	Call bool
}

// configTables are the commands whose tables count, the later winning over the earlier, parameter by parameter.
// SAM CLI reads global for every command; deploy holds what the stack is deployed with, and local_start_api what a
// laptop wants otherwise (SAM developer guide, SAM CLI configuration file).
var configTables = []string{"global", "deploy", "local_start_api"}

// ownTable holds what only `marquee local` asks; the SAM CLI does not look at it.
const ownTable = "marquee_local"

// localEnv is the environment that this project asks for when nobody says otherwise; files of other projects need not
// have it, and then SAM's own default counts.
const (
	localEnv   = "local"
	defaultEnv = "default"
)

// LoadConfig reads samconfig.toml (or .yaml), version 0.1. The tables [env.global.parameters], [env.deploy.parameters]
// and [env.local_start_api.parameters] count, in this order, and [env.marquee_local.parameters] for what is not SAM's. A file that does not exist is an empty Config. An
// environment that the file does not have is an error, but for "local", which falls back to "default".
func LoadConfig(path, env string) (*Config, error) {
	empty := &Config{Parameters: map[string]string{}}
	data, err := readAtMost(path)
	if errors.Is(err, fs.ErrNotExist) {
		return empty, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the configuration: %w", err)
	}
	var file map[string]any
	if ext := filepath.Ext(path); ext == ".yaml" || ext == ".yml" {
		file, err = readYAMLConfig(path, data)
	} else if err = decodeTOML(data, &file); err != nil {
		err = configError(path, err)
	}
	if err != nil {
		return nil, err
	}
	return readConfig(path, env, file)
}

// readYAMLConfig reads a file in the way and with the bounds of a template.
func readYAMLConfig(path string, data []byte) (map[string]any, error) {
	v, err := parseText(path, data)
	if err != nil {
		return nil, err
	}
	file, ok := v.plain().(map[string]any)
	if !ok {
		return nil, fmt.Errorf("%s: a configuration is a map of environments, this is %s", v.pos, v.kind)
	}
	return file, nil
}

// decodeTOML turns a panic of the library into an error, as decodeYAML does.
func decodeTOML(data []byte, into *map[string]any) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("toml: %v", r)
		}
	}()
	return toml.Unmarshal(data, into)
}

// configError adds the line where the TOML library knows it.
func configError(path string, err error) error {
	var decode *toml.DecodeError
	if errors.As(err, &decode) {
		line, _ := decode.Position()
		return fmt.Errorf("%s:%d: %s", path, line, strings.TrimPrefix(decode.Error(), "toml: "))
	}
	return fmt.Errorf("%s: %w", path, err)
}

func readConfig(path, env string, file map[string]any) (*Config, error) {
	if version, ok := file["version"]; !ok || fmt.Sprint(version) != "0.1" {
		return nil, fmt.Errorf("%s: version is %v, and only 0.1 is known: write version = 0.1", path, file["version"])
	}
	if env == "" {
		env = defaultEnv
	}
	tables, ok := file[env].(map[string]any)
	if !ok && env == localEnv {
		if tables, ok = file[defaultEnv].(map[string]any); !ok {
			return &Config{Parameters: map[string]string{}}, nil
		}
		env = defaultEnv
	}
	if !ok {
		names := slices.DeleteFunc(slices.Sorted(maps.Keys(file)), func(name string) bool { return name == "version" })
		return nil, fmt.Errorf("%s has no environment %q: it has %s", path, env, strings.Join(names, ", "))
	}
	c := &Config{Env: env, Parameters: map[string]string{}}
	for _, command := range configTables {
		table, _ := tables[command].(map[string]any)
		parameters, _ := table["parameters"].(map[string]any)
		if err := c.take(parameters); err != nil {
			return nil, fmt.Errorf("%s: %s.%s.parameters: %w", path, env, command, err)
		}
	}
	own, _ := tables[ownTable].(map[string]any)
	parameters, _ := own["parameters"].(map[string]any)
	if err := c.takeOwn(parameters); err != nil {
		return nil, fmt.Errorf("%s: %s.%s.parameters: %w", path, env, ownTable, err)
	}
	return c, nil
}

// takeOwn reads the own table. Nobody else has keys there, so that one which is not known is a mistake.
func (c *Config) takeOwn(parameters map[string]any) error {
	for _, name := range slices.Sorted(maps.Keys(parameters)) {
		value, isBool := parameters[name].(bool)
		switch {
		case name != "call":
			return fmt.Errorf("%s is not known: there is call", name)
		case !isBool:
			return fmt.Errorf("call is %v, not true or false", parameters[name])
		}
		c.Call = value
	}
	return nil
}

// take puts one table over what is there.
func (c *Config) take(parameters map[string]any) error {
	for _, key := range []struct {
		name string
		into *string
	}{{"stack_name", &c.StackName}, {"region", &c.Region}, {"template", &c.Template}, {"template_file", &c.Template}} {
		v, ok := parameters[key.name]
		if !ok {
			continue
		}
		text, ok := v.(string)
		if !ok {
			return fmt.Errorf("%s is %v, not text", key.name, v)
		}
		*key.into = text
	}
	overrides, ok := parameters["parameter_overrides"]
	if !ok {
		return nil
	}
	return readOverrides(overrides, c.Parameters)
}
