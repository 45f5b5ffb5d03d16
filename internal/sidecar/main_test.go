package sidecar_test

import (
	"testing"

	"go.uber.org/goleak"
)

// TestMain fails when a test leaves a goroutine behind: a connection, a body or a stream that nobody ended.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }
