package gateway_test

import (
	"testing"

	"github.com/marquee-api/marquee/internal/gateway"
)

// A route that nothing here can answer asks for no function, and the record says why in the template's words.
func TestUnansweredRoute(t *testing.T) {
	const why = "GET /x is not answered here: of the integrations only aws_proxy and mock are, this is http_proxy"
	f := newFixture(t, func(c *gateway.Config, _ *gateway.Door) {
		c.APIs[0].Routes[0].Function, c.APIs[0].Routes[0].Unanswered = "", why
	})
	got := f.do(t, call{})
	if got.status != 500 || got.errorType != "InternalServerErrorException" {
		t.Errorf("got %d %s", got.status, got.errorType)
	}
	if f.function.event != nil {
		t.Error("a function was invoked")
	}
	if record := f.next(t); record.Why != why {
		t.Errorf("got the reason %q, want %q", record.Why, why)
	}
}
