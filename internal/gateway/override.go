package gateway

import (
	"slices"
	"strings"
)

const overrideHeader = "X-Http-Method-Override"

// overrideMethod finds the method that counts. API Gateway honours X-HTTP-Method-Override ("Important notes") and does not
// say how far. Here the overriding method is the only one from then on: its route, its authorization type and its ARN are
// what is looked up, so that a right to one method is never a right to another. The signature stays over the method on
// the wire.
func (x *exchange) overrideMethod() *Refusal {
	x.method = x.r.Method
	values := x.r.Header[overrideHeader]
	if len(values) == 0 {
		return nil
	}
	if len(values) > 1 || !strings.Contains(methodsOfAny, " "+values[0]+" ") || strings.Contains(values[0], " ") {
		return refuseBadRequest.because("x-http-method-override %.40q is not one method of%s", strings.Join(values, ", "), methodsOfAny)
	}
	x.method = values[0]
	x.record.pass("method override", x.r.Method+" on the wire, "+x.method+" from here on")
	return nil
}

// checkOverride refuses an override that the signature does not cover: whoever can add a header on the way could make a
// signed GET a DELETE.
func (x *exchange) checkOverride() *Refusal {
	if x.method == x.r.Method || x.identity == nil || slices.Contains(x.verified.SignedHeaders, strings.ToLower(overrideHeader)) {
		return nil
	}
	return x.record.fail("method override", refuseForbidden.because("x-http-method-override changes the signed method and is not among the signed headers"))
}
