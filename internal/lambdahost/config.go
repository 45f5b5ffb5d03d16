package lambdahost

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// The limits and defaults of Lambda ("Lambda quotas", "Configure Lambda
// function timeout", "Lambda execution environment lifecycle").
const (
	// MaxRequestPayload is the most bytes a synchronous invocation may carry.
	MaxRequestPayload = 6 * 1024 * 1024
	// MaxResponsePayload is the most bytes a function may answer with. Lambda
	// allows itself 100 bytes above 6 MiB here and names this very number in
	// the error.
	MaxResponsePayload = MaxRequestPayload + 100
	// DefaultTimeout is the time an invocation has when the template is silent.
	DefaultTimeout = 3 * time.Second
	// DefaultMemoryMB is the memory size told to a function when the template
	// is silent. It is told, not enforced.
	DefaultMemoryMB = 128
	// DefaultConcurrency is the most processes one function gets here. Lambda's
	// own default is 1,000 for an account, which would not fit on a laptop.
	DefaultConcurrency = 10
	// DefaultQueue is how many invocations may wait for a process.
	DefaultQueue = 1000
	// DefaultInitTimeout is how long a process may take before it first asks
	// for an event. The invocation's own clock does not run meanwhile.
	DefaultInitTimeout = 10 * time.Second
	// DefaultGrace is how long a process has between SIGTERM and SIGKILL.
	DefaultGrace = 2 * time.Second
)

// latest is the version of a function that was never published.
const latest = "$LATEST"

// Config describes one function. Only Name and Bootstrap are required.
type Config struct {
	// Name is the function's name, as in its ARN.
	Name string
	// ARN is what the function reads in its context; zero makes one of zeros
	// around Name.
	ARN string
	// Version is the published version; zero is $LATEST.
	Version string
	// Bootstrap is the path of the executable.
	Bootstrap string
	// Dir is the working directory and LAMBDA_TASK_ROOT; zero is the folder
	// that holds Bootstrap.
	Dir string
	// Handler is told to the function as _HANDLER; zero is "bootstrap".
	Handler string
	// Env holds KEY=VALUE lines. The process gets these, the variables that
	// Lambda itself sets, and nothing of the host's own environment. Variables
	// that Lambda reserves to describe the function are refused.
	Env []string
	// Timeout is the time one invocation has; zero is [DefaultTimeout].
	Timeout time.Duration
	// InitTimeout is the time a process has until it first asks for an event;
	// zero is [DefaultInitTimeout]. A process that overruns it is started once
	// more inside the invocation's own Timeout, as Lambda does.
	InitTimeout time.Duration
	// MemoryMB is told to the function; zero is [DefaultMemoryMB].
	MemoryMB int
	// Concurrency is the most processes at a time; zero is
	// [DefaultConcurrency]. Negative throttles every invocation, as a reserved
	// concurrency of 0 does.
	Concurrency int
	// Queue is how many invocations wait when every process is busy before
	// the next one gets [ErrThrottled]; zero is [DefaultQueue]. Negative lets
	// none wait, as Lambda does at a reserved concurrency. Payloads that wait
	// take at most 256 MiB.
	Queue int
	// Grace is the time between SIGTERM and SIGKILL; zero is [DefaultGrace].
	Grace time.Duration
	// Log receives what the function prints, line by line, and the host's own
	// START, END and REPORT lines. Calls do not overlap. Nil drops them.
	Log func(LogLine)
	// Now tells the time; nil is [time.Now].
	Now func() time.Time
	// NewID makes request ids; nil makes random UUIDs (version 4).
	NewID func() string
}

// withDefaults checks c and fills in its zero values.
func (c Config) withDefaults() (Config, error) {
	if c.Name == "" {
		return c, errors.New("function without a name: set Config.Name")
	}
	if err := checkExecutable(c.Bootstrap); err != nil {
		return c, fmt.Errorf("function %s: %w", c.Name, err)
	}
	bootstrap, err := filepath.Abs(c.Bootstrap)
	if err != nil {
		return c, fmt.Errorf("function %s: bootstrap: %w", c.Name, err)
	}
	c.Bootstrap = bootstrap
	if c.Dir, err = filepath.Abs(orDefault(c.Dir, filepath.Dir(bootstrap))); err != nil {
		return c, fmt.Errorf("function %s: folder: %w", c.Name, err)
	}
	if info, err := os.Stat(c.Dir); err != nil {
		return c, fmt.Errorf("function %s: folder: %w", c.Name, err)
	} else if !info.IsDir() {
		return c, fmt.Errorf("function %s: %s is not a folder", c.Name, c.Dir)
	}
	if err := checkEnvironment(c.Env); err != nil {
		return c, fmt.Errorf("function %s: %w", c.Name, err)
	}
	c.ARN = orDefault(c.ARN, "arn:aws:lambda:us-east-1:000000000000:function:"+c.Name)
	c.Version = orDefault(c.Version, latest)
	c.Handler = orDefault(c.Handler, "bootstrap")
	c.Timeout = orDefault(c.Timeout, DefaultTimeout)
	c.InitTimeout = orDefault(c.InitTimeout, DefaultInitTimeout)
	c.Grace = orDefault(c.Grace, DefaultGrace)
	c.MemoryMB = orDefault(c.MemoryMB, DefaultMemoryMB)
	c.Concurrency = orDefault(c.Concurrency, DefaultConcurrency)
	c.Queue = orDefault(c.Queue, DefaultQueue)
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.NewID == nil {
		c.NewID = newUUID
	}
	return c, nil
}

// checkExecutable says why path cannot be started, before anybody waits for it.
func checkExecutable(path string) error {
	if path == "" {
		return errors.New("no executable: set Config.Bootstrap to the built binary")
	}
	info, err := os.Stat(path)
	if err != nil {
		return fmt.Errorf("executable: %w; build the function first", err)
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("executable %s is not a file", path)
	}
	if info.Mode().Perm()&0o111 == 0 {
		return fmt.Errorf("%s is not executable; run chmod +x on it", path)
	}
	return nil
}

func orDefault[T comparable](value, fallback T) T {
	var zero T
	if value == zero {
		return fallback
	}
	return value
}
