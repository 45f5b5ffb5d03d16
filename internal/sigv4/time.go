package sigv4

import (
	"fmt"
	"time"
)

const timeFormat = "20060102T150405Z"

// appendTime writes a UTC time in ISO 8601 basic format. Formatting by hand takes
// a quarter of the time of time.AppendFormat, which shows in a signature.
func appendTime(dst []byte, utc time.Time) []byte {
	year, month, day := utc.Date()
	hour, minute, second := utc.Clock()
	dst = appendTwo(dst, year/100)
	dst = appendTwo(dst, year%100)
	dst = appendTwo(dst, int(month))
	dst = appendTwo(dst, day)
	dst = append(dst, 'T')
	dst = appendTwo(dst, hour)
	dst = appendTwo(dst, minute)
	dst = appendTwo(dst, second)
	return append(dst, 'Z')
}

func appendTwo(dst []byte, n int) []byte {
	return append(dst, byte('0'+n/10), byte('0'+n%10))
}

// parseTime reads ISO 8601 basic format and nothing else: sixteen bytes, a real
// date, UTC.
func parseTime(s string) (time.Time, bool) {
	if len(s) != len(timeFormat) || s[8] != 'T' || s[15] != 'Z' {
		return time.Time{}, false
	}
	for i := 0; i < 15; i++ {
		if i != 8 && (s[i] < '0' || s[i] > '9') {
			return time.Time{}, false
		}
	}
	two := func(i int) int { return int(s[i]-'0')*10 + int(s[i+1]-'0') }
	month, day, hour, minute, second := two(4), two(6), two(9), two(11), two(13)
	if month < 1 || month > 12 || hour > 23 || minute > 59 || second > 59 {
		return time.Time{}, false
	}
	t := time.Date(two(0)*100+two(2), time.Month(month), day, hour, minute, second, 0, time.UTC)
	return t, t.Day() == day
}

// setTime leaves the time in work.time, where the one of the same second may
// still stand.
func (work *scratch) setTime(at time.Time) error {
	second := at.Unix()
	if second == work.second && second != 0 {
		return nil
	}
	utc := at.UTC()
	if year := utc.Year(); year < 0 || year > 9999 {
		return fmt.Errorf("sigv4: the time to sign is in the year %d: want four digits", year)
	}
	work.time, work.second = appendTime(work.time[:0], utc), second
	return nil
}
