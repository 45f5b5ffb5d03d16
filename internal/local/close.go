package local

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"time"
)

// patience is how long stopping waits for what is under way, unless the options say otherwise.
const patience = 8 * time.Second

// closeTime bounds how long the rest of stopping may take before what is left is killed.
const closeTime = 8 * time.Second

// leaveTime is what an answer has to reach its client when nothing else is waited for.
const leaveTime = time.Second

// Close stops everything that was started, in the order in which it depends on each other, and removes the files. What is
// under way then has [Options.Patience], of which it tells; what takes longer is cut off, which is no failure.
func (s *Stack) Close() error {
	errs := s.removeFiles()
	cut := s.drain()
	ctx, cancel := s.untilHurry(closeTime)
	defer cancel()
	if s.fleet != nil {
		errs = append(errs, s.fleet.close(ctx))
	}
	if cut {
		s.letAnswersOut()
	}
	for _, server := range s.servers {
		server.Close()
	}
	if s.db != nil {
		errs = append(errs, inTime(s.db.Stop(ctx)))
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

// inTime says what it means that the time to stop was over. That there was to be none is no failure.
func inTime(err error) error {
	switch {
	case errors.Is(err, context.Canceled):
		return nil
	case errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("stopping took longer than %s, and what was left was killed", closeTime)
	}
	return err
}

// removeFiles takes back what others find the stack by, before it stops to be there.
func (s *Stack) removeFiles() (errs []error) {
	if s.endRotation != nil {
		s.endRotation()
	}
	if s.release == nil {
		return nil
	}
	for _, path := range []string{s.files.state, s.files.credentials, s.files.samEnv, s.files.apiKeys} {
		if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	return append(errs, os.RemoveAll(s.files.curl))
}

// untilHurry is a context that ends after some time, or when stopping must not take time any more.
func (s *Stack) untilHurry(most time.Duration) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithTimeout(context.Background(), most)
	go func() {
		select {
		case <-s.options.Hurry:
			cancel()
		case <-ctx.Done():
		}
	}()
	return ctx, cancel
}

// drain closes the doors and waits for what is under way, and says so. It reports whether some of that was not over in time.
func (s *Stack) drain() (cut bool) {
	most := s.options.Patience
	if most == 0 {
		most = patience
	}
	ctx, cancel := s.untilHurry(most)
	defer cancel()
	if what := s.underWay(); what != "" && ctx.Err() == nil {
		fmt.Fprintf(s.options.Out, "stopping: it waits up to %v for %s; Ctrl-C again ends it at once\n", most, what)
	}
	s.shutServers(ctx)
	what := s.underWay()
	if s.fleet != nil {
		s.fleet.drain(ctx)
	}
	if what == "" || ctx.Err() == nil {
		return false
	}
	fmt.Fprintf(s.options.Out, "stopping: cut off: %s\n", what)
	return true
}

// shutServers closes the doors and waits for the requests that came through them. Connections that carry none do not hold
// it up: net/http would give those that never carried one five seconds.
func (s *Stack) shutServers(ctx context.Context) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var group sync.WaitGroup
	for _, server := range s.servers {
		group.Go(func() { _ = server.Shutdown(ctx) })
	}
	for _, door := range s.doors {
		if door != nil {
			door.close()
		}
	}
	group.Go(func() {
		select {
		case <-s.requests.idle():
			time.AfterFunc(leaveTime, cancel)
		case <-ctx.Done():
		}
	})
	group.Wait()
}

// underWay is what stopping waits for, in words; nothing is empty.
func (s *Stack) underWay() string {
	what := s.requests.String()
	if s.fleet == nil {
		return what
	}
	switch n := s.fleet.invoke.UnderWay(); {
	case n == 0:
		return what
	case what != "":
		return fmt.Sprintf("%s and %s", what, counted(n, "asynchronous invocation"))
	default:
		return counted(n, "asynchronous invocation")
	}
}

// letAnswersOut waits a moment for the answers to what was cut off to reach their clients. Functions that were stopped make
// them at once, so that there is time for it in a hurry, too.
func (s *Stack) letAnswersOut() {
	ctx, cancel := context.WithTimeout(context.Background(), leaveTime)
	defer cancel()
	var group sync.WaitGroup
	for _, server := range s.servers {
		group.Go(func() { _ = server.Shutdown(ctx) })
	}
	group.Wait()
}

// requests are those under way at the doors that lead to functions.
type requests struct {
	mu   sync.Mutex
	list []*pending    // the oldest first
	none chan struct{} // closed when the list is empty; nil: nobody asks
}

// pending is what is told of one: its method and target, as they were sent.
type pending struct{ method, target string }

// idle is closed when no request is under way any more. It is for the one who stops the stack.
func (q *requests) idle() <-chan struct{} {
	q.mu.Lock()
	defer q.mu.Unlock()
	none := make(chan struct{})
	if len(q.list) == 0 {
		close(none)
	} else {
		q.none = none
	}
	return none
}

func (q *requests) add(r *pending) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.list = append(q.list, r)
}

func (q *requests) remove(r *pending) {
	q.mu.Lock()
	defer q.mu.Unlock()
	i := slices.Index(q.list, r)
	q.list = slices.Delete(q.list, i, i+1)
	if len(q.list) == 0 && q.none != nil {
		close(q.none)
		q.none = nil
	}
}

// count has a handler's requests counted.
func (q *requests) count(handler http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		named := &pending{r.Method, r.RequestURI}
		q.add(named)
		defer q.remove(named)
		handler.ServeHTTP(w, r)
	})
}

// String counts them and names the oldest one, without its query, which may hold a signature. None is empty.
func (q *requests) String() string {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.list) == 0 {
		return ""
	}
	path, _, _ := strings.Cut(q.list[0].target, "?")
	name := oneLine(q.list[0].method + " " + path)
	if len(q.list) > 1 {
		name += ", …"
	}
	return fmt.Sprintf("%s (%s)", counted(len(q.list), "request"), name)
}

// counted is a number of things.
func counted(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}
