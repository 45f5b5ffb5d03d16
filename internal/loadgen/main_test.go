package loadgen_test

import (
	"testing"

	"go.uber.org/goleak"
)

// TestMain fails when a run leaves something behind: a worker, a timer, a connection.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }
