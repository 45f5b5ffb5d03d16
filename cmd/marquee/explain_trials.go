package main

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/marquee-api/marquee/internal/sigv4"
)

// trial is a request that the client may have signed in place of the captured one.
type trial struct {
	part sigv4.Part
	why  string
	in   sigv4.VerifyInput
}

// trials collects what is done to requests between signing and arriving, undone.
type trials struct {
	c    *explainCase
	seen *sigv4.Inspection
	list []trial
}

// try looks for a request near the captured one whose signature is the one that the request carries. What it finds is
// certain: nobody hits a signature by chance.
func (c *explainCase) try(seen *sigv4.Inspection) ([]sigv4.Difference, bool) {
	if found, hit := sigv4.Guess(&c.in); hit && found[0].Part != sigv4.PartNone {
		return found, true
	}
	t := &trials{c: c, seen: seen}
	t.addRequestLine()
	t.addHosts()
	t.addHeaders()
	t.addBodies()
	t.addScopes()
	paired := t.list
	t.addDates()
	for _, one := range t.list {
		if changed, err := sigv4.Inspect(&one.in); err == nil && changed.Signature == seen.Claimed {
			return []sigv4.Difference{one.difference(seen, changed)}, true
		}
	}
	for _, one := range paired { // one of these, and one of sigv4's own
		more, hit := sigv4.Guess(&one.in)
		if !hit {
			continue
		}
		if changed, err := sigv4.Inspect(&one.in); err == nil {
			return append([]sigv4.Difference{one.difference(seen, changed)}, more...), true
		}
	}
	return nil, false
}

// difference words a hit with the texts of both sides.
func (t *trial) difference(seen, changed *sigv4.Inspection) sigv4.Difference {
	d := explainTexts(seen.Transcript, changed.Transcript)
	d.Part, d.Why = t.part, t.why
	return d
}

func (t *trials) add(part sigv4.Part, why string, change func(in *sigv4.VerifyInput)) {
	in := t.c.in
	in.Header = t.c.in.Header.Clone()
	change(&in)
	t.list = append(t.list, trial{part, why, in})
}

func (t *trials) addRequestLine() {
	for _, method := range []string{"GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"} {
		if method != t.c.in.Method {
			t.add(sigv4.PartMethod, "the request was signed as "+method+" and sent as "+t.c.in.Method+": a redirect or a method override does that",
				func(in *sigv4.VerifyInput) { in.Method = method })
		}
	}
	path, query, hasQuery := strings.Cut(t.c.in.Target, "?")
	for _, v := range pathVariants(path) {
		target := v.text
		if hasQuery {
			target += "?" + query
		}
		t.add(sigv4.PartPath, v.why, func(in *sigv4.VerifyInput) { in.Target = target })
	}
	if hasQuery {
		for _, v := range queryVariants(query) {
			t.add(sigv4.PartQuery, v.why, func(in *sigv4.VerifyInput) { in.Target = path + "?" + v.text })
		}
	}
}

// addHosts tries the names that the request may have been signed for: those curl connected to, those that proxies note,
// and the API's own behind its endpoint's.
func (t *trials) addHosts() {
	in := &t.c.in
	names := slices.Clone(t.c.capture.Contacts)
	for _, header := range []string{"X-Forwarded-Host", "X-Original-Host"} {
		names = append(names, in.Header.Values(header)...)
	}
	ids := in.Header.Values("X-Apigw-Api-Id")
	if endpoint := resolveHost(t.c.request); endpoint != nil {
		ids = append(ids, endpoint.APIID())
	}
	if stack := t.c.signer.stack; stack != nil {
		ids = append(ids, stack.APIID)
	}
	for _, id := range ids {
		names = append(names, id+".execute-api."+in.Region+".amazonaws.com")
	}
	names = append(names, "127.0.0.1", "localhost", "host.docker.internal")
	if _, port, found := strings.Cut(in.Host, ":"); found {
		for _, name := range slices.Clone(names) {
			names = append(names, name+":"+port)
		}
	}
	slices.Sort(names)
	for _, host := range slices.Compact(names) {
		if host != in.Host {
			t.add(sigv4.PartHost, "the client signed the host "+host+", but another Host was sent: sign the Host that is sent, and let no proxy rewrite it",
				func(in *sigv4.VerifyInput) { in.Host = host })
		}
	}
}

func (t *trials) addHeaders() {
	for _, name := range t.seen.SignedHeaders {
		key := http.CanonicalHeaderKey(name)
		for _, v := range headerVariants(name, t.c.in.Header[key], len(t.c.request.Body)) {
			t.add(sigv4.PartHeader, v.why, func(in *sigv4.VerifyInput) { in.Header[key] = []string{v.text} })
		}
	}
	if token := t.c.signer.keys.SessionToken; token != "" && slices.Contains(t.seen.SignedHeaders, "x-amz-security-token") {
		t.add(sigv4.PartHeader, "the request carries another session token than the one that was signed: it was replaced, or redacted in the capture",
			func(in *sigv4.VerifyInput) { in.Header.Set("X-Amz-Security-Token", token) })
	}
	sorted := slices.Clone(t.seen.SignedHeaders)
	slices.Sort(sorted)
	t.add(sigv4.PartSignedHeaders, "SignedHeaders is not in the order that was signed: the names are sorted in both places", func(in *sigv4.VerifyInput) {
		t.replaceClaim(in, strings.Join(t.seen.SignedHeaders, ";"), strings.Join(sorted, ";"))
	})
}

func (t *trials) addBodies() {
	for _, v := range bodyVariants(t.c.request.Body, t.c.in.Header) {
		hash := sigv4.HashBody(v.body)
		t.add(sigv4.PartPayload, v.why, func(in *sigv4.VerifyInput) { in.PayloadHash = hash })
	}
}

// addScopes tries other scopes than the one that the request names: a key may be derived for another.
func (t *trials) addScopes() {
	parts := strings.Split(t.seen.Scope, "/")
	if len(parts) != 4 { // SigV4a
		return
	}
	for i, candidates := range [][]string{
		neighbours(parts[0]),
		{t.c.in.Region, t.c.signer.region, "us-east-1"},
		{t.c.in.Service, "apigateway", "lambda", "es", "s3", "appsync"},
	} {
		for _, candidate := range candidates {
			if candidate == "" || candidate == parts[i] {
				continue
			}
			changed := slices.Clone(parts)
			changed[i] = candidate
			scope := strings.Join(changed, "/")
			t.add(sigv4.PartScope, "the signature was made for the scope "+scope+", but the request names another", func(in *sigv4.VerifyInput) {
				t.replaceClaim(in, t.seen.Scope, scope)
			})
		}
	}
}

// neighbours are the days before and after a day: a client may take the day of its own time zone.
func neighbours(day string) []string {
	at, err := time.Parse("20060102", day)
	if err != nil {
		return nil
	}
	return []string{at.AddDate(0, 0, -1).Format("20060102"), at.AddDate(0, 0, 1).Format("20060102")}
}

// replaceClaim changes what the request says about its signature, in the header or in the query.
func (t *trials) replaceClaim(in *sigv4.VerifyInput, old, replacement string) {
	for i, value := range in.Header["Authorization"] {
		in.Header["Authorization"][i] = strings.ReplaceAll(value, old, replacement)
	}
	if t.seen.Presigned {
		escape := strings.NewReplacer("/", "%2F", ";", "%3B")
		in.Target = strings.ReplaceAll(in.Target, escape.Replace(old), escape.Replace(replacement))
	}
}

// addDates tries the dates near the captured one, and those of other time zones: something may set X-Amz-Date again after
// signing.
func (t *trials) addDates() {
	const format = "20060102T150405Z"
	at, err := time.Parse(format, t.c.in.Header.Get("X-Amz-Date"))
	if err != nil || t.seen.Presigned {
		return
	}
	const near, far, zone, day, week = 15 * time.Minute, 14 * time.Hour, 30 * time.Minute, 24 * time.Hour, 7 * 24 * time.Hour
	var offsets []time.Duration
	for offset := time.Second; offset <= near; offset += time.Second {
		offsets = append(offsets, -offset, offset)
	}
	for offset := zone; offset <= far; offset += zone {
		offsets = append(offsets, -offset, offset)
	}
	for offset := day; offset <= week; offset += day {
		offsets = append(offsets, -offset, offset)
	}
	for _, offset := range offsets {
		date := at.Add(offset).Format(format)
		t.add(sigv4.PartDate, fmt.Sprintf("the date was signed as %s and changed afterwards: nothing may set X-Amz-Date again", date),
			func(in *sigv4.VerifyInput) { in.Header["X-Amz-Date"] = []string{date} })
	}
}
