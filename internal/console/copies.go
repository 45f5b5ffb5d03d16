package console

import (
	"fmt"
	"go/format"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/marquee-api/marquee/internal/gateway"
	"github.com/marquee-api/marquee/internal/shell"
)

// Copies is a request as one would send it again. Empty: that way cannot send it.
type Copies struct {
	Call string `json:"call"`
	Curl string `json:"curl"`
	Go   string `json:"go"`
	// Note says what the copies lack.
	Note string `json:"note,omitempty"`
}

// resent is what the copies of a request need.
type resent struct {
	method, url, path string // url: of the stage; path: below it, with the query
	caller            string // empty: unsigned
	header            [][2]string
	body              string
	region            string
	commands          Commands
}

// copies writes a request as commands and code. None of them holds a key: they name the files that do.
func (c *Console) copies(r *gateway.Record) Copies {
	s, note := c.resent(r)
	out := Copies{Curl: s.curl(), Note: note}
	if s.caller != "" {
		out.Call, out.Go = s.call(), s.goCode()
	}
	return out
}

func (c *Console) resent(r *gateway.Record) (s resent, note string) {
	s = resent{method: r.Method, region: c.cfg.Run.Region, commands: Commands{
		Program: "marquee", Credentials: ".marquee/credentials", Curl: ".marquee/curl",
	}}
	if c.cfg.Run.Commands != nil {
		s.commands = *c.cfg.Run.Commands
	}
	base := "http://" + r.Host
	for _, door := range c.cfg.Run.Doors {
		if door.Name == r.Door {
			base = door.URL
		}
	}
	target := r.Path
	if r.Detail != nil && r.Detail.Target != "" {
		target = withoutSignature(r.Detail.Target)
	}
	stage, rest, _ := strings.Cut(strings.TrimLeft(target, "/"), "/")
	s.url, s.path = base+"/"+stage, "/"+rest
	if host := hostname(r.Host); host != "127.0.0.1" && host != "localhost" && host != "::1" {
		s.header = append(s.header, [2]string{"Host", r.Host})
	}
	s.caller = c.callerOf(r)
	if parts := strings.Split(resourceOf(r), ":"); s.region == "" && len(parts) > 3 {
		s.region = parts[3] // of the ARN that was asked for: a log says it nowhere else
	}
	if s.region == "" {
		s.region = "us-east-1"
	}
	d := r.Detail
	if d == nil {
		return s, "Headers and body of this request were not recorded."
	}
	s.header = append(s.header, sendable(d.RequestHeader)...)
	switch {
	case d.RequestBody == nil:
	case d.RequestBody.Truncated || d.RequestBody.Binary:
		note = "The body of this request was not recorded whole."
	default:
		s.body = d.RequestBody.Text
	}
	return s, note
}

func resourceOf(r *gateway.Record) string {
	if r.Detail == nil {
		return ""
	}
	return r.Detail.Resource
}

// callerOf is the profile that a request is signed by again.
func (c *Console) callerOf(r *gateway.Record) string {
	name, _ := identityOf(r)
	if name == unsigned || name == unknown {
		return ""
	}
	for _, caller := range c.cfg.Run.Callers {
		if caller.Name != name && caller.ARN == r.Identity {
			return caller.Name // a function's own session, whose role has a profile
		}
	}
	return name
}

// made are the headers that whoever sends the request makes anew.
var made = []string{"Host", "Authorization", "X-Amz-Date", "X-Amz-Security-Token", "X-Amz-Content-Sha256", "User-Agent", "Accept-Encoding",
	"Content-Length", "Connection", "Amz-Sdk-Invocation-Id", "Amz-Sdk-Request", "X-Amzn-Trace-Id", "Cookie"}

func sendable(header http.Header) [][2]string {
	var out [][2]string
	for name, values := range header {
		if slices.Contains(made, http.CanonicalHeaderKey(name)) {
			continue
		}
		for _, value := range values {
			if name != "Accept" || value != "*/*" {
				out = append(out, [2]string{name, value})
			}
		}
	}
	slices.SortFunc(out, func(a, b [2]string) int { return strings.Compare(a[0], b[0]) })
	return out
}

// withoutSignature takes the parameters of a presigned request out of a target.
func withoutSignature(target string) string {
	path, query, ok := strings.Cut(target, "?")
	if !ok {
		return target
	}
	pieces := slices.DeleteFunc(strings.Split(query, "&"), func(piece string) bool {
		return strings.HasPrefix(strings.ToLower(piece), "x-amz-") || strings.HasSuffix(piece, "=[redacted]")
	})
	if len(pieces) == 0 {
		return path
	}
	return path + "?" + strings.Join(pieces, "&")
}

func (s *resent) call() string {
	words := []string{shell.Quote(s.commands.Program), "call"}
	if s.commands.State != "" {
		words = append(words, "--state", shell.Quote(s.commands.State))
	}
	words = append(words, "--url", shell.Quote(s.url), "--profile", shell.Quote(s.caller))
	for _, h := range s.header {
		if h[0] != "Host" { // the program names the API itself
			words = append(words, "-H", shell.Quote(h[0]+": "+h[1]))
		}
	}
	stdin := ""
	switch {
	case strings.HasPrefix(s.body, "@"): // which -d takes for the name of a file
		stdin = "printf %s " + shell.Quote(s.body) + " | "
		words = append(words, "-d", "@-")
	case s.body != "":
		words = append(words, "-d", shell.Quote(s.body))
	}
	return stdin + strings.Join(append(words, shell.Quote(s.method), shell.Quote(s.path)), " ")
}

func (s *resent) curl() string {
	words := []string{"curl"}
	if s.caller != "" {
		words = append(words, "--aws-sigv4", shell.Quote("aws:amz:"+s.region+":execute-api"), "--config", shell.Quote(s.commands.Curl+"/"+s.caller))
	}
	switch {
	case s.method == http.MethodHead:
		words = append(words, "--head")
	case s.method != http.MethodGet || s.body != "":
		words = append(words, "-X", shell.Quote(s.method))
	}
	for _, h := range s.header {
		words = append(words, "-H", shell.Quote(h[0]+": "+h[1]))
	}
	if s.body != "" {
		words = append(words, "--data-raw", shell.Quote(s.body)) // the others take a body with @ for the name of a file
	}
	if strings.ContainsAny(s.path, "[]{}") {
		words = append(words, "--globoff")
	}
	return strings.Join(append(words, shell.Quote(s.url+s.path)), " ")
}

// goProgram is a whole program: what is copied runs.
const goProgram = `package main

import (
	"context"
	"fmt"
	"log"
%s
	"github.com/aws/aws-sdk-go-v2/config"

	"github.com/marquee-api/marquee/apiclient"
)

func main() {
	ctx := context.Background()
	cfg, err := config.LoadDefaultConfig(ctx,
		config.WithSharedConfigProfile(%s),
		config.WithSharedCredentialsFiles([]string{%s}))
	if err != nil {
		log.Fatal(err)
	}
	endpoint, err := apiclient.ResolveEndpoint(apiclient.EndpointConfig{
		URL:    %s,
		Region: %s,
	})
	if err != nil {
		log.Fatal(err)
	}
	client, err := apiclient.New(apiclient.Config{Endpoint: endpoint, Credentials: cfg.Credentials})
	if err != nil {
		log.Fatal(err)
	}
	response, err := client.Do(ctx, apiclient.Request{
		Method: %s,
		Path:   %s,
%s	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%%d\n%%s\n", response.Status, response.Body)
}
`

func (s *resent) goCode() string {
	var imports, fields strings.Builder
	var lines []string
	values := map[string][]string{}
	for _, h := range s.header {
		if name := http.CanonicalHeaderKey(h[0]); name != "Host" {
			values[name] = append(values[name], strconv.Quote(h[1]))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(values)) {
		lines = append(lines, fmt.Sprintf("\t\t\t%q: {%s},\n", name, strings.Join(values[name], ", ")))
	}
	if len(lines) > 0 {
		imports.WriteString("\t\"net/http\"\n")
		fields.WriteString("\t\tHeader: http.Header{\n" + strings.Join(lines, "") + "\t\t},\n")
	}
	if s.body != "" {
		fields.WriteString("\t\tBody:   []byte(" + strconv.Quote(s.body) + "),\n")
	}
	program := fmt.Sprintf(goProgram, imports.String(), strconv.Quote(s.caller), strconv.Quote(s.commands.Credentials), strconv.Quote(s.url),
		strconv.Quote(s.region), strconv.Quote(s.method), strconv.Quote(s.path), fields.String())
	formatted, err := format.Source([]byte(program))
	if err != nil {
		return program
	}
	return string(formatted)
}
