package deploycheck

import (
	"strings"
	"testing"
)

func TestSettle(t *testing.T) {
	text := `{"Parameters": {"On": {"Default": "no"}},
		"Conditions": {"IsOn": {"Fn::Equals": [{"Ref": "On"}, "yes"]}, "Off": {"Fn::Not": [{"Condition": "IsOn"}]}},
		"Resources": {"A": {"Condition": "IsOn"}, "B": {"Condition": "Off", "Properties": {
			"List": [{"Fn::If": ["IsOn", 1, {"Ref": "AWS::NoValue"}]}, 2], "Gone": {"Fn::If": ["Off", {"Ref": "AWS::NoValue"}, 1]}}}}}`
	for value, expected := range map[string]string{
		"no":  `{"B":{"Condition":"Off","Properties":{"List":[2]}}}`,
		"yes": `{"A":{"Condition":"IsOn"}}`,
	} {
		got, err := Settle(parse(t, []byte(text)), map[string]string{"On": value})
		if err != nil {
			t.Fatal(err)
		}
		if err := want("resources with On="+value, got["Resources"], jsonOf(t, expected)); err != nil {
			t.Error(err)
		}
	}
	if _, err := Settle(parse(t, []byte(strings.Replace(text, `"IsOn", 1`, `"Isn't", 1`, 1))), nil); err == nil {
		t.Error("a condition that nobody defines is no error")
	}
}
