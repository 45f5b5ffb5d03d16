package policy_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/marquee-api/marquee/internal/policy"
)

// FuzzParse: what is accepted prints as a document that is accepted, means the same and prints the same.
func FuzzParse(f *testing.F) {
	kinds := map[string]uint8{"identity": 0, "resource": 1, "resource with api": 1, "endpoint": 2, "trust": 3}
	for _, name := range []string{"accepted.json", "refused.json"} {
		for _, e := range corpus(f, name) {
			f.Add(append([]byte(e.Text), e.Document...), kinds[e.Kind], "vpce-1")
		}
	}
	callers := []string{"anonymous", session, user, root, foreign}
	f.Fuzz(func(t *testing.T, text []byte, kind uint8, value string) {
		k := policy.KindIdentity + policy.Kind(kind%4)
		d, err := policy.Parse(text, k, policy.WithAPI(theAPI))
		if err != nil {
			return
		}
		again, err := policy.Parse([]byte(d.String()), k)
		if err != nil {
			t.Fatalf("%s\nwas accepted, but printed as\n%s\nit is not: %v", text, d, err)
		}
		if diff := cmp.Diff(d.String(), again.String()); diff != "" {
			t.Errorf("printed, parsed and printed (-first +second):\n%s", diff)
		}
		for _, caller := range callers {
			r := invoke(t, caller, keys{
				"aws:SourceVpce": {value}, "aws:SourceIp": {value}, "aws:SourceArn": {value}, "aws:UserAgent": {value, "x"},
				"aws:CurrentTime": {value}, "s3:max-keys": {value}, "aws:SecureTransport": {"true"},
			})
			if got, want := again.Evaluate(r), d.Evaluate(r); got != want {
				t.Errorf("%s: printed and parsed it says %+v, before %+v", caller, got, want)
			}
			checkVerdict(t, d, r)
		}
	})
}

// checkVerdict asserts what holds for any document: a Deny of it wins, and a call is let in only by an Allow (or the
// root user's right to its own account).
func checkVerdict(t *testing.T, d *policy.Document, r *policy.Request) {
	t.Helper()
	call := policy.Call{ResourceAccount: account}
	switch d.Kind() {
	case policy.KindIdentity:
		call.Identity = []*policy.Document{d}
	case policy.KindEndpoint:
		call.Endpoint = d
	default:
		call.Resource = d
	}
	alone, verdict := d.Evaluate(r), call.Authorize(r)
	anonymous := r.Principal.Type == policy.Anonymous
	if alone.Decision == policy.ExplicitDeny && verdict.Decision != policy.ExplicitDeny &&
		!(anonymous && d.Kind() == policy.KindIdentity) {
		t.Errorf("a Deny of the %v did not win: %+v", d.Kind(), verdict)
	}
	if alone.Decision != policy.Allow && verdict.Decision == policy.Allow && r.Principal.Type != policy.Root {
		t.Errorf("let in without an Allow by %s: %+v", d, verdict)
	}
}
