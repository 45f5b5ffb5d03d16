package gateway

import (
	"testing"
	"time"
)

// A second's texts are kept for the next request, and only for one of the same second.
func TestSecondOf(t *testing.T) {
	var g Gateway
	at := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	for _, tt := range []struct {
		now         time.Time
		text, epoch string
	}{
		{at.Add(999 * time.Millisecond), "2026-03-04T05:06:07Z", "1772600767"},
		{at.In(time.FixedZone("", 9*3600)), "2026-03-04T05:06:07Z", "1772600767"},
		{at.Add(time.Second), "2026-03-04T05:06:08Z", "1772600768"},
		{at, "2026-03-04T05:06:07Z", "1772600767"},
	} {
		if got := g.secondOf(tt.now); got.text != tt.text || got.epoch != tt.epoch {
			t.Errorf("at %v: got %+v, want %s and %s", tt.now, got, tt.text, tt.epoch)
		}
	}
}
