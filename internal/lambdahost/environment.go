package lambdahost

import (
	"fmt"
	"strconv"
	"strings"
)

// reserved lists the variables that describe the function to itself. Lambda
// refuses a function that sets them ("Using Lambda environment variables",
// reserved environment variables). The reserved ones that carry region and
// credentials are not in the list: here they come from [Config.Env].
var reserved = map[string]bool{
	"_HANDLER":                        true,
	"_X_AMZN_TRACE_ID":                true,
	"AWS_LAMBDA_FUNCTION_NAME":        true,
	"AWS_LAMBDA_FUNCTION_MEMORY_SIZE": true,
	"AWS_LAMBDA_FUNCTION_VERSION":     true,
	"AWS_LAMBDA_INITIALIZATION_TYPE":  true,
	"AWS_LAMBDA_LOG_GROUP_NAME":       true,
	"AWS_LAMBDA_LOG_STREAM_NAME":      true,
	"AWS_LAMBDA_RUNTIME_API":          true,
	"LAMBDA_TASK_ROOT":                true,
	"LAMBDA_RUNTIME_DIR":              true,
}

// checkEnvironment refuses what Lambda would refuse. Values may be secret and
// are never part of the message.
func checkEnvironment(env []string) error {
	seen := make(map[string]bool, len(env))
	for i, line := range env {
		key, value, ok := strings.Cut(line, "=")
		switch {
		case !ok || key == "":
			return fmt.Errorf("environment entry %d is not KEY=VALUE", i)
		case strings.ContainsRune(key, 0) || strings.ContainsRune(value, 0):
			return fmt.Errorf("environment variable %q holds a zero byte", key)
		case reserved[key]:
			return fmt.Errorf("environment variable %s is reserved by Lambda; remove it from the function's Environment", key)
		case seen[key]:
			return fmt.Errorf("environment variable %s is set twice", key)
		}
		seen[key] = true
	}
	return nil
}

// environment builds a process's whole environment: defaults that the function
// may change, then the function's own, then what describes it. Of a variable
// that is there twice, os/exec takes the later one.
func (c Config) environment(runtimeAPI, stream string) []string {
	env := []string{
		"LANG=en_US.UTF-8",
		"TZ=:UTC",
		"PATH=/usr/local/bin:/usr/bin/:/bin:/opt/bin",
		"LD_LIBRARY_PATH=/lib64:/usr/lib64:" + c.Dir + ":" + c.Dir + "/lib:/opt/lib",
		// On Lambda there is no home with AWS files and no instance metadata.
		// Here the SDK would find the developer's own, real ones by the user's
		// home, even with HOME unset, so they are taken out of its reach.
		"AWS_CONFIG_FILE=/dev/null",
		"AWS_SHARED_CREDENTIALS_FILE=/dev/null",
		"AWS_EC2_METADATA_DISABLED=true",
	}
	env = append(env, c.Env...)
	return append(env,
		"_HANDLER="+c.Handler,
		"LAMBDA_TASK_ROOT="+c.Dir,
		"LAMBDA_RUNTIME_DIR="+c.Dir,
		"AWS_LAMBDA_RUNTIME_API="+runtimeAPI,
		"AWS_LAMBDA_FUNCTION_NAME="+c.Name,
		"AWS_LAMBDA_FUNCTION_VERSION="+c.Version,
		"AWS_LAMBDA_FUNCTION_MEMORY_SIZE="+strconv.Itoa(c.MemoryMB),
		"AWS_LAMBDA_INITIALIZATION_TYPE=on-demand",
		"AWS_LAMBDA_LOG_GROUP_NAME=/aws/lambda/"+c.Name,
		"AWS_LAMBDA_LOG_STREAM_NAME="+stream,
	)
}
