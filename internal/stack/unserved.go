package stack

import "strings"

// unserved are types of resources that would matter to callers, and are not there locally.
var unserved = map[string]string{
	"AWS::Serverless::HttpApi":            "HTTP APIs are not served here, REST APIs are",
	"AWS::ApiGatewayV2::Api":              "HTTP and WebSocket APIs are not served here, REST APIs are",
	"AWS::Serverless::WebSocketApi":       "WebSocket APIs are not served here, REST APIs are",
	"AWS::Serverless::GraphQLApi":         "GraphQL APIs are not served here, REST APIs are",
	"AWS::ApiGateway::DomainName":         "custom domain names are not served here",
	"AWS::ApiGateway::DomainNameV2":       "custom domain names are not served here",
	"AWS::ApiGateway::GatewayResponse":    "gateway responses are not changed here: errors stay as API Gateway words them by itself",
	"AWS::WAFv2::WebACLAssociation":       "web ACLs are not evaluated here: AWS may block calls that pass",
	"AWS::WAFRegional::WebACLAssociation": "web ACLs are not evaluated here: AWS may block calls that pass",
	"AWS::CloudFormation::Stack":          "nested stacks are not read: what they hold is not here",
	"AWS::Serverless::Application":        "nested applications are not read: what they hold is not here",
	"AWS::Serverless::Connector":          "connectors are not read: the policies they make are not here",
	"AWS::CloudFormation::Macro":          "macros run in AWS only",
	"AWS::Serverless::StateMachine":       "state machines do not run here",
	"AWS::StepFunctions::StateMachine":    "state machines do not run here",
	"AWS::Lambda::Url":                    "function URLs are not served here",
	"AWS::Lambda::EventSourceMapping":     "event sources do not invoke functions here",
	"AWS::Organizations::Policy":          "service control policies are not evaluated here: AWS may refuse calls that pass",
	"AWS::ApiGateway::VpcLink":            "VPC links lead nowhere here",
}

// readUnserved names the resources that a local run leaves out, and routes that AWS would answer with an error.
func (b *builder) readUnserved() {
	for _, id := range b.t.order {
		res := b.t.resources[id]
		if message := unserved[res.typ]; message != "" && b.isCreated(res) {
			b.warn(res.pos, res.id, "Type", message)
		}
	}
	for _, res := range b.ofType("AWS::Serverless::Function") {
		if at := b.cursor(res).at("FunctionUrlConfig"); at.exists() {
			at.warn("function URLs are not served here")
		}
	}
	b.checkPermissions()
}

// checkPermissions warns of routes whose function lets API Gateway not in: AWS answers those with 500. SAM adds the
// permission with each event; a route that only the API's document holds needs an AWS::Lambda::Permission.
func (b *builder) checkPermissions() {
	permitted := map[string]bool{}
	for _, events := range b.events {
		for _, e := range events {
			permitted[e.function.id] = permitted[e.function.id] || !e.ghost
		}
	}
	for _, res := range b.ofType("AWS::Lambda::Permission") {
		c := b.cursor(res)
		if !strings.HasPrefix(c.at("Principal").text(), "apigateway.") {
			continue
		}
		name := c.at("FunctionName").text()
		for _, f := range b.stack.Functions {
			if name == f.Name || name == f.ARN || strings.HasPrefix(name, f.ARN+":") {
				permitted[f.LogicalID] = true
			}
		}
	}
	for _, api := range b.stack.APIs {
		for _, r := range api.Routes {
			if r.FunctionID != "" && r.InvokeRole == "NONE" && !permitted[r.FunctionID] {
				b.warn(r.Position, api.LogicalID, r.Method+" "+r.Path, "AWS answers 500: nothing permits API Gateway to invoke "+r.FunctionID+
					"; add an event for it, or an AWS::Lambda::Permission")
			}
		}
	}
}
