package sigv4_test

import (
	"runtime/debug"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/marquee-api/marquee/internal/sigv4"
)

// Signing allocates the values of the headers that it sets and nothing else;
// verifying allocates its result. A pool may lose its memory to the collector in
// between, hence the many runs, whose average is rounded down.
func TestAllocations(t *testing.T) {
	if info, ok := debug.ReadBuildInfo(); ok && slices.Contains(info.Settings, debug.BuildSetting{Key: "-race", Value: "true"}) {
		t.Skip("the race detector makes pools forget on purpose")
	}
	token := strings.Repeat("t", 1000)
	for _, request := range benchRequests {
		for name, token := range map[string]string{"": "", " with a token": token} {
			var signer sigv4.Signer
			var verifier sigv4.Verifier
			in := &sigv4.SignInput{
				Request: request.new(t), Body: request.body, Credentials: benchCreds,
				Region: testRegion, Service: "execute-api", Time: benchTime,
			}
			in.Credentials.SessionToken = token
			if request.body == nil {
				in.PayloadHash = sigv4.EmptyPayloadHash
			}
			buffer := make([]byte, 0, 1024)
			verify := request.signed(t, token)
			for what, tt := range map[string]struct {
				most float64
				run  func() error
			}{
				"sign": {2, func() error { in.Time = in.Time.Add(time.Second); return signer.Sign(in) }},
				"append": {0, func() (err error) {
					in.Time = in.Time.Add(time.Second)
					buffer, err = signer.AppendAuthorization(buffer[:0], in)
					return err
				}},
				"verify": {3, func() error { _, err := verifier.Verify(verify); return err }},
			} {
				got := testing.AllocsPerRun(500, func() {
					if err := tt.run(); err != nil {
						t.Fatal(err)
					}
				})
				if got > tt.most {
					t.Errorf("%s %s%s: %v allocations, want at most %v", what, request.name, name, got, tt.most)
				}
			}
		}
	}
}
