package deploycheck

import (
	"errors"
	"fmt"
)

func networkRules() []rule {
	endpointStatement := func(t object) object {
		return objectAt(listAt(properties(t, "ApiEndpoint"), "PolicyDocument", "Statement")[0])
	}
	ingress := func(t object) []any { return listAt(properties(t, "ApiSecurityGroup"), "SecurityGroupIngress") }
	return []rule{
		{"the endpoint leads to our API, for our accounts", endpointNarrow, map[string]func(object){
			"no policy":         func(t object) { delete(properties(t, "ApiEndpoint"), "PolicyDocument") },
			"every API":         func(t object) { endpointStatement(t)["Resource"] = "*" },
			"every action":      func(t object) { endpointStatement(t)["Action"] = "*" },
			"every account":     func(t object) { delete(endpointStatement(t), "Condition") },
			"another service":   func(t object) { properties(t, "ApiEndpoint")["ServiceName"] = sub("com.amazonaws.${AWS::Region}.s3") },
			"a second endpoint": func(t object) { objectAt(t, "Resources")["Other"] = object{"Type": "AWS::EC2::VPCEndpoint"} },
		}},
		{"the way to the endpoint is HTTPS from the callers' group", endpointClosed, map[string]func(object){
			"every address": func(t object) {
				ingress(t)[0] = object{"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "CidrIp": "0.0.0.0/0"}
			},
			"every port": func(t object) { objectAt(ingress(t)[0])["IpProtocol"] = "-1" },
			"a further rule": func(t object) {
				properties(t, "ApiSecurityGroup")["SecurityGroupIngress"] = append(ingress(t), object{"IpProtocol": "-1"})
			},
			"a rule elsewhere":             func(t object) { objectAt(t, "Resources")["Other"] = object{"Type": "AWS::EC2::SecurityGroupIngress"} },
			"another group":                func(t object) { properties(t, "ApiEndpoint")["SecurityGroupIds"] = list(ref("CallerSecurityGroup")) },
			"callers that may go anywhere": func(t object) { delete(properties(t, "CallerSecurityGroup"), "SecurityGroupEgress") },
		}},
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
		}},
	}
}

func endpointNarrow(t object) error {
	endpoint := properties(t, "ApiEndpoint")
	rules := statements(endpoint["PolicyDocument"])
	if len(rules) != 1 {
		return fmt.Errorf("got %d statements in the endpoint's policy, want 1", len(rules))
	}
	accounts := at(rules[0], "Condition", "StringEqualsIfExists", "aws:PrincipalAccount", "Fn::If")
	const apis = "arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:"
	return errors.Join(
		want("endpoints", ofType(t, "AWS::EC2::VPCEndpoint"), list("ApiEndpoint", "DynamoDBEndpoint")),
		want("type", endpoint["VpcEndpointType"], "Interface"),
		want("service", endpoint["ServiceName"], sub("com.amazonaws.${AWS::Region}.execute-api")),
		want("effect", rules[0]["Effect"], "Allow"),
		want("actions", rules[0]["Action"], "execute-api:Invoke"),
		want("APIs", rules[0]["Resource"], object{"Fn::If": list[any]("KnowsApi", sub(apis+"${EndpointPolicyApiId}/*"), sub(apis+"*"))}),
		want("accounts", accounts, list[any]("HasPartners",
			object{"Fn::Split": list[any](",", sub("${AWS::AccountId},${PartnerAccountIds}"))}, list(ref("AWS::AccountId")))),
	)
}

func endpointClosed(t object) error {
	https := func(key string, peer any) []any {
		return list(object{"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, key: peer})
	}
	rules := func(id, direction string) []any {
		all := listAt(properties(t, id), direction)
		for _, rule := range all {
			delete(objectAt(rule), "Description")
		}
		return all
	}
	vpcOnly := object{"Fn::If": list[any]("NewVpc", ref("VpcCidr"), "0.0.0.0/0")}
	return errors.Join(
		want("rules outside of the groups", ofType(t, "AWS::EC2::SecurityGroupIngress"), []string(nil)),
		want("the endpoint's groups", at(properties(t, "ApiEndpoint"), "SecurityGroupIds"), list(ref("ApiSecurityGroup"))),
		want("the way in", rules("ApiSecurityGroup", "SecurityGroupIngress"), https("SourceSecurityGroupId", ref("CallerSecurityGroup"))),
		want("the callers' way out", rules("CallerSecurityGroup", "SecurityGroupEgress"), https("CidrIp", vpcOnly)),
	)
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
		want("tables", rules[0]["Resource"], getAtt("MoviesTable", "Arn")),
		want("actions", rules[0]["Action"], list("dynamodb:GetItem", "dynamodb:Query", "dynamodb:Scan")),
	)
}
