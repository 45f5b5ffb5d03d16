package policy_test

import (
	"fmt"
	"testing"

	"github.com/marquee-api/marquee/internal/policy"
)

// TestOperators has each operator of the IAM user guide ("IAM JSON policy elements: Condition operators") with a value
// that matches, one that does not, and the absent key. The expected values are read from that page.
func TestOperators(t *testing.T) {
	tests := []struct {
		operator, key, policy string
		yes, no               []string // values of the call for which the condition holds, and does not
		absent                bool     // whether it holds without the key
	}{
		{"StringEquals", "aws:UserAgent", `'curl/8'`, []string{"curl/8"}, []string{"Curl/8", "curl/80", "", "*"}, false},
		{"StringEquals", "aws:UserAgent", `['a','b*']`, []string{"a", "b*"}, []string{"c", "bc"}, false},
		{"StringNotEquals", "aws:UserAgent", `['a','b']`, []string{"c", "A", ""}, []string{"a", "b"}, true},
		{"StringEqualsIgnoreCase", "aws:UserAgent", `'curl/8'`, []string{"CURL/8", "curl/8"}, []string{"curl"}, false},
		{"StringEqualsIgnoreCase", "aws:UserAgent", `'CURL/8'`, []string{"CURL/8", "curl/8"}, []string{"curl"}, false},
		{"StringNotEqualsIgnoreCase", "aws:UserAgent", `'curl/8'`, []string{"curl"}, []string{"CURL/8"}, true},
		{"StringLike", "aws:UserAgent", `['curl/*','w?et']`, []string{"curl/", "curl/8.1", "wget"}, []string{"curl", "wet", "Curl/8"}, false},
		{"StringNotLike", "aws:UserAgent", `['curl/*','w?et']`, []string{"curl", "wet"}, []string{"curl/8", "wget"}, true},
		{"NumericEquals", "s3:max-keys", `'10'`, []string{"10", "10.0", "010"}, []string{"11", "-10", "ten", "", "1e1"}, false},
		{"NumericEquals", "s3:max-keys", `10`, []string{"10"}, []string{"11"}, false},
		{"NumericEquals", "s3:max-keys", `'9007199254740993'`, []string{"9007199254740993"}, []string{"9007199254740992"}, false},
		{"NumericNotEquals", "s3:max-keys", `'10'`, []string{"11", "9.99"}, []string{"10", "10.00"}, true},
		{"NumericLessThan", "s3:max-keys", `'10.5'`, []string{"10", "-11"}, []string{"10.5", "11"}, false},
		{"NumericLessThanEquals", "s3:max-keys", `'10.5'`, []string{"10.5", "10"}, []string{"10.51"}, false},
		{"NumericGreaterThan", "s3:max-keys", `'-2'`, []string{"-1.5"}, []string{"-2", "-3"}, false},
		{"NumericGreaterThanEquals", "s3:max-keys", `['7','9']`, []string{"8", "7"}, []string{"6"}, false},
		{"DateEquals", "aws:CurrentTime", `'2020-01-01T00:00:00Z'`, []string{"2020-01-01T00:00:00Z", "2020-01-01T09:00:00+09:00", "1577836800", "2020-01-01"}, []string{"2020-01-01T00:00:01Z"}, false},
		{"DateNotEquals", "aws:CurrentTime", `'1577836800'`, []string{"1577836801"}, []string{"2020-01-01T00:00:00Z"}, true},
		{"DateLessThan", "aws:CurrentTime", `'2020-01-01T00:00Z'`, []string{"2019-12-31T23:59:59.999Z"}, []string{"2020-01-01T00:00:00Z", "soon"}, false},
		{"DateLessThanEquals", "aws:CurrentTime", `'2020-01-01'`, []string{"2020-01-01T00:00:00Z"}, []string{"2020-01-01T00:00:01Z"}, false},
		{"DateGreaterThan", "aws:TokenIssueTime", `'2020-01-01T00:00:01Z'`, []string{"2020-01-01T00:00:02Z"}, []string{"2020-01-01T00:00:01Z"}, false},
		{"DateGreaterThanEquals", "aws:EpochTime", `1577836800`, []string{"1577836800", "1577836801"}, []string{"1577836799"}, false},
		{"Bool", "aws:SecureTransport", `'true'`, []string{"true", "True"}, []string{"false", "1", ""}, false},
		{"Bool", "aws:SecureTransport", `false`, []string{"false"}, []string{"true", "no"}, false},
		{"BinaryEquals", "lambda:key", `'QmluYXJ5VmFsdWVJbkJhc2U2NA=='`, []string{"QmluYXJ5VmFsdWVJbkJhc2U2NA=="}, []string{"qmluYXJ5VmFsdWVJbkJhc2U2NA==", "QmluYXJ5VmFsdWVJbkJhc2U2NB==", "BinaryValueInBase64"}, false},
		{"IpAddress", "aws:SourceIp", `['203.0.113.0/24','2001:DB8:1234:5678::/64']`, []string{"203.0.113.9", "2001:db8:1234:5678::1", "::ffff:203.0.113.9"}, []string{"203.0.114.1", "2001:db8:1234:5679::1", "here"}, false},
		{"IpAddress", "aws:SourceIp", `'0.0.0.0/0'`, []string{"203.0.113.9"}, []string{"2001:db8::1"}, false},
		{"IpAddress", "aws:SourceIp", `'203.0.113.7'`, []string{"203.0.113.7"}, []string{"203.0.113.8"}, false},
		{"NotIpAddress", "aws:SourceIp", `'203.0.113.0/24'`, []string{"203.0.114.1", "2001:db8::1"}, []string{"203.0.113.0", "203.0.113.255"}, true},
		{"ArnEquals", "aws:SourceArn", `'arn:aws:sns:*:123456789012:t?pic-*'`, []string{"arn:aws:sns:eu-west-1:123456789012:topic-a:b/c"}, []string{"arn:aws:sns:eu-west-1:123456789013:topic-a", "arn:aws:sns:eu-west-1:topic-a"}, false},
		// The guide's own example of what StringLike matches and ArnLike does not.
		{"ArnLike", "aws:SourceArn", `'arn:aws:someservice:*:111122223333:finance/*'`, []string{"arn:aws:someservice:us-east-2:111122223333:finance/document.txt"}, []string{"arn:aws:someservice:us-east-2:999999999999:store/abc:111122223333:finance/document.txt"}, false},
		{"ArnNotEquals", "aws:SourceArn", `'arn:aws:sns:*:*:a'`, []string{"arn:aws:sns:x:1:b"}, []string{"arn:aws:sns:x:1:a"}, true},
		{"ArnNotLike", "aws:SourceArn", `'arn:aws:sns:*:*:a*'`, []string{"arn:aws:sns:x:1:b"}, []string{"arn:aws:sns:x:1:a:c"}, true},
		{"Null", "aws:TokenIssueTime", `'true'`, nil, []string{"2020-01-01T00:00:00Z"}, true},
		{"Null", "aws:TokenIssueTime", `false`, []string{"2020-01-01T00:00:00Z"}, nil, false},
	}
	covered := map[string]bool{}
	for _, tt := range tests {
		covered[tt.operator] = true
		t.Run(tt.operator+" "+tt.policy, func(t *testing.T) {
			for _, value := range tt.yes {
				if !holds(t, tt.operator, tt.key, tt.policy, keys{tt.key: {value}}) {
					t.Errorf("value %q: got false, want true", value)
				}
			}
			for _, value := range tt.no {
				if holds(t, tt.operator, tt.key, tt.policy, keys{tt.key: {value}}) {
					t.Errorf("value %q: got true, want false", value)
				}
			}
			if got := holds(t, tt.operator, tt.key, tt.policy, nil); got != tt.absent {
				t.Errorf("key absent: got %v, want %v", got, tt.absent)
			}
			if got := holds(t, tt.operator, tt.key, tt.policy, keys{tt.key: {}}); got != tt.absent {
				t.Errorf("key without values: got %v, want %v", got, tt.absent)
			}
			if tt.operator != "Null" && !holds(t, tt.operator+"IfExists", tt.key, tt.policy, nil) {
				t.Error("IfExists, key absent: got false, want true")
			}
		})
	}
	if len(covered) != 27 {
		t.Errorf("%d operators are covered, want all 27 of the guide", len(covered))
	}
}

// holds reports whether a condition lets an Allow statement apply.
func holds(t *testing.T, operator, key, values string, given keys) bool {
	t.Helper()
	condition := fmt.Sprintf(`'Condition':{'%s':{'%s':%s}}`, operator, key, values)
	d := statement(t, policy.KindIdentity, condition)
	return d.Evaluate(invoke(t, session, given)).Decision == policy.Allow
}

// denies is holds for a Deny statement.
func denies(t *testing.T, operator, key, values string, given keys) bool {
	t.Helper()
	condition := fmt.Sprintf(`'Effect':'Deny','Condition':{'%s':{'%s':%s}}`, operator, key, values)
	d := statement(t, policy.KindIdentity, condition)
	return d.Evaluate(invoke(t, session, given)).Decision == policy.ExplicitDeny
}

// TestSetOperators follows the IAM user guide, "Single-valued vs. multivalued context keys": its tables of
// PostDateTime, Message and Tags, absent keys and the empty data set.
func TestSetOperators(t *testing.T) {
	const list = `['PostDateTime','Message','Tags']`
	tests := []struct {
		name, operator string
		given          []string // nil: the key is absent
		want           bool
	}{
		{"all, every value listed", "ForAllValues:StringEquals", []string{"PostDateTime", "Tags"}, true},
		{"all, one value not listed", "ForAllValues:StringEquals", []string{"PostDateTime", "UserName"}, false},
		{"all, absent", "ForAllValues:StringEquals", nil, true},
		{"all, empty string", "ForAllValues:StringEquals", []string{""}, true},
		{"all, negated, none listed", "ForAllValues:StringNotEquals", []string{"ID", "UserName"}, true},
		{"all, negated, one listed", "ForAllValues:StringNotEquals", []string{"ID", "Tags"}, false},
		{"all, negated, absent", "ForAllValues:StringNotEquals", nil, true},
		{"any, one value listed", "ForAnyValue:StringEquals", []string{"ID", "Tags"}, true},
		{"any, none listed", "ForAnyValue:StringEquals", []string{"ID", "UserName"}, false},
		{"any, absent", "ForAnyValue:StringEquals", nil, false},
		{"any, empty string", "ForAnyValue:StringNotEquals", []string{""}, false},
		{"any, negated, one not listed", "ForAnyValue:StringNotEquals", []string{"Tags", "ID"}, true},
		{"any, negated, all listed", "ForAnyValue:StringNotEquals", []string{"Tags", "Message"}, false},
		{"any, negated, absent", "ForAnyValue:StringNotEquals", nil, false},
		{"any, like", "ForAnyValue:StringLike", []string{"x", "Message"}, true},
		{"all, if exists, absent", "ForAllValues:StringEqualsIfExists", nil, true},
		{"all, if exists, one not listed", "ForAllValues:StringEqualsIfExists", []string{"ID"}, false},
		{"any, if exists, one listed", "ForAnyValue:StringEqualsIfExists", []string{"Tags", "ID"}, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			given := keys{"dynamodb:Attributes": tt.given}
			if got := holds(t, tt.operator, "dynamodb:Attributes", list, given); got != tt.want {
				t.Errorf("Allow: got %v, want %v", got, tt.want)
			}
			if got := denies(t, tt.operator, "dynamodb:Attributes", list, given); got != tt.want {
				t.Errorf("Deny: got %v, want %v", got, tt.want)
			}
		})
	}
}

// TestOpenCases: where the guide leaves the result open, an Allow does not apply and a Deny does.
func TestOpenCases(t *testing.T) {
	tests := []struct {
		name, operator, key, values string
		given                       keys
	}{
		{"an address that is none", "NotIpAddress", "aws:SourceIp", `'10.0.0.0/8'`, keys{"aws:SourceIp": {"here"}}},
		{"a number that is none", "NumericNotEquals", "s3:max-keys", `'1'`, keys{"s3:max-keys": {"one"}}},
		{"a date that is none", "DateNotEquals", "aws:CurrentTime", `'2020-01-01T00:00:00Z'`, keys{"aws:CurrentTime": {"now"}}},
		{"an ARN that is none", "ArnNotLike", "aws:SourceArn", `'arn:aws:sns:*:*:a'`, keys{"aws:SourceArn": {"topic"}}},
		{"several values, one matches", "StringEquals", "aws:PrincipalOrgPaths", `'o/a'`, keys{"aws:PrincipalOrgPaths": {"o/a", "o/b"}}},
		{"several values, one differs", "StringNotEquals", "aws:PrincipalOrgPaths", `'o/a'`, keys{"aws:PrincipalOrgPaths": {"o/a", "o/b"}}},
		{"any, if exists, absent", "ForAnyValue:StringEqualsIfExists", "aws:PrincipalOrgPaths", `'o/a'`, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if holds(t, tt.operator, tt.key, tt.values, tt.given) {
				t.Error("the Allow applies, want not")
			}
			if !denies(t, tt.operator, tt.key, tt.values, tt.given) {
				t.Error("the Deny does not apply, want that it does")
			}
		})
	}
}

func TestConditionsCombine(t *testing.T) {
	d := statement(t, policy.KindIdentity, `'Condition':{
		'StringEquals':{'aws:SourceVpce':['vpce-1','vpce-2'],'aws:SourceVpc':'vpc-1'},
		'Bool':{'aws:SecureTransport':'true'}}`)
	tests := []struct {
		name  string
		given keys
		want  policy.Decision
	}{
		{"all hold", keys{"aws:SourceVpce": {"vpce-2"}, "aws:SourceVpc": {"vpc-1"}, "aws:SecureTransport": {"true"}}, policy.Allow},
		{"names in another case", keys{"AWS:SOURCEVPCE": {"vpce-2"}, "aws:sourcevpc": {"vpc-1"}, "aws:secureTransport": {"true"}}, policy.Allow},
		{"one key of an operator differs", keys{"aws:SourceVpce": {"vpce-2"}, "aws:SourceVpc": {"vpc-2"}, "aws:SecureTransport": {"true"}}, policy.ImplicitDeny},
		{"one operator differs", keys{"aws:SourceVpce": {"vpce-1"}, "aws:SourceVpc": {"vpc-1"}, "aws:SecureTransport": {"false"}}, policy.ImplicitDeny},
		{"a value in another case", keys{"aws:SourceVpce": {"VPCE-1"}, "aws:SourceVpc": {"vpc-1"}, "aws:SecureTransport": {"true"}}, policy.ImplicitDeny},
		{"one key absent", keys{"aws:SourceVpce": {"vpce-1"}, "aws:SecureTransport": {"true"}}, policy.ImplicitDeny},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := d.Evaluate(invoke(t, session, tt.given)).Decision; got != tt.want {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}
