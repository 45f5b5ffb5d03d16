//go:build !linux

package lambdahost

import "net"

// ownedBy cannot tell here which process a connection belongs to. What is left
// is that each process has a port of its own, and that an answer must name the
// random id of the invocation.
func ownedBy(int, net.Conn) bool { return true }
