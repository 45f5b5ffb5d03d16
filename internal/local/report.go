package local

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"unicode"
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

// printable drops what would move the cursor of a terminal: the text comes from a data base.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && r != '\n' {
			return -1
		}
		return r
	}, s)
}

// printNext shows the lines that a person needs next. They work when pasted, and hold no secret: the keys stay in files.
func (s *Stack) printNext(w io.Writer) {
	st, f := s.state, s.files
	command := s.options.Command
	path := s.samplePath()
	signer := "reader"
	if st.Profiles["caller"] != "" {
		signer = "caller"
	}
	stateFlag := ""
	if f.state != DefaultState {
		stateFlag = " --state " + shellQuote(f.state)
	}
	fmt.Fprintf(w, "\nThe private API is open at %s (VPC endpoint %s).\n", st.InvokeURL, st.Endpoints.VPCE.ID)
	fmt.Fprintf(w, "Another VPC's endpoint: %s   The public internet: %s\n", st.Endpoints.OtherVPCE.URL, st.Endpoints.Public.URL)
	fmt.Fprintf(w, "Requests, and why they were let in or refused: %s\n", st.ConsoleURL)
	fmt.Fprintf(w, "State: %s   Credentials: %s\n", f.state, f.credentials)
	if len(s.keys) > 0 {
		fmt.Fprintf(w, "API keys, to be sent as x-api-key: %s\n", f.apiKeys)
	}
	fmt.Fprint(w, "\nTry:\n")
	fmt.Fprintf(w, "  %s call%s --profile %s %s\n", shellQuote(command), stateFlag, signer, path)
	fmt.Fprintf(w, "  curl --aws-sigv4 aws:amz:%s:execute-api --config %s %s%s\n", st.Region, shellQuote(f.curl+"/"+signer), st.InvokeURL, path)
	if s.caller != "" {
		fmt.Fprintf(w, "  AWS_SHARED_CREDENTIALS_FILE=%s AWS_PROFILE=%s aws lambda invoke --endpoint-url %s --region %s --function-name %s /dev/stdout\n",
			shellQuote(f.credentials), signer, st.LambdaURL, st.Region, s.caller)
	}
	fmt.Fprintf(w, "\nCtrl-C stops it.\n")
}

// shellQuote leaves plain paths as they are and quotes the others.
func shellQuote(s string) string {
	plain := func(r rune) bool {
		return unicode.IsLetter(r) || unicode.IsDigit(r) || strings.ContainsRune("_-./:=@", r)
	}
	if s != "" && strings.IndexFunc(s, func(r rune) bool { return !plain(r) }) < 0 {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
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
