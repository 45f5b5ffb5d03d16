package local

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"
)

// closeTime bounds how long stopping may take before what is left is killed.
const closeTime = 8 * time.Second

// tooLong says what it means that the time to stop was over. That there was to be none is no failure.
func tooLong(err error) error {
	switch {
	case errors.Is(err, context.Canceled):
		return nil
	case errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("stopping took longer than %s: what was under way was killed", closeTime)
	}
	return err
}

// Close stops everything that was started, in the order in which it depends on each other, and removes the files.
func (s *Stack) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), closeTime)
	defer cancel()
	go func() {
		select {
		case <-s.options.Hurry:
			cancel()
		case <-ctx.Done():
		}
	}()
	var errs []error
	if s.endRotation != nil {
		s.endRotation()
	}
	if s.release != nil {
		for _, path := range []string{s.files.state, s.files.credentials, s.files.samEnv, s.files.apiKeys} {
			if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
				errs = append(errs, err)
			}
		}
		errs = append(errs, os.RemoveAll(s.files.curl))
	}
	var group sync.WaitGroup
	for _, server := range s.servers {
		group.Go(func() { _ = server.Shutdown(ctx) })
	}
	for _, door := range s.doors {
		if door != nil {
			door.close()
		}
	}
	group.Wait()
	if s.fleet != nil {
		errs = append(errs, tooLong(s.fleet.close(ctx)))
	}
	if s.db != nil {
		errs = append(errs, tooLong(s.db.Stop(ctx)))
	}
	if s.own != "" {
		errs = append(errs, os.RemoveAll(s.own))
	}
	if s.release != nil {
		s.release()
		s.release = nil // the lock file may be another run's from now on
	}
	return errors.Join(errs...)
}
