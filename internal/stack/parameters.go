package stack

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/dlclark/regexp2"
)

// parameter is one entry of Parameters with its value.
type parameter struct {
	name, typ string
	text      string // the value, lists joined by commas
	list      bool
	noEcho    bool
	missing   string // why there is no value; it only matters if somebody asks
	pos       Position
}

// value is what Ref gives.
func (p *parameter) value(pos Position) *value {
	if !p.list {
		return textValue(p.text, pos)
	}
	list := listValue(pos)
	for part := range strings.SplitSeq(p.text, ",") {
		list.items = append(list.items, textValue(strings.TrimSpace(part), pos))
	}
	return list
}

// madeUpTypes are parameter types whose value is an id of something in the account. Nobody needs to look one up for a
// laptop: without a value, one is made up (prefix, then 17 hexadecimal digits).
var madeUpTypes = map[string]string{
	"AWS::EC2::VPC::Id":                 "vpc-",
	"AWS::EC2::Subnet::Id":              "subnet-",
	"AWS::EC2::SecurityGroup::Id":       "sg-",
	"List<AWS::EC2::Subnet::Id>":        "subnet-",
	"List<AWS::EC2::SecurityGroup::Id>": "sg-",
	"List<AWS::EC2::VPC::Id>":           "vpc-",
}

var (
	listType  = regexp.MustCompile(`^(CommaDelimitedList|List<(Number|String|AWS::[A-Za-z0-9:]+)>)$`)
	plainType = regexp.MustCompile(`^(String|Number|AWS::EC2::[A-Za-z0-9:]+|AWS::Route53::HostedZone::Id|AWS::SSM::Parameter::Name)$`)
	ssmType   = regexp.MustCompile(`^AWS::SSM::Parameter::Value<(.+)>$`)
)

func (b *builder) readParameters(v *value) {
	for _, f := range fieldsOf(v) {
		if f.value.kind != kindMap {
			b.fail(f.pos, "Parameters", f.key, "a parameter is a map with a Type, this is %s", f.value.kind)
			continue
		}
		p := &parameter{name: f.key, pos: f.pos, typ: "String"}
		if typ := f.value.get("Type"); typ != nil {
			p.typ = typ.text
		} else {
			b.fail(f.pos, "Parameters", f.key, "the parameter has no Type")
		}
		echo := f.value.get("NoEcho")
		p.noEcho = echo != nil && strings.EqualFold(echo.text, "true")
		b.t.params[f.key] = p
		b.t.paramOrder = append(b.t.paramOrder, f.key)
		b.giveValue(p, f.value)
	}
	for _, name := range sortedKeys(b.opts.Parameters) {
		if b.t.params[name] == nil {
			b.fail(Position{File: b.t.file}, "Parameters", name, "the template has no such parameter%s", known(b.t.paramOrder))
		}
	}
}

func known(names []string) string {
	if len(names) == 0 {
		return ": it has none"
	}
	return ": it has " + strings.Join(names, ", ")
}

// giveValue takes the value from the options, else the default, and checks it as CloudFormation does.
func (b *builder) giveValue(p *parameter, def *value) {
	inner := p.typ
	ssm := ssmType.FindStringSubmatch(p.typ)
	if ssm != nil {
		inner = ssm[1]
	}
	p.list = listType.MatchString(inner)
	if !p.list && !plainType.MatchString(inner) {
		b.fail(p.pos, "Parameters", p.name, "%q is not a type of a parameter", p.typ)
		return
	}
	given, ok := b.opts.Parameters[p.name]
	fallback := def.get("Default")
	switch {
	case ok:
		p.text = given
	case ssm != nil:
		p.missing = fmt.Sprintf("the parameter %s comes from Parameter Store, which a laptop does not have: give its value", p.name)
		return
	case fallback != nil && fallback.kind == kindNull:
	case fallback != nil && fallback.scalar():
		p.text = fallback.text
	case fallback != nil:
		b.fail(fallback.pos, "Parameters", p.name+".Default", "this is text or a number, not %s", fallback.kind)
		return
	default:
		b.noValue(p)
		return
	}
	if ssm != nil {
		b.warn(p.pos, "Parameters", p.name, "the given value is taken as it is: AWS would look it up in Parameter Store")
		return
	}
	b.checkValue(p, def)
}

func (b *builder) noValue(p *parameter) {
	if prefix, ok := madeUpTypes[p.typ]; ok {
		p.text = prefix + "0" + b.n.hex(p.name, 16)
		b.warn(p.pos, "Parameters", p.name, "no value is given, "+p.text+" is made up: AWS would refuse the deployment")
		return
	}
	p.missing = fmt.Sprintf("the parameter %s has neither a value nor a Default: give it one", p.name)
	b.warn(p.pos, "Parameters", p.name, "no value is given: AWS would refuse the deployment")
}

// checkValue holds a value against the constraints of its parameter (CloudFormation user guide, Parameters).
func (b *builder) checkValue(p *parameter, def *value) {
	values := []string{p.text}
	if p.list {
		values = nil
		for _, item := range p.value(p.pos).items {
			values = append(values, item.text)
		}
	}
	for _, v := range values {
		if message := b.violation(p, def, v); message != "" {
			if why := def.get("ConstraintDescription"); why != nil && why.scalar() {
				message += ": " + why.text
			}
			b.fail(p.pos, "Parameters", p.name, "the value%s %s", p.shown(v), message)
		}
	}
}

// shown quotes a value for a message, unless it is a secret.
func (p *parameter) shown(v string) string {
	if p.noEcho {
		return ""
	}
	return " " + strconv.Quote(v)
}

func (b *builder) violation(p *parameter, def *value, v string) string {
	if strings.Contains(p.typ, "Number") {
		n, err := strconv.ParseFloat(v, 64)
		if err != nil || !decimal.MatchString(v) {
			return "is not a number"
		}
		if least, ok := number(def.get("MinValue")); ok && n < least {
			return "is below MinValue"
		}
		if most, ok := number(def.get("MaxValue")); ok && n > most {
			return "is above MaxValue"
		}
	}
	if allowed := def.get("AllowedValues"); allowed != nil && allowed.kind == kindList {
		if !slices.ContainsFunc(allowed.items, func(a *value) bool { return a.scalar() && a.text == v }) {
			return "is not one of AllowedValues"
		}
	}
	if least, ok := number(def.get("MinLength")); ok && float64(len([]rune(v))) < least {
		return "is shorter than MinLength"
	}
	if most, ok := number(def.get("MaxLength")); ok && float64(len([]rune(v))) > most {
		return "is longer than MaxLength"
	}
	return b.patternViolation(p, def.get("AllowedPattern"), v)
}

// decimal leaves out what is a number to Go alone: NaN, Inf, base 16.
var decimal = regexp.MustCompile(`^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$`)

// maxMatch bounds an expression that goes back and forth.
const maxMatch = time.Second

// patternViolation matches the whole value. CloudFormation's expressions are Java's; those that Go does not know
// (look-around, back-references) are left to a library that does, and one that neither knows is an error, as AWS might
// refuse the value.
func (b *builder) patternViolation(p *parameter, pattern *value, v string) string {
	if pattern == nil || pattern.kind != kindText {
		return ""
	}
	matches := false
	_, err := regexp.Compile(pattern.text) // as it stands: "a)|(b" is a pattern only in parentheses
	_, err2 := regexp2.Compile(pattern.text, regexp2.None)
	if re, whole := regexp.Compile(`^(?:` + pattern.text + `)$`); err == nil && whole == nil {
		matches = re.MatchString(v)
	} else if re, whole := regexp2.Compile(`\A(?:`+pattern.text+`)\z`, regexp2.None); err2 == nil && whole == nil {
		re.MatchTimeout = maxMatch
		if matches, err = re.MatchString(v); err != nil {
			b.fail(pattern.pos, "Parameters", p.name+".AllowedPattern", "whether the value matches was not found out within %v: write a simpler pattern", maxMatch)
			return ""
		}
	} else {
		b.fail(pattern.pos, "Parameters", p.name+".AllowedPattern", "whether the value matches cannot be found out, and AWS may refuse it: the pattern has a form that is not known here; write it another way")
		return ""
	}
	if !matches {
		return "does not match AllowedPattern " + pattern.text
	}
	return ""
}

func number(v *value) (float64, bool) {
	if v == nil || !v.scalar() {
		return 0, false
	}
	f, err := strconv.ParseFloat(v.text, 64)
	return f, err == nil
}
