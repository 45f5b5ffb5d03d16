package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestMain makes this test binary play the program, so that scripts run it as a person would.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"marquee": func() {
			env := environment{Command: "marquee", Getenv: os.Getenv, Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr}
			os.Exit(execute(os.Args[1:], env))
		},
		"bareproxy": bareProxy,
	})
}

func TestScripts(t *testing.T) {
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(env *testscript.Env) error {
			env.Setenv("ROOT", root)
			return passCaches(env)
		},
		Condition: condition,
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"waitfor":  waitFor,
			"takeport": takePort,
			"jsonenv":  jsonEnv,
			"status":   status,
		},
	})
}

// passCaches lets the programs that scripts start find what was downloaded and compiled before.
func passCaches(env *testscript.Env) error {
	out, err := exec.Command("go", "env", "-json", "GOCACHE", "GOMODCACHE", "GOPATH", "GOPROXY", "GOFLAGS").Output()
	if err != nil {
		return err
	}
	variables := map[string]string{}
	if err := json.Unmarshal(out, &variables); err != nil {
		return err
	}
	for name, value := range variables {
		env.Setenv(name, value)
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return err
	}
	env.Setenv("XDG_CACHE_HOME", cache)
	for _, name := range []string{"MARQUEE_DYNAMODB_URL", "JAVA_HOME"} {
		env.Setenv(name, os.Getenv(name))
	}
	if home, err := os.UserHomeDir(); err == nil {
		env.Setenv("MAVEN_ARGS", "-Dmaven.repo.local="+filepath.Join(home, ".m2", "repository"))
	}
	return nil
}

// condition knows [dynamodb]: DynamoDB Local can be started here. Where MARQUEE_REQUIRE asks for it, it must.
func condition(name string) (bool, error) {
	if name != "dynamodb" {
		return false, fmt.Errorf("unknown condition %q", name)
	}
	_, java := exec.LookPath("java")
	_, maven := exec.LookPath("mvn")
	ok := java == nil && maven == nil || os.Getenv("MARQUEE_DYNAMODB_URL") != ""
	if !ok && slices.Contains(strings.Split(os.Getenv("MARQUEE_REQUIRE"), ","), "dynamodb") {
		return false, fmt.Errorf("java and mvn are missing, and MARQUEE_REQUIRE asks for DynamoDB Local")
	}
	return ok, nil
}

// waitFor waits until a file exists, and holds a text: waitfor .marquee/local.json
func waitFor(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 1 || len(args) > 2 {
		ts.Fatalf("usage: waitfor file [text]")
	}
	path := ts.MkAbs(args[0])
	deadline := time.After(startTime)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		if content, err := os.ReadFile(path); err == nil && strings.Contains(string(content), strings.Join(args[1:], "")) {
			return
		}
		select {
		case <-tick.C:
		case <-deadline:
			ts.Fatalf("%s did not appear within %v", strings.Join(args, " with "), startTime)
		}
	}
}

// takePort listens on a free port for the rest of the script and names it: takeport NAME
func takePort(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: takeport NAME")
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	ts.Defer(func() { l.Close() })
	ts.Setenv(args[0], fmt.Sprint(l.Addr().(*net.TCPAddr).Port))
}

// jsonEnv sets a variable to a value in a JSON file: jsonenv NAME file key key…
func jsonEnv(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 3 {
		ts.Fatalf("usage: jsonenv NAME file key...")
	}
	var value any
	ts.Check(json.Unmarshal([]byte(ts.ReadFile(args[1])), &value))
	for _, key := range args[2:] {
		object, ok := value.(map[string]any)
		if !ok {
			ts.Fatalf("%s: no object at %q", args[1], key)
		}
		value = object[key]
	}
	ts.Setenv(args[0], fmt.Sprint(value))
}

// status runs a program that has to end with an exit status: status 2 marquee check --bogus
func status(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: status code program args...")
	}
	err := ts.Exec(args[1], args[2:]...)
	code := 0
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit):
		code = exit.ExitCode()
	case err != nil:
		ts.Fatalf("%v", err)
	}
	if got := strconv.Itoa(code); got != args[0] {
		ts.Fatalf("exit status %s, want %s", got, args[0])
	}
}
