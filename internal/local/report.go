package local

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"unicode"

	"github.com/marquee-api/marquee/internal/shell"
	"github.com/marquee-api/marquee/internal/terminal"
)

// callResult is what the caller function answers.
type callResult struct {
	Status int             `json:"status"`
	Body   json.RawMessage `json:"body"`
}

// movieList is the part of the list's answer that is shown. Other APIs' answers are shown as JSON.
type movieList struct {
	Items []struct {
		Year  int    `json:"year"`
		Title string `json:"title"`
		Info  struct {
			Rating    float64  `json:"rating"`
			Running   int      `json:"running_time_secs"`
			Directors []string `json:"directors"`
		} `json:"info"`
	} `json:"Items"`
	NextToken string `json:"NextToken"`
}

// printResult shows what the caller function got: a table if it is a list of movies, else the body as it is.
func printResult(w io.Writer, result *callResult) error {
	var list movieList
	if err := json.Unmarshal(result.Body, &list); err != nil || list.Items == nil {
		_, err := fmt.Fprintf(w, "%s\n", printable(string(result.Body)))
		return err
	}
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "YEAR\tTITLE\tRATING\tMINUTES\tDIRECTED BY")
	for _, m := range list.Items {
		fmt.Fprintf(table, "%d\t%s\t%.1f\t%d\t%s\n", m.Year, printable(m.Title), m.Info.Rating, m.Info.Running/60,
			printable(strings.Join(m.Info.Directors, ", ")))
	}
	if err := table.Flush(); err != nil {
		return err
	}
	more := ""
	if list.NextToken != "" {
		more = ", and there are more"
	}
	_, err := fmt.Fprintf(w, "%d movies%s\n", len(list.Items), more)
	return err
}

// printable drops what would move the cursor of a terminal, or turn the direction of what follows: the text comes from
// callers, functions and a data base.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && r != '\n' || unicode.Is(unicode.Bidi_Control, r) {
			return -1
		}
		return r
	}, s)
}

// oneLine is printable text without line ends.
func oneLine(s string) string { return strings.ReplaceAll(printable(s), "\n", " ") }

// printNext shows where everything is and the lines that a person needs next. They work when pasted, and hold no secret:
// the keys stay in files.
func (s *Stack) printNext(w io.Writer) {
	t, st, f := s.options.Terminal, s.state, s.files
	signer := "reader"
	if st.Profiles["caller"] != "" {
		signer = "caller"
	}
	place := func(name, value, note string) { printPlace(w, t, [3]string{name, value, note}) }
	apis, public := s.invokable()
	fmt.Fprintf(w, "\n%s\n", t.Paint(terminal.Bold, headline(len(apis)-public, public)))
	for _, api := range apis {
		place("Invoke URL", api.url, api.note)
	}
	if public == len(apis) {
		place("VPC endpoint", st.Endpoints.VPCE.URL, "through "+st.Endpoints.VPCE.ID)
	}
	place("Another VPC", st.Endpoints.OtherVPCE.URL, "through "+st.Endpoints.OtherVPCE.ID)
	if public == 0 {
		place("Public internet", st.Endpoints.Public.URL, "")
	}
	place("Console", st.ConsoleURL, "each request, and why it was let in or refused")
	place("DynamoDB", st.DynamoDBURL, strings.Join(slices.Sorted(maps.Values(st.Tables)), ", "))
	place("State", f.state, "")
	place("Credentials", f.credentials, "profiles "+strings.Join(slices.Sorted(maps.Keys(st.Profiles)), ", "))
	if len(s.keys) > 0 {
		place("API keys", f.apiKeys, "to be sent as x-api-key")
	}
	s.printCommands(w, signer)
	fmt.Fprintf(w, "\nCtrl-C stops it.\n\n")
}

// invokable is an API as it is shown: its URL, and what it is and how one gets to it.
type invokable struct{ url, note string }

// invokable describes the APIs in the template's order and counts the public ones.
func (s *Stack) invokable() (apis []invokable, public int) {
	first := map[string]string{} // the API that a URL leads to unless the request names another
	for _, a := range s.template.APIs {
		api := s.state.APIs[a.LogicalID]
		note := fmt.Sprintf("%s %s, private, through %s", a.LogicalID, api.ID, s.state.Endpoints.VPCE.ID)
		if !api.private() {
			public++
			note = fmt.Sprintf("%s %s, public (%s)", a.LogicalID, api.ID, api.EndpointType)
		}
		if other, taken := first[api.InvokeURL]; taken {
			note += fmt.Sprintf(", with Host %s; without it this is %s", api.Host, other)
		} else {
			first[api.InvokeURL] = a.LogicalID
		}
		apis = append(apis, invokable{api.InvokeURL, note})
	}
	return apis, public
}

// headline says what is open.
func headline(private, public int) string {
	switch {
	case private == 1 && public == 0:
		return "The private API is open."
	case private == 0 && public == 1:
		return "The public API is open."
	case public == 0:
		return fmt.Sprintf("%d private APIs are open.", private)
	case private == 0:
		return fmt.Sprintf("%d public APIs are open.", public)
	}
	return fmt.Sprintf("%d APIs are open, %d private and %d public.", private+public, private, public)
}

// printPlace shows a name, a value and a note in columns; a note that does not fit beside its value stands below it. A
// place without a value is not shown.
func printPlace(w io.Writer, t terminal.Terminal, place [3]string) {
	const indent = 19
	name, value, note := place[0], place[1], place[2]
	if value == "" {
		return
	}
	fmt.Fprintf(w, "  %s%s", terminal.Pad(name, indent-2), t.Paint(terminal.Cyan, value))
	if columns := t.Columns(); columns == 0 || indent+terminal.Width(value)+2+terminal.Width(note) <= columns {
		fmt.Fprintf(w, "%s\n", strings.TrimRight("  "+t.Paint(terminal.Faint, note), " "))
		return
	}
	fmt.Fprintln(w)
	for _, line := range terminal.Wrap(note, max(t.Columns()-indent, indent)) {
		fmt.Fprintf(w, "%*s%s\n", indent, "", t.Paint(terminal.Faint, line))
	}
}

// printCommands shows calls that are let in and one that is not.
func (s *Stack) printCommands(w io.Writer, signer string) {
	t, st, f := s.options.Terminal, s.state, s.files
	command, path := shell.Quote(s.options.Command), s.samplePath()
	if f.state != DefaultState {
		command += " call --state " + shell.Quote(f.state)
	} else {
		command += " call"
	}
	fmt.Fprintf(w, "\n%s\n", t.Paint(terminal.Bold, "Try, in another window:"))
	fmt.Fprintf(w, "  %s --profile %s %s\n", command, signer, path)
	fmt.Fprintf(w, "  %s --profile stranger %s  %s\n", command, path, t.Paint(terminal.Faint, "# refused, and why"))
	fmt.Fprintf(w, "  curl --aws-sigv4 aws:amz:%s:execute-api --config %s %s%s\n", st.Region, shell.Quote(f.curl+"/"+signer), st.InvokeURL, path)
	if s.caller != "" {
		fmt.Fprintf(w, "  AWS_SHARED_CREDENTIALS_FILE=%s AWS_PROFILE=%s aws lambda invoke --endpoint-url %s --region %s --function-name %s /dev/stdout\n",
			shell.Quote(f.credentials), signer, st.LambdaURL, st.Region, s.caller)
	}
}

// samplePath is the path of the API's first GET without parameters, for the lines to paste.
func (s *Stack) samplePath() string {
	for _, route := range s.template.APIs[0].Routes {
		if (route.Method == "GET" || route.Method == "ANY") && !strings.Contains(route.Path, "{") {
			return route.Path
		}
	}
	return "/"
}
