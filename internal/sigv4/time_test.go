package sigv4

import (
	"testing"
	"time"
)

func TestTime(t *testing.T) {
	for _, at := range []time.Time{
		time.Date(2015, 8, 30, 12, 36, 0, 0, time.UTC), time.Date(2000, 2, 29, 23, 59, 59, 999, time.UTC),
		time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC),
	} {
		want := at.Format("20060102T150405Z")
		if got := string(appendTime([]byte("x"), at)); got != "x"+want {
			t.Errorf("appendTime: got %q, want %q", got, "x"+want)
		}
		got, ok := parseTime(want)
		if !ok || !got.Equal(at.Truncate(time.Second)) {
			t.Errorf("parseTime(%q): got %v, %v", want, got, ok)
		}
	}
	for _, bad := range []string{
		"", "201", "20150830T123600", "20150830T123600z", "20150830t123600Z", "20150830 123600Z", "2015-08-30T12:36Z",
		"20150830T123600ZZ", "20150230T123600Z", "20150029T123600Z", "20150832T123600Z", "20151330T123600Z", "20150800T123600Z",
		"20150830T243600Z", "20150830T126000Z", "20150830T123660Z", "2015083OT123600Z", "+0150830T123600Z", "20150830T1236-1Z",
	} {
		if got, ok := parseTime(bad); ok {
			t.Errorf("parseTime(%q): got %v, want a refusal", bad, got)
		}
	}
}

func TestSetTime(t *testing.T) {
	var work scratch
	for _, at := range []time.Time{
		time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), time.Date(2026, 1, 2, 3, 4, 5, 999, time.UTC),
		time.Date(2026, 1, 2, 3, 4, 6, 0, time.UTC), time.Unix(0, 0).UTC(), time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
	} {
		if err := work.setTime(at); err != nil {
			t.Fatal(err)
		}
		if got, want := string(work.time), at.Format("20060102T150405Z"); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	for _, year := range []int{-1, 10000} {
		if err := work.setTime(time.Date(year, 1, 1, 0, 0, 0, 0, time.UTC)); err == nil {
			t.Errorf("the year %d was accepted", year)
		}
	}
}
