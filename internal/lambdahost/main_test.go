package lambdahost_test

import (
	"fmt"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"

	"go.uber.org/goleak"
)

// functionVariable makes the test binary play a Lambda function: its value
// names one of [functions].
const functionVariable = "LAMBDAHOST_TEST_FUNCTION"

func TestMain(m *testing.M) {
	if name := os.Getenv(functionVariable); name != "" {
		play, ok := functions[name]
		if !ok {
			fmt.Fprintf(os.Stderr, "no test function %q\n", name)
			os.Exit(99)
		}
		play()
		os.Exit(0)
	}
	code := m.Run()
	http.DefaultTransport.(*http.Transport).CloseIdleConnections()
	// net/http gives a client half a second to read a refusal before it closes.
	if err := goleak.Find(goleak.IgnoreAnyFunction("net/http.(*conn).closeWriteAndWait")); code == 0 && err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	if left := children(os.Getpid()); code == 0 && len(left) > 0 {
		fmt.Fprintf(os.Stderr, "processes left behind: %v\n", left)
		code = 1
	}
	os.Exit(code)
}

// children lists the processes whose parent is pid, dead ones that nobody has
// reaped included.
func children(pid int) []string {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil // not Linux
	}
	var found []string
	for _, e := range entries {
		if _, err := strconv.Atoi(e.Name()); err != nil {
			continue
		}
		stat, err := os.ReadFile("/proc/" + e.Name() + "/stat")
		if err != nil {
			continue
		}
		after := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
		if len(after) > 1 && after[1] == strconv.Itoa(pid) {
			found = append(found, string(stat))
		}
	}
	return found
}
