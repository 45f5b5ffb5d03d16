package deploycheck

import (
	"errors"
	"fmt"
)

func networkRules(v variant) []rule {
	endpointStatement := func(t object) object {
		return objectAt(listAt(properties(t, "ApiEndpoint"), "PolicyDocument", "Statement")[0])
	}
	ingress := func(t object) []any { return listAt(properties(t, "ApiSecurityGroup"), "SecurityGroupIngress") }
	return []rule{
		{"the endpoint leads to our API, for our accounts", endpointNarrow(v), map[string]func(object){
			"no policy":         func(t object) { delete(properties(t, "ApiEndpoint"), "PolicyDocument") },
			"every API":         func(t object) { endpointStatement(t)["Resource"] = "*" },
			"every action":      func(t object) { endpointStatement(t)["Action"] = "*" },
			"every account":     func(t object) { delete(endpointStatement(t), "Condition") },
			"another service":   func(t object) { properties(t, "ApiEndpoint")["ServiceName"] = sub("com.amazonaws.${AWS::Region}.s3") },
			"a second endpoint": func(t object) { objectAt(t, "Resources")["Other"] = object{"Type": "AWS::EC2::VPCEndpoint"} },
		}},
		{"the way to the endpoint is HTTPS from the callers", endpointClosed(v), map[string]func(object){
			"every address": func(t object) {
				ingress(t)[0] = object{"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "CidrIp": "0.0.0.0/0"}
			},
			"every port": func(t object) { objectAt(ingress(t)[0])["IpProtocol"] = "-1" },
			"a further rule": func(t object) {
				properties(t, "ApiSecurityGroup")["SecurityGroupIngress"] = append(ingress(t), object{"IpProtocol": "-1"})
			},
			"a rule elsewhere":             func(t object) { objectAt(t, "Resources")["Other"] = object{"Type": "AWS::EC2::SecurityGroupIngress"} },
			"another group":                func(t object) { properties(t, "ApiEndpoint")["SecurityGroupIds"] = list(ref("CallerSecurityGroup")) },
			"a way out elsewhere":          func(t object) { objectAt(t, "Resources")["Other"] = object{"Type": "AWS::EC2::SecurityGroupEgress"} },
			"callers that may go anywhere": func(t object) { delete(properties(t, "CallerSecurityGroup"), "SecurityGroupEgress") },
		}},
		{"private DNS is a choice", privateDNS(v), map[string]func(object){
			"the other choice": func(t object) { properties(t, "ApiEndpoint")["PrivateDnsEnabled"] = v.everything },
		}},
	}
}

func vpcRules(v variant) []rule {
	if v.everything {
		return []rule{{"an existing VPC stays as it is", nothingOfAVPC, map[string]func(object){
			"a VPC": func(t object) { objectAt(t, "Resources")["Other"] = object{"Type": "AWS::EC2::VPC"} },
			"a gateway endpoint for everything in it": func(t object) {
				objectAt(t, "Resources")["Other"] = object{"Type": "AWS::EC2::VPCEndpoint"}
			},
		}}}
	}
	return []rule{
		{"a new VPC has no way to the internet", noWayOut, map[string]func(object){
			"an internet gateway": func(t object) { objectAt(t, "Resources")["Other"] = object{"Type": "AWS::EC2::InternetGateway"} },
			"a route":             func(t object) { objectAt(t, "Resources")["Other"] = object{"Type": "AWS::EC2::Route"} },
			"public addresses":    func(t object) { properties(t, "PrivateSubnetA")["MapPublicIpOnLaunch"] = true },
			"one zone twice": func(t object) {
				properties(t, "PrivateSubnetB")["AvailabilityZone"] = properties(t, "PrivateSubnetA")["AvailabilityZone"]
			},
		}},
		{"the way to DynamoDB leads to our table", tableEndpointNarrow, map[string]func(object){
			"every table": func(t object) {
				objectAt(listAt(properties(t, "DynamoDBEndpoint"), "PolicyDocument", "Statement")[0])["Resource"] = "*"
			},
			"an existing VPC": func(t object) { delete(objectAt(t, "Resources", "DynamoDBEndpoint"), "Condition") },
			"a scan": func(t object) {
				s := objectAt(listAt(properties(t, "DynamoDBEndpoint"), "PolicyDocument", "Statement")[0])
				s["Action"] = append(listAt(s, "Action"), "dynamodb:Scan")
			},
		}},
	}
}

func endpointNarrow(v variant) func(object) error {
	const apis = "arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:"
	endpoints, resources, accounts := list("ApiEndpoint", "DynamoDBEndpoint"), list(sub(apis+"*")), any(list(ref("AWS::AccountId")))
	if v.everything {
		endpoints, resources = list("ApiEndpoint"), list(sub(apis+"${EndpointPolicyApiId}/*"), sub(apis+"/domainnames/${DomainName}+*"))
		accounts = object{"Fn::Split": list[any](",", sub("${AWS::AccountId},${PartnerAccountIds}"))}
	}
	return func(t object) error {
		endpoint := properties(t, "ApiEndpoint")
		rules := statements(endpoint["PolicyDocument"])
		if len(rules) != 1 {
			return fmt.Errorf("got %d statements in the endpoint's policy, want 1", len(rules))
		}
		return errors.Join(
			want("endpoints", ofType(t, "AWS::EC2::VPCEndpoint"), endpoints),
			want("type", endpoint["VpcEndpointType"], "Interface"),
			want("service", endpoint["ServiceName"], sub("com.amazonaws.${AWS::Region}.execute-api")),
			want("effect", rules[0]["Effect"], "Allow"),
			want("actions", rules[0]["Action"], "execute-api:Invoke"),
			want("APIs", rules[0]["Resource"], resources),
			want("accounts", rules[0]["Condition"], object{"StringEqualsIfExists": object{"aws:PrincipalAccount": accounts}}),
		)
	}
}

func endpointClosed(v variant) func(object) error {
	https := func(key string, peer any) object {
		return object{"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, key: peer}
	}
	in, out, outside := list(https("SourceSecurityGroupId", ref("CallerSecurityGroup"))), https("CidrIp", ref("VpcCidr")), object(nil)
	if v.everything { // the addresses of an existing VPC are not known, so the way leads to the endpoint's group
		in = append(in, https("SourceSecurityGroupId", ref("FurtherCallerGroupId")), https("CidrIp", ref("CallerCidr")))
		out = object{"IpProtocol": "-1", "CidrIp": "127.0.0.1/32"}
		outside = https("DestinationSecurityGroupId", ref("ApiSecurityGroup"))
		outside["GroupId"] = ref("CallerSecurityGroup")
	}
	return func(t object) error {
		rules := func(id, direction string) []any {
			all := listAt(properties(t, id), direction)
			for _, rule := range all {
				delete(objectAt(rule), "Description")
			}
			return all
		}
		way := properties(t, "CallersToEndpoint")
		delete(way, "Description")
		return errors.Join(
			want("rules outside of the groups", ofType(t, "AWS::EC2::SecurityGroupIngress"), []string(nil)),
			want("number of ways out outside of the groups", len(ofType(t, "AWS::EC2::SecurityGroupEgress")), min(len(outside), 1)),
			want("the way out outside of the groups", way, outside),
			want("the endpoint's groups", at(properties(t, "ApiEndpoint"), "SecurityGroupIds"), list(ref("ApiSecurityGroup"))),
			want("the way in", rules("ApiSecurityGroup", "SecurityGroupIngress"), in),
			want("the callers' way out", rules("CallerSecurityGroup", "SecurityGroupEgress"), list(out)),
		)
	}
}

func privateDNS(v variant) func(object) error {
	return func(t object) error {
		return want("private DNS", properties(t, "ApiEndpoint")["PrivateDnsEnabled"], !v.everything)
	}
}

func nothingOfAVPC(t object) error {
	var failures []error
	for _, typ := range []string{"VPC", "Subnet", "RouteTable", "SubnetRouteTableAssociation"} {
		failures = append(failures, want("resources of the type "+typ, ofType(t, "AWS::EC2::"+typ), []string(nil)))
	}
	return errors.Join(append(failures, want("endpoints", ofType(t, "AWS::EC2::VPCEndpoint"), list("ApiEndpoint")))...)
}

func noWayOut(t object) error {
	var failures []error
	for _, typ := range []string{"InternetGateway", "NatGateway", "Route", "EgressOnlyInternetGateway", "VPCGatewayAttachment", "EIP"} {
		failures = append(failures, want("resources of the type "+typ, ofType(t, "AWS::EC2::"+typ), []string(nil)))
	}
	for _, id := range []string{"PrivateSubnetA", "PrivateSubnetB"} {
		failures = append(failures, want("public addresses in "+id, properties(t, id)["MapPublicIpOnLaunch"], false))
	}
	zone := func(n int) object { return object{"Fn::Select": list[any](n, object{"Fn::GetAZs": ""})} }
	return errors.Join(append(failures,
		want("the first zone", properties(t, "PrivateSubnetA")["AvailabilityZone"], zone(0)),
		want("the second zone", properties(t, "PrivateSubnetB")["AvailabilityZone"], zone(1)),
	)...)
}

func tableEndpointNarrow(t object) error {
	rules := statements(properties(t, "DynamoDBEndpoint")["PolicyDocument"])
	if len(rules) != 1 {
		return fmt.Errorf("got %d statements in the endpoint's policy, want 1", len(rules))
	}
	return errors.Join(
		// Its policy would shut everything else that shares the route tables of an existing VPC out of DynamoDB.
		want("only with a new VPC", at(t, "Resources", "DynamoDBEndpoint", "Condition"), "NewVpc"),
		want("type", properties(t, "DynamoDBEndpoint")["VpcEndpointType"], "Gateway"),
		want("tables", rules[0]["Resource"], list(getAtt("MoviesTable", "Arn"), sub("${MoviesTable.Arn}/index/*"))),
		want("actions", rules[0]["Action"], list("dynamodb:GetItem", "dynamodb:Query", "dynamodb:PutItem", "dynamodb:DeleteItem")),
	)
}
