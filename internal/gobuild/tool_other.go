//go:build !unix

package gobuild

import "os/exec"

// endTogether leaves a cancelled tool's own children to end by themselves: there
// are no process groups here.
func endTogether(*exec.Cmd) {}
