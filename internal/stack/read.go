package stack

import (
	"fmt"
	"io"
	"os"
)

// readBounded reads a file that a template names. A device or a pipe says nothing of its size and may have no end.
func readBounded(name string) ([]byte, error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is not an ordinary file", name)
	}
	return readAtMost(name)
}

// readAtMost reads a file that somebody names on a command line, a pipe among them, up to the size that CloudFormation takes.
func readAtMost(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxTemplateBytes+1))
	if err != nil {
		return nil, err
	}
	if len(data) > maxTemplateBytes {
		return nil, fmt.Errorf("%s has more than %d bytes", name, maxTemplateBytes)
	}
	return data, nil
}
