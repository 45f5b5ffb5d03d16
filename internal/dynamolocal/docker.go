package dynamolocal

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

const (
	image = "amazon/dynamodb-local:" + Version
	// imagePort is where the server listens inside of the container.
	imagePort = 8000
	// readyTimeout bounds how long a container that runs may take to answer.
	readyTimeout = time.Minute
	readyPoll    = 50 * time.Millisecond
	// removeTimeout bounds the removal of a container when the caller's context has ended already.
	removeTimeout = 20 * time.Second
	// portTries is how often a free port is chosen anew because another program was quicker.
	portTries = 3
)

// findDocker looks for a docker whose daemon answers.
func findDocker(ctx context.Context, o Options) (string, error) {
	docker, err := o.LookPath("docker")
	if err != nil {
		return "", fmt.Errorf("docker: %w", err)
	}
	out, err := exec.CommandContext(ctx, docker, "version", "--format", "{{.Server.Version}}").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("docker at %s does not work: %w: %s", docker, err, lastLine(string(out)))
	}
	return docker, nil
}

func startDocker(ctx context.Context, o Options, docker string) (*Server, error) {
	if err := pull(ctx, o, docker); err != nil {
		return nil, err
	}
	for try := 1; ; try++ {
		port, err := choosePort(o.Hosts, o.Port)
		if err != nil {
			return nil, err
		}
		s, err := runContainer(ctx, o, docker, port)
		if err == nil {
			return s, nil
		}
		if taken := (*PortInUseError)(nil); errors.As(err, &taken) && o.Port == 0 && try < portTries {
			continue
		}
		return nil, fmt.Errorf("cannot start DynamoDB Local in a container: %w", err)
	}
}

// pull fetches the image unless it is there, and shows docker's own progress.
func pull(ctx context.Context, o Options, docker string) error {
	if exec.CommandContext(ctx, docker, "image", "inspect", image).Run() == nil {
		return nil
	}
	fmt.Fprintf(o.Progress, "downloading the image %s (once)\n", image)
	output := &tail{}
	cmd := exec.Command(docker, "pull", image)
	cmd.Stdout, cmd.Stderr = o.Progress, output
	p, err := startProcess(cmd, syscall.SIGTERM)
	if err != nil {
		return fmt.Errorf("docker: %w", err)
	}
	if err := p.wait(ctx); err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return fmt.Errorf("docker could not pull %s (%w); without a network, name a running one with --dynamodb URL: %s", image, err, output)
	}
	return nil
}

// runContainer starts a container and returns when it answers.
func runContainer(ctx context.Context, o Options, docker string, port int) (*Server, error) {
	c := &container{docker: docker, name: fmt.Sprintf("marquee-dynamodb-%d-%d", os.Getpid(), port)}
	output := &tail{}
	cmd := exec.Command(docker, containerArgs(c.name, o.Hosts, port)...)
	cmd.Stdout, cmd.Stderr = output, output
	// If we are killed, docker hands this signal on to the container, which then ends and, because
	// of --rm, is removed. Systems other than Linux have no such signal: there, a container
	// outlives a marquee that was killed (but not one that was interrupted).
	p, err := startProcess(cmd, syscall.SIGTERM)
	if err != nil {
		return nil, fmt.Errorf("docker: %w", err)
	}
	c.process = p
	url := localURL(o.Hosts, port)
	if err := c.awaitAnswer(ctx, url); err != nil {
		removeErr := c.stop(ctx)
		if isPortTaken(output.String()) {
			return nil, &PortInUseError{Host: o.Hosts[0], Port: port}
		}
		return nil, errors.Join(fmt.Errorf("%w: %s", err, output), removeErr)
	}
	return &Server{URL: url, done: p.done, stop: c.stop}, nil
}

func containerArgs(name string, hosts []string, port int) []string {
	args := []string{"run", "--rm", "--name", name}
	for _, h := range hosts {
		args = append(args, "--publish", net.JoinHostPort(h, strconv.Itoa(port))+":"+strconv.Itoa(imagePort))
	}
	// The image starts java; what follows its name is java's.
	args = append(args, image, "-jar", "DynamoDBLocal.jar")
	return append(args, runnerOptions...)
}

// isPortTaken knows the words of docker for it.
func isPortTaken(output string) bool {
	return strings.Contains(output, "port is already allocated") || strings.Contains(output, "address already in use")
}

// choosePort returns the port, or for 0 one that is free on all hosts: docker itself would choose
// another one for each.
func choosePort(hosts []string, port int) (int, error) {
	if port != 0 {
		return port, nil
	}
	for try := 1; ; try++ {
		l, err := net.Listen("tcp", net.JoinHostPort(hosts[0], "0"))
		if err != nil {
			return 0, fmt.Errorf("cannot listen for DynamoDB Local: %w", err)
		}
		port := l.Addr().(*net.TCPAddr).Port
		if err := l.Close(); err != nil {
			return 0, err
		}
		err = probePort(hosts, port)
		if err == nil || try == portTries {
			return port, err
		}
	}
}

// container is a running one and the docker client that is attached to it.
type container struct {
	docker, name string
	process      *process

	mu      sync.Mutex
	removed bool
}

// awaitAnswer returns when the server in the container answers. That the port accepts connections
// says nothing: docker's own proxy does so from the beginning.
func (c *container) awaitAnswer(ctx context.Context, url string) error {
	ctx, cancel := context.WithTimeoutCause(ctx, readyTimeout, fmt.Errorf("no answer within %s", readyTimeout))
	defer cancel()
	tick := time.NewTicker(readyPoll)
	defer tick.Stop()
	for {
		if answers(ctx, url) == nil {
			return nil
		}
		select {
		case <-tick.C:
		case <-c.process.done:
			return errStopped
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// stop removes the container. The attached client goes first: it might be about to make one.
func (c *container) stop(ctx context.Context) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.removed {
		return nil
	}
	c.process.kill()
	// A container that stays would be worse than a caller who waits some seconds longer.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), removeTimeout)
	defer cancel()
	out, err := exec.CommandContext(ctx, c.docker, "rm", "--force", c.name).CombinedOutput()
	if err != nil && !isGone(string(out)) {
		return fmt.Errorf("container %s may still run: %w: %s; remove it with: docker rm --force %s", c.name, err, lastLine(string(out)), c.name)
	}
	c.removed = true
	return nil
}

// isGone knows docker's words for a container that ended, and so is removed, by itself.
func isGone(output string) bool {
	output = strings.ToLower(output)
	return strings.Contains(output, "no such container") || strings.Contains(output, "is already in progress")
}
