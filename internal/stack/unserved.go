package stack

import "strings"

// unserved are types of resources that would matter to callers, and are not there locally.
var unserved = map[string]string{
	"AWS::Serverless::HttpApi":         "HTTP APIs are not served here, REST APIs are",
	"AWS::ApiGatewayV2::Api":           "HTTP and WebSocket APIs are not served here, REST APIs are",
	"AWS::Serverless::WebSocketApi":    "WebSocket APIs are not served here, REST APIs are",
	"AWS::Serverless::GraphQLApi":      "GraphQL APIs are not served here, REST APIs are",
	"AWS::ApiGateway::DomainName":      "custom domain names are not served here",
	"AWS::ApiGateway::DomainNameV2":    "custom domain names are not served here",
	"AWS::CloudFormation::Stack":       "nested stacks are not read: what they hold is not here",
	"AWS::Serverless::Application":     "nested applications are not read: what they hold is not here",
	"AWS::Serverless::Connector":       "connectors are not read: the policies they make are not here",
	"AWS::CloudFormation::Macro":       "macros run in AWS only",
	"AWS::Serverless::StateMachine":    "state machines do not run here",
	"AWS::StepFunctions::StateMachine": "state machines do not run here",
	"AWS::Lambda::Url":                 "function URLs are not served here",
	"AWS::Lambda::EventSourceMapping":  "event sources do not invoke functions here",
	"AWS::ApiGateway::VpcLink":         "VPC links lead nowhere here",
	"AWS::Serverless::WebFunction":     "web functions are not run here",
	"AWS::Lambda::WebFunction":         "web functions are not run here",
}

// readUnserved names the resources that a local run leaves out, and routes that AWS would answer with an error.
func (b *builder) readUnserved() {
	for _, id := range b.t.order {
		res := b.t.resources[id]
		message := unserved[res.typ]
		if strings.HasSuffix(res.typ, moduleSuffix) {
			message = "modules are put in by CloudFormation: what this one holds is not here"
		}
		if message != "" && b.isCreated(res) {
			b.warn(res.pos, res.id, "Type", message)
		}
	}
	for _, res := range b.ofType("AWS::Serverless::Function") {
		if at := b.cursor(res).at("FunctionUrlConfig"); at.exists() {
			at.warn("function URLs are not served here")
		}
	}
	b.checkWalls()
	b.checkPermissions()
}

// checkWalls refuses what blocks calls on AWS and is not evaluated here.
func (b *builder) checkWalls() {
	for _, res := range b.ofType("AWS::WAFv2::WebACLAssociation", "AWS::WAFRegional::WebACLAssociation") {
		at := b.cursor(res).at("ResourceArn")
		if arn := at.text(); !strings.Contains(arn, ":apigateway:") && strings.HasPrefix(arn, "arn:") {
			at.warn("web ACLs are not evaluated here; this one is not of a REST API")
			continue
		}
		at.fail("a web ACL guards the API, and web ACLs are not evaluated here, so calls would pass that AWS blocks: give the association a " +
			"Condition that is false for the local run, or keep it in a template of its own")
	}
	for _, res := range b.ofType("AWS::Lambda::ResourcePolicy") {
		b.cursor(res).fail("resource policies of functions are not evaluated here and may keep API Gateway out, so calls would pass that AWS refuses: " +
			"permit API Gateway with an AWS::Lambda::Permission, or give the policy a Condition that is false for the local run")
	}
	for _, res := range b.ofType("AWS::Organizations::Policy") {
		at := b.cursor(res).at("Type")
		if kind := at.text(); kind == "SERVICE_CONTROL_POLICY" || kind == "RESOURCE_CONTROL_POLICY" {
			at.fail("policies of an organization are not evaluated here, so calls would pass that AWS refuses: give the policy a Condition that is " +
				"false for the local run, or keep it in a template of its own")
		}
	}
}
