package local

import "errors"

// errLocked says that a live run holds the state file.
var errLocked = errors.New("another run uses this state file")
