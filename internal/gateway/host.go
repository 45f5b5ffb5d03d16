package gateway

import (
	"net"
	"net/http"
	"strings"
)

// target is what a request names: the stage of an API and the path below it.
type target struct {
	api  *API
	path string // without the stage; "/" for the stage's root
}

// localNames stand for an API's own name, so that a laptop needs no DNS. A container reaches its host by the last one.
var localNames = map[string]bool{"127.0.0.1": true, "localhost": true, "::1": true, "host.docker.internal": true}

// resolve finds the API and the stage that a request names. Whatever is wrong, AWS answers Forbidden and says no more.
//
// The forms are those of "Invoke a private API": the API's own name, its alias for one endpoint, and the endpoint's own
// name with x-apigw-api-id. That header counts through an endpoint only and then wins over Host, as was seen on AWS.
func (g *Gateway) resolve(door *Door, r *http.Request, path string) (target, *Refusal) {
	stage, rest := splitStage(path)
	host := hostname(r.Host)
	byHeader := r.Header.Get("X-Apigw-Api-Id")
	var unreachable, otherStage *API // the last ones that were named
	for _, api := range g.apis {
		switch {
		case !api.answersTo(door, host, byHeader, g.region):
		case api.Private != door.private():
			unreachable = api
		case api.Stage == stage:
			return target{api: api, path: rest}, nil
		default:
			otherStage = api
		}
	}
	switch {
	case otherStage != nil:
		return target{}, refuseForbidden.because("the path %q names no stage of API %s, whose stage is %q", path, otherStage.ID, otherStage.Stage)
	case unreachable != nil:
		return target{}, refuseForbidden.because("%s; the call came through %s", unreachable.reach(), door.describe())
	}
	return target{}, refuseForbidden.because("host %q names no API that is reached through %s", r.Host, door.describe())
}

// answersTo says whether the request names this API.
func (a *API) answersTo(door *Door, host, byHeader, region string) bool {
	if byHeader != "" && door.private() {
		return byHeader == a.ID
	}
	if localNames[host] || door.hosts[host] {
		return true
	}
	suffix := ".execute-api." + region + ".amazonaws.com"
	prefix, ok := strings.CutSuffix(host, suffix)
	if !ok {
		return false
	}
	if prefix == a.ID {
		return true
	}
	id, endpoint, isAlias := strings.Cut(prefix, "-vpce-")
	return isAlias && id == a.ID && "vpce-"+endpoint == door.VPCEndpointID && a.associated(door.VPCEndpointID)
}

// associated says whether the API is associated with the endpoint, which is what creates the alias name.
func (a *API) associated(endpoint string) bool {
	for _, id := range a.VPCEndpointIDs {
		if id == endpoint {
			return true
		}
	}
	return false
}

func (a *API) reach() string {
	if a.Private {
		return "API " + a.ID + " is private, reached through a VPC endpoint only"
	}
	return "API " + a.ID + " is public; private DNS sends its name to the endpoint, which does not serve it"
}

// splitStage cuts the first segment off a normalised path.
func splitStage(path string) (stage, rest string) {
	path = strings.TrimPrefix(path, "/")
	if end := strings.IndexByte(path, '/'); end >= 0 {
		return path[:end], path[end:]
	}
	return path, "/"
}

// hostname is a Host header in lower case without its port.
func hostname(host string) string {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	return strings.ToLower(strings.Trim(host, "[]"))
}
