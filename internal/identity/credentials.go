package identity

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// WriteCredentials replaces an AWS shared credentials file with all profiles as they now stand. A reader sees the old
// file or the new one, never a part; nobody else may read it (mode 0600). Its folder is made if it is not there.
func (d *Directory) WriteCredentials(path string) error {
	d.writing.Lock() // else an older state could replace a newer one
	defer d.writing.Unlock()
	return replaceFile(path, []byte(d.sharedCredentials()))
}

// sharedCredentials is the file's text (AWS SDKs and Tools reference guide, "Format of the config file").
func (d *Directory) sharedCredentials() string {
	var b strings.Builder
	b.WriteString("# Keys of a stack that runs on this machine. They are made anew at each start and open nothing else.\n")
	for _, c := range d.Profiles() {
		fmt.Fprintf(&b, "\n# %s", c.ARN)
		if !c.Expires.IsZero() {
			fmt.Fprintf(&b, ", until %s", c.Expires.UTC().Format(time.RFC3339))
		}
		fmt.Fprintf(&b, "\n[%s]\naws_access_key_id = %s\naws_secret_access_key = %s\n", c.Profile, c.AccessKeyID, c.SecretAccessKey)
		if c.SessionToken != "" {
			fmt.Fprintf(&b, "aws_session_token = %s\n", c.SessionToken)
		}
		fmt.Fprintf(&b, "region = %s\n", d.config.Region)
	}
	return b.String()
}

// replaceFile writes a new file and gives it the old one's name.
func replaceFile(path string, data []byte) error {
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	tmp, err := os.CreateTemp(dir, "."+filepath.Base(path)+"-*") // mode 0600
	if err != nil {
		return err
	}
	_, err = tmp.Write(data)
	err = errors.Join(err, tmp.Close())
	if err == nil {
		err = os.Rename(tmp.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(tmp.Name()))
	}
	return nil
}
