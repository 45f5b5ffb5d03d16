package stack

import (
	"slices"
	"strings"
)

// derivedRefs are the endings by which SAM lets a template name what it makes of a resource: !Ref MoviesApi.Stage.
var derivedRefs = []string{"Alias", "Version", "Stage", "Deployment", "UsagePlan", "UsagePlanKey", "ApiKey"}

// ref is {"Ref": name}: a pseudo parameter, a parameter, a resource, or something SAM derives from one.
func (r *resolver) ref(name string, pos Position) (*value, error) {
	if strings.HasPrefix(name, "AWS::") {
		return r.pseudo(name, pos)
	}
	if p := r.t.params[name]; p != nil {
		if p.missing != "" {
			return nil, r.errorf(pos, "%s", p.missing)
		}
		return p.value(pos), nil
	}
	if res := r.t.resources[name]; res != nil {
		if err := r.created(res, pos); err != nil {
			return nil, err
		}
		text, err := r.physicalID(res, pos)
		if err != nil {
			return nil, err
		}
		return textValue(text, pos), nil
	}
	if id, part, ok := strings.Cut(name, "."); ok && r.t.resources[id] != nil && slices.Contains(derivedRefs, part) {
		return r.derived(r.t.resources[id], part, pos)
	}
	return nil, r.errorf(pos, "there is no parameter or resource %q in the template", name)
}

func (r *resolver) pseudo(name string, pos Position) (*value, error) {
	n := r.n
	switch name {
	case "AWS::NoValue":
		return nil, nil
	case "AWS::AccountId":
		return textValue(n.account, pos), nil
	case "AWS::Region":
		return textValue(n.region, pos), nil
	case "AWS::StackName":
		return textValue(n.stack, pos), nil
	case "AWS::StackId":
		return textValue("arn:"+n.partition+":cloudformation:"+n.region+":"+n.account+":stack/"+n.stack+"/"+n.uuid("AWS::StackId"), pos), nil
	case "AWS::Partition":
		return textValue(n.partition, pos), nil
	case "AWS::URLSuffix":
		return textValue(n.suffix(), pos), nil
	case "AWS::NotificationARNs":
		return listValue(pos), nil
	}
	return nil, r.errorf(pos, "there is no pseudo parameter %q", name)
}

// created refuses a resource whose condition is false, as CloudFormation does.
func (r *resolver) created(res *resource, pos Position) error {
	if res.condition == "" {
		return nil
	}
	yes, err := r.condition(res.condition, res.pos)
	if err != nil {
		return err
	}
	if !yes {
		return r.errorf(pos, "the resource %s is needed here, and its condition %s is false", res.id, res.condition)
	}
	return nil
}

// derived is what SAM makes of Ref: Resource.Part.
func (r *resolver) derived(res *resource, part string, pos Position) (*value, error) {
	switch {
	case res.typ == "AWS::Serverless::Function" && part == "Alias":
		alias := res.props.get("AutoPublishAlias")
		if alias == nil {
			return nil, r.errorf(pos, "%s has no AutoPublishAlias, so there is no %s.Alias", res.id, res.id)
		}
		name, err := r.text(alias, "AutoPublishAlias")
		if err != nil {
			return nil, err
		}
		arn, err := r.attribute(res.id, "Arn", pos)
		if err != nil {
			return nil, err
		}
		return r.made(arn.text+":"+name, pos)
	case res.typ == "AWS::Serverless::Function" && part == "Version":
		arn, err := r.attribute(res.id, "Arn", pos)
		if err != nil {
			return nil, err
		}
		return r.made(arn.text+":1", pos)
	case res.typ == "AWS::Serverless::Api":
		for _, id := range []string{res.id + part, "Serverless" + part} {
			if r.t.resources[id] != nil {
				return r.ref(id, pos)
			}
		}
	}
	return nil, r.errorf(pos, "SAM makes no %s of %s", part, res.id)
}

// attribute is {"Fn::GetAtt": [id, attribute]}.
func (r *resolver) attribute(id, attribute string, pos Position) (*value, error) {
	res := r.t.resources[id]
	if res == nil {
		return nil, r.errorf(pos, "there is no resource %q in the template", id)
	}
	if err := r.created(res, pos); err != nil {
		return nil, err
	}
	switch {
	case res.typ == "AWS::EC2::VPCEndpoint" && attribute == "DnsEntries":
		return r.dnsEntries(res, pos)
	case attribute == "StreamArn" && isTable(res.typ) && res.props.get("StreamSpecification") == nil:
		return nil, r.errorf(pos, "the table %s has no StreamSpecification, so it has no StreamArn", id)
	case attribute == "CidrBlock" && (res.typ == "AWS::EC2::VPC" || res.typ == "AWS::EC2::Subnet") && res.props.get("CidrBlock") != nil:
		text, err := r.text(res.props.get("CidrBlock"), "CidrBlock")
		if err != nil {
			return nil, err
		}
		return textValue(text, pos), nil
	case strings.HasPrefix(attribute, "Outputs.") && res.typ == "AWS::CloudFormation::Stack":
		return nil, r.errorf(pos, "%s is another stack: its outputs are not known here", id)
	}
	pattern, ok := physicalTypes[res.typ].attributes[attribute]
	if !ok {
		return nil, r.errorf(pos, "the attribute %s of %s (%s) is needed here and is not known", attribute, id, res.typ)
	}
	text, err := r.expand(pattern, res, pos)
	if err != nil {
		return nil, err
	}
	return textValue(text, pos), nil
}

// physicalID is what Ref gives for a resource.
func (r *resolver) physicalID(res *resource, pos Position) (string, error) {
	pattern := physicalTypes[res.typ].ref
	if pattern == "" {
		pattern = "{stack}-{logical}-{HEX12}" // the form of most generated ids
	}
	return r.expand(pattern, res, pos)
}

func (r *resolver) expand(pattern string, res *resource, pos Position) (string, error) {
	name := ""
	if strings.Contains(pattern, "{name}") || strings.Contains(pattern, "{lower}") {
		var err error
		if name, err = r.nameOf(res, pos); err != nil {
			return "", err
		}
	}
	if strings.Contains(pattern, "{path}") {
		path := "/"
		if v := res.props.get("Path"); v != nil {
			var err error
			if path, err = r.text(v, "Path"); err != nil {
				return "", err
			}
		}
		pattern = strings.ReplaceAll(pattern, "{path}", path)
	}
	return r.n.expand(pattern, res.id, name), nil
}

// nameOf is the name that the template gives a resource, else the one made up for it.
func (r *resolver) nameOf(res *resource, pos Position) (string, error) {
	if name, ok := r.names[res.id]; ok {
		return name, nil
	}
	done, err := r.guard("the name of "+res.id, pos)
	if err != nil {
		return "", err
	}
	defer done()
	typ := physicalTypes[res.typ]
	name := ""
	if given := res.props.get(typ.nameProperty); typ.nameProperty != "" && given != nil {
		v, err := r.head(given)
		if err != nil {
			return "", err
		}
		if v != nil {
			if !v.scalar() || v.text == "" {
				return "", r.errorf(given.pos, "%s of %s is the name, and must be text", typ.nameProperty, res.id)
			}
			name = v.text
		}
	}
	if name == "" {
		limit := typ.nameLimit
		if limit == 0 {
			limit = 255
		}
		name = r.n.name(res.id, limit)
	}
	r.names[res.id] = name
	return name, nil
}

// endpointZone is the hosted zone that AWS shows in the DNS entries of interface endpoints of execute-api.
const endpointZone = "Z1HUB23UULQXV"

// dnsName is the regional name of an interface endpoint.
func (r *resolver) dnsName(res *resource, service string) string {
	return "vpce-0" + r.n.hex(res.id, 16) + "-" + r.n.word(res.id, 8) + "." + service + "." + r.n.region + ".vpce." + r.n.suffix()
}

// dnsEntries lists "zone:name" with the regional name first, as EC2 does; then comes the name in the first zone.
func (r *resolver) dnsEntries(res *resource, pos Position) (*value, error) {
	service, err := r.serviceOf(res)
	if err != nil {
		return nil, err
	}
	name := r.dnsName(res, service)
	first, rest, _ := strings.Cut(name, ".")
	return listValue(pos,
		textValue(endpointZone+":"+name, pos),
		textValue(endpointZone+":"+first+"-"+r.n.region+"a."+rest, pos)), nil
}

// serviceOf is the last part of ServiceName, com.amazonaws.<region>.<service>.
func (r *resolver) serviceOf(res *resource) (string, error) {
	given := res.props.get("ServiceName")
	if given == nil {
		return "", r.errorf(res.pos, "the endpoint %s has no ServiceName", res.id)
	}
	name, err := r.text(given, "ServiceName")
	if err != nil {
		return "", err
	}
	prefix := "com.amazonaws." + r.n.region + "."
	if r.n.partition == "aws-cn" {
		name = strings.TrimPrefix(name, "cn.") // China's services are named both ways
	}
	service, ok := strings.CutPrefix(name, prefix)
	if !ok || service == "" {
		return "", r.errorf(given.pos, "the service %q is not one of AWS in this region, whose names start with %s", name, prefix)
	}
	return service, nil
}

func isTable(typ string) bool {
	return typ == "AWS::DynamoDB::Table" || typ == "AWS::DynamoDB::GlobalTable"
}
