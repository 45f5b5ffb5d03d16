package deployment

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
)

// policyStatement is as much of a statement of a resource policy as says through which endpoint it wants calls.
type policyStatement struct {
	Effect    string
	Condition map[string]map[string]any // operator, key
}

// admittedEndpoint is the first VPC endpoint that a resource policy admits: by an Allow for it, or by a Deny for all others.
// Empty if it names none.
func admittedEndpoint(resourcePolicy json.RawMessage) string {
	for _, s := range policyStatements(resourcePolicy) {
		for _, operator := range slices.Sorted(maps.Keys(s.Condition)) {
			if strings.Contains(operator, "Not") != (s.Effect == "Deny") {
				continue
			}
			for key, value := range s.Condition[operator] {
				id := firstText(value)
				if strings.EqualFold(key, "aws:SourceVpce") && strings.HasPrefix(id, "vpce-") && !strings.ContainsAny(id, "*?$") {
					return id
				}
			}
		}
	}
	return ""
}

// policyStatements are those of a document, of which one may stand without a list; none if it cannot be read, which is
// said where it is parsed.
func policyStatements(resourcePolicy json.RawMessage) []policyStatement {
	var document struct{ Statement json.RawMessage }
	if json.Unmarshal(resourcePolicy, &document) != nil {
		return nil
	}
	var all []policyStatement
	if json.Unmarshal(document.Statement, &all) == nil {
		return all
	}
	var one policyStatement
	if json.Unmarshal(document.Statement, &one) != nil {
		return nil
	}
	return []policyStatement{one}
}

// firstText is a text, or the first of a list.
func firstText(v any) string {
	if list, ok := v.([]any); ok && len(list) > 0 {
		v = list[0]
	}
	text, _ := v.(string)
	return text
}
