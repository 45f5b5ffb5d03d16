package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"
)

// newManCommand writes the manual from the same texts as --help. It is for those who package the program, and hidden from
// those who use it.
func newManCommand(env environment, facts buildFacts) *cobra.Command {
	return &cobra.Command{
		Use:     "man FOLDER",
		Short:   "Write the manual pages into a folder",
		Long:    "Write a manual page for each command into FOLDER, from the same texts as --help. FOLDER is made if it is not there.",
		Example: "  marquee man dist/man",
		Args:    cobra.ExactArgs(1),
		Hidden:  true,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := os.MkdirAll(args[0], 0o755); err != nil {
				return err
			}
			root := cmd.Root()
			for _, c := range commandsOf(root) {
				c.Long = manText(c.Long)
			}
			root.DisableAutoGenTag = true
			date, err := manDate(facts, env.Getenv("SOURCE_DATE_EPOCH"))
			if err != nil {
				return err
			}
			header := &doc.GenManHeader{Section: "1", Source: "marquee " + facts.Version, Manual: "Marquee", Date: &date}
			if err := doc.GenManTree(root, header, args[0]); err != nil {
				return fmt.Errorf("writing the manual: %w", err)
			}
			return nil
		},
	}
}

// manDate is the date on the pages: SOURCE_DATE_EPOCH (reproducible-builds.org), else the commit's, else none that would
// differ between two builds.
func manDate(facts buildFacts, epoch string) (time.Time, error) {
	if epoch != "" {
		seconds, err := strconv.ParseInt(epoch, 10, 64)
		if err != nil {
			return time.Time{}, fmt.Errorf("SOURCE_DATE_EPOCH is %q: want seconds since 1970", epoch)
		}
		return time.Unix(seconds, 0).UTC(), nil
	}
	if date, err := time.Parse(time.RFC3339, facts.Time); err == nil {
		return date, nil
	}
	return time.Unix(0, 0).UTC(), nil
}

// manText makes Markdown of a help text: paragraphs that are laid out by hand become code blocks, and what Markdown would
// read as its own is escaped in the others.
func manText(long string) string {
	paragraphs := strings.Split(long, "\n\n")
	for i, p := range paragraphs {
		lines := strings.Split(p, "\n")
		var out []string
		inCode := false
		for _, line := range lines {
			code := strings.HasPrefix(line, "  ")
			if code != inCode {
				out = append(out, "") // a code block stands between empty lines
			}
			inCode = code
			if code {
				line = "    " + line
			} else {
				line = markdown.Replace(line)
			}
			out = append(out, line)
		}
		paragraphs[i] = strings.Join(out, "\n")
	}
	return strings.Join(paragraphs, "\n\n")
}

var markdown = strings.NewReplacer(`\`, `\\`, "*", `\*`, "_", `\_`, "<", `\<`, "[", `\[`)
