package stack

// What AWS refuses of an API (API Gateway developer guide, Quotas for configuring and running a REST API).
const (
	maxPolicyChars = 8192
	maxResources   = 300
	leastTimeout   = 50
	mostTimeout    = 29_000
)

// checkLimits refuses what AWS refuses, and names what it takes only where a quota was raised.
func (b *builder) checkLimits(api *API, c cursor) {
	if n := len([]rune(string(api.ResourcePolicy))); n > maxPolicyChars {
		c.fail("the resource policy has %d characters: AWS takes %d", n, maxPolicyChars)
	}
	resources := map[string]bool{}
	for _, r := range api.Routes {
		for path := r.Path; path != "/" && path != ""; path = parentOf(path) {
			resources[path] = true
		}
	}
	if len(resources) > maxResources {
		c.warn("the API has %d resources: AWS takes %d unless the account's quota was raised", len(resources), maxResources)
	}
}

func parentOf(path string) string {
	for i := len(path) - 1; i >= 0; i-- {
		if path[i] == '/' {
			return path[:i]
		}
	}
	return ""
}

// checkTimeout holds an integration's timeout to what AWS takes. Above 29 seconds it asks for a raised quota, and never
// takes it for an edge-optimised API.
func checkTimeout(endpointType string, r *Route, at cursor) {
	switch {
	case !at.exists() || r.TimeoutMillis >= leastTimeout && r.TimeoutMillis <= mostTimeout:
	case r.TimeoutMillis < leastTimeout:
		at.fail("an integration's timeout is %d milliseconds or more", leastTimeout)
	case endpointType == "EDGE":
		at.fail("an integration's timeout is at most %d milliseconds for an edge-optimised API", mostTimeout)
	default:
		at.warn("AWS takes a timeout above %d milliseconds only where the account's quota was raised", mostTimeout)
	}
}
