//go:build !unix

package http1

import "syscall"

// supported says that isSilent can look.
const supported = false

func isSilent(syscall.RawConn) bool { return false }
