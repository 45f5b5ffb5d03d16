package stack

import (
	"errors"
	"strings"
)

// undecided marks the error of a condition that nobody can decide: all that stands under it meets it again.
type undecided struct{ err error }

func (u undecided) Error() string { return u.err.Error() }

func (u undecided) Unwrap() error { return u.err }

// condition decides a condition of the template by its name, once.
func (r *resolver) condition(name string, pos Position) (bool, error) {
	yes, err := r.conditionNamed(name, pos)
	if err != nil && !errors.As(err, new(undecided)) {
		err = undecided{err}
	}
	return yes, err
}

func (r *resolver) conditionNamed(name string, pos Position) (bool, error) {
	if decided, ok := r.known[name]; ok {
		return decided, nil
	}
	expr, ok := r.t.conditions[name]
	if !ok {
		return false, r.errorf(pos, "there is no condition %q in Conditions", name)
	}
	done, err := r.guard("the condition "+name, pos)
	if err != nil {
		return false, err
	}
	defer done()
	decided, err := r.decide(expr)
	if err != nil {
		return false, err
	}
	r.known[name] = decided
	return decided, nil
}

// decide evaluates one condition function.
func (r *resolver) decide(expr *value) (bool, error) {
	if err := r.spend(expr); err != nil {
		return false, err
	}
	if expr.kind != kindMap || len(expr.fields) != 1 {
		return false, r.errorf(expr.pos, "a condition is one of Fn::Equals, Fn::And, Fn::Or, Fn::Not or Condition")
	}
	name, arg := expr.fields[0].key, expr.fields[0].value
	switch name {
	case "Condition":
		return r.condition(arg.text, expr.pos)
	case "Fn::Equals":
		return r.equals(arg)
	case "Fn::Not":
		args, err := r.args(name, arg, [2]int{1, 1})
		if err != nil {
			return false, err
		}
		inner, err := r.decide(args[0])
		return !inner, err
	case "Fn::And", "Fn::Or":
		return r.combine(name, arg)
	}
	return false, r.errorf(expr.pos, "%s is not a condition function", name)
}

// combine evaluates every part, so that an error hides nowhere.
func (r *resolver) combine(name string, arg *value) (bool, error) {
	args, err := r.args(name, arg, [2]int{2, 10})
	if err != nil {
		return false, err
	}
	and, or := true, false
	for _, a := range args {
		part, err := r.decide(a)
		if err != nil {
			return false, err
		}
		and, or = and && part, or || part
	}
	if strings.HasSuffix(name, "And") {
		return and, nil
	}
	return or, nil
}

func (r *resolver) equals(arg *value) (bool, error) {
	args, err := r.args("Fn::Equals", arg, [2]int{2, 2})
	if err != nil {
		return false, err
	}
	left, err := r.deep(args[0])
	if err != nil {
		return false, err
	}
	right, err := r.deep(args[1])
	if err != nil {
		return false, err
	}
	if left != nil && right != nil && left.scalar() && right.scalar() {
		return left.text == right.text, nil // true and "true" are one to CloudFormation
	}
	return left.equal(right), nil
}
