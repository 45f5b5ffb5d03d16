package stack

import "strings"

// unserved are types of resources that would matter to callers, and are not there locally.
var unserved = map[string]string{
	"AWS::Serverless::HttpApi":         "HTTP APIs are not served here, REST APIs are",
	"AWS::ApiGatewayV2::Api":           "HTTP and WebSocket APIs are not served here, REST APIs are",
	"AWS::Serverless::WebSocketApi":    "WebSocket APIs are not served here, REST APIs are",
	"AWS::Serverless::GraphQLApi":      "GraphQL APIs are not served here, REST APIs are",
	"AWS::ApiGateway::DomainName":      noDomain,
	"AWS::ApiGateway::DomainNameV2":    noDomain,
	"AWS::CloudFormation::Stack":       "nested stacks are not read: what they hold is not here",
	"AWS::Serverless::Application":     "nested applications are not read: what they hold is not here",
	"AWS::Serverless::Connector":       "connectors are not read: the policies they make are not here",
	"AWS::CloudFormation::Macro":       "macros run in AWS only",
	"AWS::Serverless::StateMachine":    "state machines do not run here",
	"AWS::StepFunctions::StateMachine": "state machines do not run here",
	"AWS::Lambda::Url":                 noURL,
	"AWS::Lambda::EventSourceMapping":  "event sources do not invoke functions here",
	"AWS::ApiGateway::VpcLink":         "VPC links lead nowhere here",
	"AWS::Serverless::WebFunction":     "web functions are not run here",
	"AWS::Lambda::WebFunction":         "web functions are not run here",
	"AWS::Lambda::EventInvokeConfig":   noInvokeRules,

	"AWS::ApiGateway::BasePathMapping":             noDomain,
	"AWS::ApiGateway::BasePathMappingV2":           noDomain,
	"AWS::ApiGateway::DomainNameAccessAssociation": noDomain,
	"AWS::ApiGatewayV2::ApiMapping":                noDomain,
	"AWS::ApiGatewayV2::DomainName":                noDomain,
	"AWS::ApiGatewayV2::RoutingRule":               noDomain,
}

// The types that block calls on AWS and are not evaluated here: checkWalls refuses those that are of the API.
const (
	wallOfAPI        = "AWS::WAFv2::WebACLAssociation"
	oldWallOfAPI     = "AWS::WAFRegional::WebACLAssociation"
	policyOfFunction = "AWS::Lambda::ResourcePolicy"
	policyOfTheWhole = "AWS::Organizations::Policy"
)

// idleTypes are the types of the same services that need no word, by the reason: their names after AWS::.
var idleTypes = map[string]string{
	belonging: "ApiGateway::Authorizer ApiGatewayV2::ApiGatewayManagedOverrides ApiGatewayV2::Authorizer ApiGatewayV2::Deployment " +
		"ApiGatewayV2::Integration ApiGatewayV2::IntegrationResponse ApiGatewayV2::Model ApiGatewayV2::Route ApiGatewayV2::RouteResponse " +
		"ApiGatewayV2::Stage ApiGatewayV2::VpcLink Lambda::Alias Lambda::CapacityProvider Lambda::LayerVersion Lambda::LayerVersionPermission " +
		"Lambda::Version Lambda::WebFunctionEndpoint Lambda::WebFunctionRevision Serverless::CapacityProvider Serverless::LayerVersion " +
		"WAF::ByteMatchSet WAF::IPSet WAF::Rule WAF::SizeConstraintSet WAF::SqlInjectionMatchSet WAF::WebACL WAF::XssMatchSet " +
		"WAFRegional::ByteMatchSet WAFRegional::GeoMatchSet WAFRegional::IPSet WAFRegional::RateBasedRule WAFRegional::RegexPatternSet " +
		"WAFRegional::Rule WAFRegional::SizeConstraintSet WAFRegional::SqlInjectionMatchSet WAFRegional::WebACL WAFRegional::XssMatchSet " +
		"WAFv2::IPSet WAFv2::RegexPatternSet WAFv2::RuleGroup WAFv2::WebACL",
	deploying: "Lambda::CodeSigningConfig",
	elsewhere: "ApiGateway::ClientCertificate ApiGatewayV2::PortalProduct IAM::AccessKey IAM::InstanceProfile IAM::OIDCProvider " +
		"IAM::SAMLProvider IAM::ServerCertificate IAM::ServiceLinkedRole IAM::VirtualMFADevice Lambda::MicrovmImage Lambda::NetworkConnector " +
		"Organizations::Account Organizations::Organization Organizations::OrganizationalUnit Organizations::ResourcePolicy " +
		"Serverless::MicrovmImage Serverless::NetworkConnector",
	label:  "ApiGateway::DocumentationPart ApiGateway::DocumentationVersion",
	upkeep: "ApiGateway::Account DynamoDB::Backup WAFv2::LoggingConfiguration",
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
	b.checkWalls()
	b.checkPermissions()
}

// checkWalls refuses what blocks calls on AWS and is not evaluated here.
func (b *builder) checkWalls() {
	for _, res := range b.ofType(wallOfAPI, oldWallOfAPI) {
		at := b.cursor(res).at("ResourceArn")
		if arn := at.text(); !strings.Contains(arn, ":apigateway:") && strings.HasPrefix(arn, "arn:") {
			at.warn("web ACLs are not evaluated here; this one is not of a REST API")
			continue
		}
		at.fail("a web ACL guards the API, and web ACLs are not evaluated here, so calls would pass that AWS blocks: give the association a " +
			"Condition that is false for the local run, or keep it in a template of its own")
	}
	for _, res := range b.ofType(policyOfFunction) {
		b.cursor(res).fail("resource policies of functions are not evaluated here and may keep API Gateway out, so calls would pass that AWS refuses: " +
			"permit API Gateway with an AWS::Lambda::Permission, or give the policy a Condition that is false for the local run")
	}
	for _, res := range b.ofType(policyOfTheWhole) {
		at := b.cursor(res).at("Type")
		if kind := at.text(); kind == "SERVICE_CONTROL_POLICY" || kind == "RESOURCE_CONTROL_POLICY" {
			at.fail("policies of an organization are not evaluated here, so calls would pass that AWS refuses: give the policy a Condition that is " +
				"false for the local run, or keep it in a template of its own")
		}
	}
}
