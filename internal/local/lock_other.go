//go:build !unix

package local

import "errors"

// lockState refuses: no stack runs on this system (lambdahost.Supported), so that nobody comes here.
func lockState(string) (release func(), err error) {
	return nil, errors.New("the state file cannot be locked on this system")
}
