package sigv4

import (
	"crypto/subtle"
	"strconv"
	"strings"
	"time"
)

// checkTime reads the date and compares it with now. A presigned URL lives for
// X-Amz-Expires, but never longer than any other signature: no service but S3 is
// known to extend it.
func (c *claim) checkTime(now time.Time, skew time.Duration) *Refusal {
	var ok bool
	if c.date, ok = parseTime(c.isoDate); !ok {
		return refuseDate(c.rawDate)
	}
	window := skew
	if c.hasExpires {
		seconds, err := strconv.Atoi(c.expires)
		switch {
		case err != nil:
			return refuseExpires("X-Amz-Expires should be a number")
		case seconds < 0:
			return refuseExpires("X-Amz-Expires must be non-negative")
		case seconds > int(maxExpires/time.Second):
			return refuseExpires("X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be less than 604800 seconds")
		}
		window = min(skew, time.Duration(seconds)*time.Second)
	}
	now = time.Unix(now.Unix(), 0).UTC() // AWS compares what it prints
	switch {
	case c.date.Before(now.Add(-window)):
		return refuseExpired(c.date, now, window)
	case c.date.After(now.Add(skew)):
		return refuseNotYetCurrent(c.date, now, skew)
	}
	return nil
}

// checkScope compares the scope with the only one that is right here.
func (c *claim) checkScope(region, service string) *Refusal {
	if !c.splitCredential() {
		return refuseCredential(c)
	}
	regionWrong := c.region != region
	if c.algorithm == algorithmECDSA {
		regionWrong = !c.signsRegionSet() || !regionSetHolds(c.regionSet, region)
	}
	if regionWrong || c.service != service || c.term != terminator || c.day != c.isoDate[:len("20060102")] {
		return refuseScope(c, regionWrong, service)
	}
	return nil
}

// signsRegionSet reports whether a SigV4a signature covers its region set. One
// that does not would be good in every region.
func (c *claim) signsRegionSet() bool { return c.presigned || c.signs("x-amz-region-set") }

// regionSetHolds reports whether a region is in a SigV4a region set: names
// separated by commas, in which "*" stands for any run of characters.
func regionSetHolds(set, region string) bool {
	for rest, more := set, true; more; {
		var pattern string
		pattern, rest, more = strings.Cut(rest, ",")
		if matchRegion(strings.TrimSpace(pattern), region) {
			return true
		}
	}
	return false
}

// matchRegion goes back to the last star only, so that no pattern, however many
// stars it has, takes more than len(pattern) times len(region) steps.
func matchRegion(pattern, region string) bool {
	p, r, star, from := 0, 0, -1, 0
	for r < len(region) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, from = p, r
			p++
		case p < len(pattern) && pattern[p] == region[r]:
			p++
			r++
		case star >= 0:
			from++
			p, r = star+1, from
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "*") == ""
}

// checkKey finds the key and compares the session token, wherever it came from
// and whether it is signed or not: API Gateway's own JavaScript SDK adds it after
// signing.
func (c *claim) checkKey(in *VerifyInput, now time.Time) (Key, *Refusal) {
	key, known := in.Lookup(c.id)
	if !known || key.SecretAccessKey == "" {
		return Key{}, refuseClient()
	}
	if c.presigned && c.token == "" {
		c.token = firstValue(in.Header, "X-Amz-Security-Token")
	}
	if subtle.ConstantTimeCompare([]byte(c.token), []byte(key.SessionToken)) != 1 {
		return Key{}, refuseClient()
	}
	if !key.Expires.IsZero() && !now.Before(key.Expires) {
		return Key{}, refuseExpiredToken()
	}
	return key, nil
}
