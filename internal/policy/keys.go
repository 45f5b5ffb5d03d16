package policy

import "strings"

// globalKeys are AWS's global condition keys (IAM user guide, "AWS global condition context keys") in normal form. Those
// that end with a slash take a tag's key after it. A misspelt aws: key would never be present, so that a Deny that rests
// on it never (or always) denies: it is refused instead, as IAM Access Analyzer does ("Invalid global condition key").
var globalKeys = makeKeySet(
	"aws:AssumedRoot", "aws:CalledVia", "aws:CalledViaAWSMCP", "aws:CalledViaFirst", "aws:CalledViaLast", "aws:ChatbotSourceArn",
	"aws:CurrentTime", "aws:Ec2InstanceSourcePrivateIPv4", "aws:Ec2InstanceSourceVpc", "aws:EpochTime",
	"aws:FederatedProvider", "aws:IsMcpServiceAction", "aws:MultiFactorAuthAge", "aws:MultiFactorAuthPresent",
	"aws:PrincipalAccount", "aws:PrincipalArn", "aws:PrincipalIsAWSService", "aws:PrincipalOrgID",
	"aws:PrincipalOrgPaths", "aws:PrincipalServiceName", "aws:PrincipalServiceNamesList", "aws:PrincipalTag/",
	"aws:PrincipalType", "aws:Referer", "aws:RequestTag/", "aws:RequestedRegion", "aws:ResourceAccount",
	"aws:ResourceOrgID", "aws:ResourceOrgPaths", "aws:ResourceTag/", "aws:SecureTransport", "aws:SignInSessionArn", "aws:SourceAccount",
	"aws:SourceArn", "aws:SourceIdentity", "aws:SourceIp", "aws:SourceOrgID", "aws:SourceOrgPaths", "aws:SourceOwner",
	"aws:SourceVpc", "aws:SourceVpcArn", "aws:SourceVpce", "aws:TagKeys", "aws:TokenIssueTime", "aws:UserAgent",
	"aws:ViaAWSMCPService", "aws:ViaAWSService", "aws:VpceAccount", "aws:VpceOrgID", "aws:VpceOrgPaths", "aws:VpcSourceIp",
	"aws:userid", "aws:username",
)

func makeKeySet(names ...string) map[string]string {
	set := make(map[string]string, len(names))
	for _, name := range names {
		set[normalizeKey(name)] = name
	}
	return set
}

// checkKey accepts a condition key: a global key of AWS, or any key of another service of the form service:name or
// service:name/tag. Other services' keys are not listed here; one that the call does not have is absent.
func checkKey(key string) *SyntaxError {
	service, name, ok := strings.Cut(key, ":")
	if !ok || !isKeyText(service, "._-/") || !isKeyText(tagless(name), "._-") {
		return fault("", "condition key %q has not the form service:name or service:name/tag", key)
	}
	if i := strings.IndexByte(name, '/'); i >= 0 && !isTagKey(name[i+1:]) {
		return fault("", "condition key %q has no valid tag key after the slash", key)
	}
	if !strings.EqualFold(service, "aws") {
		return nil
	}
	known := normalizeKey(key)
	if i := strings.IndexByte(known, '/'); i >= 0 {
		known = known[:i+1]
	}
	if _, ok := globalKeys[known]; ok {
		return nil
	}
	if _, ok := globalKeys[known+"/"]; ok {
		return fault("", "condition key %q needs a tag key, as in %s/team", key, key)
	}
	return fault("", "unknown global condition key %q%s", key, suggest(known, globalKeys))
}

func tagless(name string) string {
	before, _, _ := strings.Cut(name, "/")
	return before
}

func isKeyText(s, punctuation string) bool {
	for i := range len(s) {
		if !isAlphanumeric(s[i]) && strings.IndexByte(punctuation, s[i]) < 0 {
			return false
		}
	}
	return s != ""
}

// isTagKey reports whether s may be the key of a tag: letters, digits, spaces and _.:/=+-@ (IAM user guide, "Tags for
// AWS Identity and Access Management resources"). Characters with a meaning in policies stay out.
func isTagKey(s string) bool {
	return s != "" && !strings.ContainsAny(s, "*?${}'\",\\")
}

// suggest returns " (did you mean X?)" for the nearest of the known names, or "".
func suggest(name string, known map[string]string) string {
	best, nearest := "", 3
	for folded, text := range known {
		d := editDistance(strings.ToLower(name), folded)
		if d < nearest || d == nearest && best != "" && text < best {
			best, nearest = text, d
		}
	}
	if best == "" {
		return ""
	}
	return " (did you mean " + best + "?)"
}

// editDistance is Levenshtein's distance, cut short for texts that differ much in length.
func editDistance(a, b string) int {
	if d := len(a) - len(b); d > 3 || d < -3 {
		return 4
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
