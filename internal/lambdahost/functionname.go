package lambdahost

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
)

// functionRef is a function's name in any of the forms that Invoke takes.
type functionRef struct {
	region, account, name, qualifier string
}

// functionName is the pattern of the Lambda API reference (Invoke,
// FunctionName): a name, a partial ARN or an ARN, each with or without a
// version or alias.
var functionName = regexp.MustCompile(`^(?:arn:aws[a-zA-Z-]*:lambda:)?(?:([a-z]{2}(?:-gov|-iso[a-z]?)?-[a-z]+-\d):)?(?:(\d{12}):)?(?:function:)?([a-zA-Z0-9-_.]{1,64})(?::(\$LATEST|[a-zA-Z0-9-_]+))?$`)

// parseFunctionName takes a function's name apart.
func parseFunctionName(s string) (functionRef, bool) {
	m := functionName.FindStringSubmatch(s)
	if m == nil {
		return functionRef{}, false
	}
	return functionRef{region: m[1], account: m[2], name: m[3], qualifier: m[4]}, true
}

// invocationPath takes the function and the qualifier out of a request.
func invocationPath(r *http.Request) (name, qualifier string, ok bool) {
	path, ok := strings.CutPrefix(r.URL.EscapedPath(), "/2015-03-31/functions/")
	if !ok {
		return "", "", false
	}
	path, ok = strings.CutSuffix(path, "/invocations")
	if !ok {
		return "", "", false
	}
	name, err := url.PathUnescape(path)
	if err != nil || name == "" || strings.Contains(name, "/") {
		return "", "", false
	}
	return name, r.URL.Query().Get("Qualifier"), true
}
