package http1_test

import (
	"testing"

	"go.uber.org/goleak"
)

// TestMain fails when a test leaves a goroutine behind. The package has none of its own, but a connection that nobody
// closes keeps one of the server.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }
