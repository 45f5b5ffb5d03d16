//go:build unix

package dynamolocal_test

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

// What the fakes are told by their environment.
const (
	envCalls = "FAKE_CALLS" // a file that gets a line with the arguments of each call
	envJars  = "FAKE_JARS"  // the folder with the jars that maven "downloads"
	envHold  = "FAKE_HOLD"  // an address: dialled when the work begins, which ends when that hangs up
	envFail  = "FAKE_FAIL"  // how to fail
	envState = "FAKE_STATE" // docker's folder
)

func noteCall() {
	f, err := os.OpenFile(os.Getenv(envCalls), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return
	}
	fmt.Fprintln(f, strings.Join(os.Args[1:], " "))
	_ = f.Close()
}

// hold tells the test that the work has begun and waits until the test lets it go on.
func hold() {
	address := os.Getenv(envHold)
	if address == "" {
		return
	}
	conn, err := net.Dial("tcp", address)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	_, _ = io.Copy(io.Discard, conn)
	_ = conn.Close()
}

// fakeMaven "downloads" by linking to jars that are there.
func fakeMaven() int {
	noteCall()
	out := ""
	for _, a := range os.Args {
		if dir, ok := strings.CutPrefix(a, "-DoutputDirectory="); ok {
			out = dir
		}
	}
	jars, _ := filepath.Glob(filepath.Join(os.Getenv(envJars), "*"))
	if out == "" || len(jars) == 0 || os.MkdirAll(out, 0o755) != nil {
		fmt.Println("[ERROR] the fake has nothing to do")
		return 1
	}
	for i, jar := range jars {
		target := filepath.Join(out, filepath.Base(jar))
		var err error
		switch {
		case os.Getenv(envFail) == "half" && i == len(jars)/2:
			fmt.Println("[ERROR] Could not transfer artifact: Network is unreachable")
			return 1
		case os.Getenv(envFail) == "content" && strings.HasPrefix(filepath.Base(jar), "DynamoDBLocal-"):
			err = os.WriteFile(target, []byte("not the released one"), 0o600)
		default:
			err = os.Symlink(jar, target)
		}
		if err != nil {
			fmt.Println("[ERROR]", err)
			return 1
		}
		fmt.Printf("Downloaded from central: https://repo.example/%s (1.5 MB at 12 MB/s)\n", filepath.Base(jar))
	}
	hold()
	return 0
}

// fakeJava is new enough, compiles by making an empty class, and is a server that answers.
func fakeJava() int {
	noteCall()
	switch {
	case os.Args[1] == "-version":
		fmt.Fprintln(os.Stderr, `openjdk version "21.0.2" 2024-01-16`)
		return 0
	case slices.Contains(os.Args, "-m"):
		for i, a := range os.Args {
			if a == "-d" {
				_ = os.MkdirAll(os.Args[i+1], 0o755)
				_ = os.WriteFile(filepath.Join(os.Args[i+1], "Launcher.class"), nil, 0o600)
			}
		}
		return 0
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 1
	}
	fmt.Printf("marquee: port %d\n", l.Addr().(*net.TCPAddr).Port)
	go func() { _ = http.Serve(l, http.HandlerFunc(refuse)) }()
	_, _ = io.Copy(io.Discard, os.Stdin)
	return 0
}

// refuse answers as DynamoDB Local does what is not signed.
func refuse(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadRequest) }

// fakeDocker has a container be a process that does not belong to the client that started it, as
// with the real one.
func fakeDocker() int {
	noteCall()
	state, fail := os.Getenv(envState), os.Getenv(envFail)
	imageFile := filepath.Join(state, "image")
	switch command := strings.Join(os.Args[1:min(3, len(os.Args))], " "); {
	case fail == "daemon":
		fmt.Fprintln(os.Stderr, "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?")
		return 1
	case command == "version --format":
		fmt.Println("28.0.1")
		return 0
	case command == "image inspect":
		if _, err := os.Stat(imageFile); err != nil {
			fmt.Fprintln(os.Stderr, "Error response from daemon: No such image")
			return 1
		}
		return 0
	case os.Args[1] == "pull":
		if fail == "pull" {
			fmt.Fprintln(os.Stderr, "Error response from daemon: no route to host")
			return 1
		}
		fmt.Println("3.1.0: Pulling from amazon/dynamodb-local")
		_ = os.WriteFile(imageFile, nil, 0o600)
		return 0
	case os.Args[1] == "run":
		return fakeRun(state, fail)
	case os.Args[1] == "rm":
		return fakeRemove(state, fail)
	}
	fmt.Fprintf(os.Stderr, "unknown command: %q\n", os.Args[1:])
	return 125
}

// fakeRun starts the container, hands signals on to it and waits for its end.
func fakeRun(state, fail string) int {
	name, publish := "", []string(nil)
	for i, a := range os.Args {
		switch a {
		case "--name":
			name = os.Args[i+1]
		case "--publish":
			publish = append(publish, strings.TrimSuffix(os.Args[i+1], ":8000"))
		}
	}
	allocated := filepath.Join(state, "allocated")
	if _, err := os.Stat(allocated); fail == "port" || fail == "port once" && err != nil {
		_ = os.WriteFile(allocated, nil, 0o600)
		fmt.Fprintln(os.Stderr, "docker: Error response from daemon: driver failed programming external connectivity: Bind for 127.0.0.1:8000 failed: port is already allocated.")
		return 125
	}
	if fail == "exit" {
		fmt.Fprintln(os.Stderr, "Error: Unable to access jarfile DynamoDBLocal.jar")
		return 1
	}
	if fail == "stuck client" {
		hold()
	}
	container := exec.Command(os.Args[0], publish...)
	container.Env = append(os.Environ(), envRole+"=container")
	container.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := container.Start(); err != nil {
		return 125
	}
	pid := filepath.Join(state, name)
	_ = os.WriteFile(pid, []byte(strconv.Itoa(container.Process.Pid)), 0o600)
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGTERM)
	go func() { _ = container.Process.Signal(<-signals) }()
	_ = container.Wait()
	_ = os.Remove(pid)
	return 0
}

func fakeRemove(state, fail string) int {
	if fail == "rm" && os.Args[2] == "--force" {
		fmt.Fprintln(os.Stderr, "Error response from daemon: permission denied")
		return 1
	}
	pid, err := os.ReadFile(filepath.Join(state, os.Args[len(os.Args)-1]))
	if err != nil {
		fmt.Fprintln(os.Stderr, "Error response from daemon: No such container")
		return 1
	}
	n, err := strconv.Atoi(string(pid))
	if err != nil || syscall.Kill(n, syscall.SIGKILL) != nil {
		return 1
	}
	return 0
}

// fakeContainer answers on the addresses until it is killed, or never if it is stuck.
func fakeContainer() int {
	if os.Getenv(envFail) == "stuck container" {
		hold()
		return 0
	}
	for _, address := range os.Args[1:] {
		l, err := net.Listen("tcp", address)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		go func() { _ = http.Serve(l, http.HandlerFunc(refuse)) }()
	}
	select {}
}
