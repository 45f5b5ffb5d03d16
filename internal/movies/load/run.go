package load

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// Input is one named source of a run.
type Input struct {
	// Name is a file's path, "-" for standard input, or what stands for generated movies.
	Name string
	// Open starts to read it.
	Open func() (io.ReadCloser, error)
	// Generator makes the movies up instead; Open is not used then.
	Generator *Generator
}

// Run loads several inputs, and can go on where an earlier run of the same inputs stopped.
type Run struct {
	Loader Loader
	Inputs []Input
	// Checkpoint is the file that remembers what is done while the run lasts; "" remembers nothing.
	Checkpoint string
	// Resume goes on from what the file says.
	Resume bool
	// Refused is called for each record that is no movie.
	Refused func(input string, r Refusal)
	// Progress is called after each step with the sum of all inputs; nil ignores it.
	Progress func(Report)
}

// ErrNothingToResume says that there is no checkpoint: no run was stopped here.
var ErrNothingToResume = errors.New("there is nothing to resume")

// checkpoint is the file's content.
type checkpoint struct {
	Table string          `json:"table"`
	Done  map[string]mark `json:"done"`
}

// mark is how far an input was read, and what it began with.
type mark struct {
	Records int    `json:"records"`
	Head    string `json:"head"`
}

// Do loads all inputs one after the other. After an error, the report says what is in the table, and the checkpoint is
// left for Resume; after the end it is removed.
func (r Run) Do(ctx context.Context) (Report, error) {
	done := checkpoint{Table: r.Loader.Table, Done: map[string]mark{}}
	if r.Resume {
		before, err := readCheckpoint(r.Checkpoint)
		if err != nil {
			return Report{}, err
		}
		if before.Table != done.Table {
			return Report{}, fmt.Errorf("%s is of a run into table %s, not %s: remove it, or load that table", r.Checkpoint, before.Table, done.Table)
		}
		done = before
	}
	var sum Report
	for _, input := range r.Inputs {
		report, err := r.one(ctx, input, &done, sum)
		sum = sum.plus(report)
		if err != nil {
			if ctx.Err() == nil {
				err = fmt.Errorf("%s: %w", input.Name, err)
			}
			return sum, err
		}
	}
	if r.Checkpoint != "" && !r.Loader.DryRun {
		if err := os.Remove(r.Checkpoint); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return sum, err
		}
	}
	return sum, nil
}

func (r Run) one(ctx context.Context, input Input, done *checkpoint, before Report) (Report, error) {
	source, head, closeIt, err := input.open()
	if err != nil {
		return Report{}, err
	}
	defer closeIt()
	old := done.Done[input.Name]
	if old.Records > 0 && old.Head != head {
		return Report{}, errors.New("it is not what it was when the run was stopped: load it without --resume")
	}
	l := r.Loader
	l.Skip = old.Records
	l.Refused = func(refusal Refusal) {
		if r.Refused != nil {
			r.Refused(input.Name, refusal)
		}
	}
	l.Done = func(report Report) error {
		if r.Progress != nil {
			r.Progress(before.plus(report))
		}
		// Records that are only read over on the way to where the last run stopped are done already.
		done.Done[input.Name] = mark{max(report.Records, old.Records), head}
		if r.Checkpoint == "" || l.DryRun {
			return nil
		}
		return done.write(r.Checkpoint)
	}
	return l.Load(ctx, source)
}

// open starts an input and tells it from others by how it begins.
func (i Input) open() (Source, string, func(), error) {
	if i.Generator != nil {
		g := *i.Generator
		return &g, fmt.Sprintf("generated with seed %d", g.seed), func() {}, nil
	}
	in, err := i.Open()
	if err != nil {
		return nil, "", nil, err
	}
	head := make([]byte, 4096)
	n, err := io.ReadFull(in, head)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		in.Close()
		return nil, "", nil, err
	}
	sum := sha256.Sum256(head[:n])
	return NewReader(io.MultiReader(bytes.NewReader(head[:n]), in)), hex.EncodeToString(sum[:]), func() { in.Close() }, nil
}

func (r Report) plus(other Report) Report {
	return Report{r.Records + other.Records, r.Movies + other.Movies, r.Items + other.Items, r.Refused + other.Refused,
		r.Removed + other.Removed, r.Throttled + other.Throttled}
}

func readCheckpoint(path string) (checkpoint, error) {
	var c checkpoint
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return c, fmt.Errorf("%w: %s is not there", ErrNothingToResume, path)
	}
	if err == nil {
		err = json.Unmarshal(text, &c)
	}
	if err != nil {
		return c, fmt.Errorf("checkpoint %s: %w", path, err)
	}
	if c.Done == nil {
		c.Done = map[string]mark{}
	}
	return c, nil
}

// write replaces the file at once, so that a crash leaves the old or the new one.
func (c checkpoint) write(path string) error {
	text, err := json.Marshal(c)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	next := path + ".new"
	if err := os.WriteFile(next, append(text, '\n'), 0o600); err != nil {
		return err
	}
	return os.Rename(next, path)
}
