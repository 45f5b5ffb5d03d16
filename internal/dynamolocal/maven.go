package dynamolocal

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"syscall"

	"github.com/schollz/progressbar/v3"
)

// pom asks for DynamoDB Local and what it needs to run. It comes from wherever the user's Maven
// settings say; without any, that is Maven Central, where AWS publishes it.
const pom = `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>marquee</groupId>
  <artifactId>dynamodb-local</artifactId>
  <version>1</version>
  <dependencies>
    <dependency>
      <groupId>software.amazon.dynamodb</groupId>
      <artifactId>DynamoDBLocal</artifactId>
      <version>` + Version + `</version>
    </dependency>
  </dependencies>
</project>
`

// copyGoal names the plugin's version, so that the result does not depend on Maven's own.
const copyGoal = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies"

// fetch has Maven put the jars into the lib folder of dir.
func fetch(ctx context.Context, maven, dir string, progress io.Writer) error {
	pomFile := filepath.Join(dir, "pom.xml")
	if err := os.WriteFile(pomFile, []byte(pom), 0o644); err != nil {
		return err
	}
	output := &tail{}
	bar := newProgress(progress)
	// --strict-checksums: what does not match the repository's checksum fails instead of warning.
	cmd := exec.Command(maven, "--batch-mode", "--strict-checksums", "--file", pomFile, copyGoal,
		"-DincludeScope=runtime", "-DoutputDirectory="+libDir(dir))
	cmd.Dir = dir
	cmd.Stderr = output
	cmd.Stdout = io.MultiWriter(output, &lines{each: bar.line})
	p, err := startProcess(cmd, syscall.SIGKILL)
	if err != nil {
		return fmt.Errorf("maven: %w", err)
	}
	err = p.wait(ctx)
	bar.end(err)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		return fmt.Errorf("maven could not fetch %s (%w); without a network, name a running one with --dynamodb URL:\n%s", artifact, err, output)
	}
	return nil
}

// Maven says `Downloaded from central: https://… (9.7 MB at 12 MB/s)` for each file.
var downloadedLine = regexp.MustCompile(`Downloaded from .*\((\d+(?:\.\d+)?) (B|kB|MB|GB) at `)

// progress shows what Maven downloads. How much there will be is not known before (some may be in
// Maven's own cache), so it counts up.
type progress struct {
	out      io.Writer
	bar      *progressbar.ProgressBar // nil unless out is a terminal
	bytes    int64
	reported int64
}

const reportEvery = 10 << 20

func newProgress(out io.Writer) *progress {
	p := &progress{out: out}
	const text = "downloading DynamoDB Local " + Version + " (about 70 MB, once)"
	if !isTerminal(out) {
		fmt.Fprintln(out, text)
		return p
	}
	p.bar = progressbar.NewOptions64(-1,
		progressbar.OptionSetDescription(text),
		progressbar.OptionSetWriter(out),
		progressbar.OptionShowBytes(true),
		progressbar.OptionSpinnerType(14),
		progressbar.OptionClearOnFinish(),
	)
	return p
}

func (p *progress) line(line string) {
	m := downloadedLine.FindStringSubmatch(line)
	if m == nil {
		return
	}
	size, err := strconv.ParseFloat(m[1], 64)
	if err != nil {
		return
	}
	n := int64(size * map[string]float64{"B": 1, "kB": 1e3, "MB": 1e6, "GB": 1e9}[m[2]])
	p.bytes += n
	if p.bar != nil {
		_ = p.bar.Add64(n)
		return
	}
	if p.bytes-p.reported >= reportEvery {
		p.reported = p.bytes
		fmt.Fprintf(p.out, "  %d MB\n", p.bytes/1e6)
	}
}

func (p *progress) end(err error) {
	if p.bar != nil {
		_ = p.bar.Finish()
	}
	if err == nil {
		fmt.Fprintf(p.out, "DynamoDB Local %s is ready (%d MB downloaded)\n", Version, p.bytes/1e6)
	}
}

// isTerminal reports whether moving text can be shown; a log file or a CI gets lines instead.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
