// Package deploycheck says what a translated template would make with given values of its parameters, and holds the tests
// of what would be deployed: the CloudFormation template that AWS's translator makes of template.yaml. Validators and
// linters pass an API that is open to everyone (a misspelt authorizer is dropped without a word), so these say who may
// call. Each test breaks the template as well, and must then fail.
//
// It does not ask whether the local gateway does the same; that is the gateway's part.
package deploycheck

import (
	"fmt"
	"maps"
)

// Account is the one that templates are settled for, AWS's example.
const Account = "123456789012"

// object is one JSON object of the template.
type object = map[string]any

// settler decides a template's conditions for values of its parameters, as CloudFormation does when it begins.
type settler struct {
	values     map[string]string
	conditions object
}

// Settle leaves of a template what would be made with these values: conditions decided, Fn::If replaced by the branch that
// is taken, resources and outputs whose condition is false removed. Everything else stays as it is written, references to
// parameters too.
func Settle(template object, given map[string]string) (object, error) {
	s := settler{values: map[string]string{"AWS::AccountId": Account}, conditions: objectAt(template, "Conditions")}
	for name, parameter := range objectAt(template, "Parameters") {
		s.values[name] = fmt.Sprint(at(parameter, "Default"))
	}
	maps.Copy(s.values, given)
	out := maps.Clone(template)
	for _, section := range []string{"Resources", "Outputs"} {
		kept := object{}
		for id, item := range objectAt(template, section) {
			if name, ok := at(item, "Condition").(string); ok {
				if yes, err := s.decide(object{"Condition": name}); err != nil || !yes {
					if err != nil {
						return nil, err
					}
					continue
				}
			}
			settled, err := s.settle(item)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", id, err)
			}
			kept[id] = settled
		}
		out[section] = kept
	}
	return out, nil
}

// noValue is what AWS::NoValue leaves behind, until the list or object around it drops it.
type noValue struct{}

func (s settler) settle(v any) (any, error) {
	switch v := v.(type) {
	case []any:
		out := []any{}
		for _, item := range v {
			settled, err := s.settle(item)
			if err != nil {
				return nil, err
			}
			if settled != (noValue{}) {
				out = append(out, settled)
			}
		}
		return out, nil
	case object:
		return s.settleObject(v)
	}
	return v, nil
}

func (s settler) settleObject(v object) (any, error) {
	if v["Ref"] == "AWS::NoValue" {
		return noValue{}, nil
	}
	if args := listAt(v, "Fn::If"); len(args) == 3 {
		yes, err := s.decide(object{"Condition": args[0]})
		if err != nil {
			return nil, err
		}
		if yes {
			return s.settle(args[1])
		}
		return s.settle(args[2])
	}
	out := object{}
	for key, item := range v {
		settled, err := s.settle(item)
		if err != nil {
			return nil, err
		}
		if _, gone := settled.(noValue); !gone {
			out[key] = settled
		}
	}
	return out, nil
}

// decide evaluates a condition function over parameters and AWS::AccountId; whatever else is an error.
func (s settler) decide(expression any) (bool, error) {
	for name, argument := range objectAt(object{"it": expression}, "it") {
		args, _ := argument.([]any)
		switch name {
		case "Condition":
			defined, ok := s.conditions[fmt.Sprint(argument)]
			if !ok {
				return false, fmt.Errorf("no condition %v", argument)
			}
			return s.decide(defined)
		case "Fn::Not":
			yes, err := s.decide(args[0])
			return !yes, err
		case "Fn::And", "Fn::Or":
			for _, arg := range args {
				if yes, err := s.decide(arg); err != nil || yes == (name == "Fn::Or") {
					return yes, err
				}
			}
			return name == "Fn::And", nil
		case "Fn::Equals":
			left, err := s.text(args[0])
			if err != nil {
				return false, err
			}
			right, err := s.text(args[1])
			return left == right, err
		}
	}
	return false, fmt.Errorf("not a condition: %v", expression)
}

func (s settler) text(v any) (string, error) {
	if name, ok := at(v, "Ref").(string); ok {
		value, ok := s.values[name]
		if !ok {
			return "", fmt.Errorf("no parameter %s", name)
		}
		return value, nil
	}
	if _, intrinsic := v.(object); intrinsic {
		return "", fmt.Errorf("not a text: %v", v)
	}
	return fmt.Sprint(v), nil
}

// at follows keys from object to object; nil where one is missing.
func at(v any, keys ...string) any {
	for _, key := range keys {
		o, ok := v.(object)
		if !ok {
			return nil
		}
		v = o[key]
	}
	return v
}

func objectAt(v any, keys ...string) object {
	o, _ := at(v, keys...).(object)
	return o
}

func listAt(v any, keys ...string) []any {
	l, _ := at(v, keys...).([]any)
	return l
}
