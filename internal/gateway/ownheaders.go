package gateway

import (
	"maps"
	"net/http"
	"strings"
)

// ownHeaders are headers, in lower case, that neither a gateway response nor a mock integration sets: those that frame the
// message (RFC 9110, section 7.6.1, and RFC 9112, section 6), its date, and the id that API Gateway lets nobody override
// ("Set up logging"). Of a function's answer they are renamed or dropped ("Important notes").
var ownHeaders = map[string]bool{
	"connection": true, "content-length": true, "keep-alive": true, "proxy-connection": true, "te": true, "trailer": true,
	"transfer-encoding": true, "upgrade": true, "date": true, "x-amz-apigw-id": true,
}

// withoutOwn is a header without those that the gateway sets itself.
func withoutOwn(h http.Header) http.Header {
	kept := maps.Clone(h)
	maps.DeleteFunc(kept, func(name string, _ []string) bool { return ownHeaders[strings.ToLower(name)] })
	return kept
}
