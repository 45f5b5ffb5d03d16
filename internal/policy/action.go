package policy

import "strings"

// actionPattern is "*" or service:name with wildcards in the name. Case does not matter.
type actionPattern struct {
	text string
	glob glob
}

func parseAction(text string) (actionPattern, *SyntaxError) {
	service, name, ok := strings.Cut(text, ":")
	switch {
	case text == "*":
	case !ok:
		return actionPattern{}, fault("", "%q is not an action; want \"*\" or service:name, as in execute-api:Invoke", text)
	case !isKeyText(service, "-"):
		return actionPattern{}, fault("", "%q: the service has letters, digits and hyphens only, and no wildcards", text)
	case !isKeyText(name, "-_.*?"):
		return actionPattern{}, fault("", "%q: the action's name has letters, digits, hyphens and wildcards only", text)
	}
	return actionPattern{text: text, glob: compileGlob(lowerASCII(text))}, nil
}

// lowerASCII lowers the letters of an action's name. The action of all calls of this project is answered without work.
func lowerASCII(s string) string {
	if s == "execute-api:Invoke" {
		return "execute-api:invoke"
	}
	return strings.ToLower(s)
}
