package policy

import (
	"encoding/base64"
	"math/big"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// operator is one of IAM's condition operators, without set qualifier and IfExists.
type operator struct {
	negated bool
	null    bool
	compile func(text string, variables bool) (matcher, *SyntaxError)
}

// matcher is one value of a condition, ready to be compared with a value of the call.
type matcher interface {
	compare(value string, ctx *Context) outcome
}

// operators lists all operators of the IAM user guide, "IAM JSON policy elements: Condition operators".
var operators = map[string]*operator{
	"StringEquals":              {compile: compileString},
	"StringNotEquals":           {compile: compileString, negated: true},
	"StringEqualsIgnoreCase":    {compile: compileFolded},
	"StringNotEqualsIgnoreCase": {compile: compileFolded, negated: true},
	"StringLike":                {compile: compileLike},
	"StringNotLike":             {compile: compileLike, negated: true},
	"NumericEquals":             {compile: numeric(isEqual)},
	"NumericNotEquals":          {compile: numeric(isEqual), negated: true},
	"NumericLessThan":           {compile: numeric(isLess)},
	"NumericLessThanEquals":     {compile: numeric(isLessOrEqual)},
	"NumericGreaterThan":        {compile: numeric(isGreater)},
	"NumericGreaterThanEquals":  {compile: numeric(isGreaterOrEqual)},
	"DateEquals":                {compile: date(isEqual)},
	"DateNotEquals":             {compile: date(isEqual), negated: true},
	"DateLessThan":              {compile: date(isLess)},
	"DateLessThanEquals":        {compile: date(isLessOrEqual)},
	"DateGreaterThan":           {compile: date(isGreater)},
	"DateGreaterThanEquals":     {compile: date(isGreaterOrEqual)},
	"Bool":                      {compile: compileBool},
	"BinaryEquals":              {compile: compileBinary},
	"IpAddress":                 {compile: compileAddress},
	"NotIpAddress":              {compile: compileAddress, negated: true},
	"ArnEquals":                 {compile: compileARN},
	"ArnLike":                   {compile: compileARN},
	"ArnNotEquals":              {compile: compileARN, negated: true},
	"ArnNotLike":                {compile: compileARN, negated: true},
	"Null":                      {compile: compileBool, null: true},
}

var operatorNames = func() map[string]string {
	names := make(map[string]string, len(operators))
	for name := range operators {
		names[strings.ToLower(name)] = name
	}
	return names
}()

func matched(ok bool) outcome {
	if ok {
		return equals
	}
	return differs
}

// noVariables refuses variables where IAM has none: only string and ARN operators take them.
func noVariables(text string, variables bool) *SyntaxError {
	if variables && strings.Contains(text, "${") {
		return fault("", "%q: policy variables can be used with string and ARN operators only", text)
	}
	return nil
}

// stringMatcher compares whole texts.
type stringMatcher struct {
	text     string
	variable *template
	fold     bool
}

func compileString(text string, variables bool) (matcher, *SyntaxError) {
	return newStringMatcher(text, variables, stringMatcher{})
}

func compileFolded(text string, variables bool) (matcher, *SyntaxError) {
	return newStringMatcher(text, variables, stringMatcher{fold: true})
}

func newStringMatcher(text string, variables bool, m stringMatcher) (matcher, *SyntaxError) {
	t, err := parseTemplate(text, variables)
	if err != nil {
		return nil, err
	}
	if t.hasVariables() {
		m.variable = &t
		return &m, nil
	}
	m.text, _ = t.literal(nil)
	return &m, nil
}

func (m *stringMatcher) compare(value string, ctx *Context) outcome {
	want := m.text
	if m.variable != nil {
		var ok bool
		if want, ok = m.variable.literal(ctx); !ok {
			return unresolved
		}
	}
	return matched(value == want || m.fold && strings.EqualFold(value, want))
}

// likeMatcher compares with wildcards.
type likeMatcher struct {
	glob     glob
	variable *template
}

func compileLike(text string, variables bool) (matcher, *SyntaxError) {
	t, err := parseTemplate(text, variables)
	if err != nil {
		return nil, err
	}
	if t.hasVariables() {
		return &likeMatcher{variable: &t}, nil
	}
	var b globBuilder
	t.build(&b, nil)
	return &likeMatcher{glob: b.glob()}, nil
}

func (m *likeMatcher) compare(value string, ctx *Context) outcome {
	if m.variable == nil {
		return matched(m.glob.match(value))
	}
	var b globBuilder
	if !m.variable.build(&b, ctx) {
		return unresolved
	}
	g := b.glob()
	return matched(g.match(value))
}

type boolMatcher bool

func compileBool(text string, variables bool) (matcher, *SyntaxError) {
	if err := noVariables(text, variables); err != nil {
		return nil, err
	}
	value, ok := parseBool(text)
	if !ok {
		return nil, fault("", "%q is not \"true\" or \"false\"", text)
	}
	return boolMatcher(value), nil
}

func (m boolMatcher) compare(value string, _ *Context) outcome {
	got, ok := parseBool(value)
	if !ok {
		return unlike
	}
	return matched(got == bool(m))
}

func parseBool(text string) (value, ok bool) {
	value = strings.EqualFold(text, "true")
	return value, value || strings.EqualFold(text, "false")
}

// binaryMatcher compares bytes; both sides are written in base64.
type binaryMatcher string

func compileBinary(text string, variables bool) (matcher, *SyntaxError) {
	if err := noVariables(text, variables); err != nil {
		return nil, err
	}
	data, err := base64.StdEncoding.Strict().DecodeString(text)
	if err != nil {
		return nil, fault("", "%q is not base64", text)
	}
	return binaryMatcher(data), nil
}

func (m binaryMatcher) compare(value string, _ *Context) outcome {
	data, err := base64.StdEncoding.Strict().DecodeString(value)
	if err != nil {
		return unlike
	}
	return matched(string(data) == string(m))
}

// addressMatcher is a range of IPv4 or IPv6 addresses; one address is a range of its own.
type addressMatcher struct{ prefix netip.Prefix }

func compileAddress(text string, variables bool) (matcher, *SyntaxError) {
	if err := noVariables(text, variables); err != nil {
		return nil, err
	}
	if prefix, err := netip.ParsePrefix(text); err == nil && !prefix.Addr().Is4In6() {
		return &addressMatcher{prefix.Masked()}, nil
	}
	addr, ok := parseAddress(text)
	if !ok {
		return nil, fault("", "%q is not an IP address or a range such as 10.0.0.0/16", text)
	}
	return &addressMatcher{netip.PrefixFrom(addr, addr.BitLen())}, nil
}

func parseAddress(text string) (netip.Addr, bool) {
	addr, err := netip.ParseAddr(text)
	if err != nil || addr.Zone() != "" {
		return netip.Addr{}, false
	}
	return addr.Unmap(), true
}

func (m *addressMatcher) compare(value string, _ *Context) outcome {
	addr, ok := parseAddress(value)
	if !ok {
		return unlike
	}
	return matched(m.prefix.Contains(addr))
}

// arnMatcher compares the six fields of an ARN one by one, each with wildcards.
type arnMatcher struct {
	fields   [6]glob
	variable *template
}

func compileARN(text string, variables bool) (matcher, *SyntaxError) {
	t, err := parseTemplate(text, variables)
	if err != nil {
		return nil, err
	}
	if t.hasVariables() {
		return &arnMatcher{variable: &t}, nil
	}
	m := &arnMatcher{}
	if !t.fields(&m.fields, nil) {
		return nil, fault("", "%q is not an ARN of six fields", text)
	}
	return m, nil
}

func (m *arnMatcher) compare(value string, ctx *Context) outcome {
	fields := &m.fields
	if m.variable != nil {
		if _, ok := m.variable.literal(ctx); !ok {
			return unresolved
		}
		fields = new([6]glob)
		if !m.variable.fields(fields, ctx) {
			return differs
		}
	}
	got, ok := splitARN(value)
	if !ok || got[0] != "arn" {
		return unlike
	}
	for i := range fields {
		if !fields[i].match(got[i]) {
			return differs
		}
	}
	return equals
}

// order is a comparison of numbers and of points in time, by the sign of their difference.
type order func(sign int) bool

func isEqual(sign int) bool          { return sign == 0 }
func isLess(sign int) bool           { return sign < 0 }
func isLessOrEqual(sign int) bool    { return sign <= 0 }
func isGreater(sign int) bool        { return sign > 0 }
func isGreaterOrEqual(sign int) bool { return sign >= 0 }

type numberMatcher struct {
	number *big.Rat
	order  order
}

func numeric(o order) func(string, bool) (matcher, *SyntaxError) {
	return func(text string, variables bool) (matcher, *SyntaxError) {
		if err := noVariables(text, variables); err != nil {
			return nil, err
		}
		number, ok := parseNumber(text)
		if !ok {
			return nil, fault("", "%q is not a decimal number", text)
		}
		return &numberMatcher{number, o}, nil
	}
}

func (m *numberMatcher) compare(value string, _ *Context) outcome {
	got, ok := parseNumber(value)
	if !ok {
		return unlike
	}
	return matched(m.order(got.Cmp(m.number)))
}

// parseNumber reads an integer or a decimal fraction. Exponents are refused: a few bytes could ask for gigabytes.
func parseNumber(text string) (*big.Rat, bool) {
	digits := strings.TrimPrefix(text, "-")
	whole, fraction, pointed := strings.Cut(digits, ".")
	if len(text) > maxDigits || !isDigits(whole) || pointed && !isDigits(fraction) {
		return nil, false
	}
	return new(big.Rat).SetString(text)
}

const maxDigits = 64

func isDigits(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}

type dateMatcher struct {
	date  time.Time
	order order
}

func date(o order) func(string, bool) (matcher, *SyntaxError) {
	return func(text string, variables bool) (matcher, *SyntaxError) {
		if err := noVariables(text, variables); err != nil {
			return nil, err
		}
		at, ok := parseDate(text)
		if !ok {
			return nil, fault("", "%q is not a date such as 2026-01-31T12:00:00Z or seconds since 1970", text)
		}
		return &dateMatcher{at, o}, nil
	}
}

func (m *dateMatcher) compare(value string, _ *Context) outcome {
	got, ok := parseDate(value)
	if !ok {
		return unlike
	}
	return matched(m.order(got.Compare(m.date)))
}

// dateLayouts are the W3C profiles of ISO 8601 that IAM takes, but for the year alone, which cannot be told from seconds
// since 1970. A date without a time is its first moment in UTC.
var dateLayouts = []string{time.RFC3339Nano, "2006-01-02T15:04Z07:00", "2006-01-02", "2006-01"}

func parseDate(text string) (time.Time, bool) {
	for _, layout := range dateLayouts {
		if at, err := time.Parse(layout, text); err == nil {
			return at, true
		}
	}
	if len(text) == len("2006") || !isDigits(text) {
		return time.Time{}, false
	}
	seconds, err := strconv.ParseInt(text, 10, 48)
	return time.Unix(seconds, 0), err == nil
}
