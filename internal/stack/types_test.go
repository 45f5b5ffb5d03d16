package stack_test

import (
	"strings"
	"testing"

	"github.com/marquee-api/marquee/internal/stack"
)

// TestMisspeltTypes holds that a type which CloudFormation would refuse is refused, and what was meant is named.
func TestMisspeltTypes(t *testing.T) {
	const noType = "AWS has no type "
	tests := map[string]string{
		"AWS::Serverless::Fucntion":          noType + "AWS::Serverless::Fucntion: AWS::Serverless::Function?",
		"AWS::Serverless::API":               noType + "AWS::Serverless::API: AWS::Serverless::Api?",
		"AWS::IAM::Rolle":                    noType + "AWS::IAM::Rolle: AWS::IAM::Role?",
		"AWS::IAM::Polcy":                    noType + "AWS::IAM::Polcy: AWS::IAM::Policy?",
		"AWS::WAFv2::WebAclAssociation":      noType + "AWS::WAFv2::WebAclAssociation: AWS::WAFv2::WebACLAssociation?",
		"AWS::WAFV2::WebACLAssociation":      noType + "AWS::WAFV2::WebACLAssociation: AWS::WAFv2::WebACLAssociation?",
		"AWS::DynamoDB::Tabel":               noType + "AWS::DynamoDB::Tabel: AWS::DynamoDB::Table?",
		"AWS::Dynamodb::Table":               noType + "AWS::Dynamodb::Table: AWS::DynamoDB::Table?",
		"AWS::ApiGatway::RestApi":            noType + "AWS::ApiGatway::RestApi: AWS::ApiGateway::RestApi?",
		"AWS::APIGateway::restapi":           noType + "AWS::APIGateway::restapi: AWS::ApiGateway::RestApi?",
		"AWS::ApiGateway::UsagePlanKeys":     noType + "AWS::ApiGateway::UsagePlanKeys: AWS::ApiGateway::UsagePlanKey?",
		"AWS::Iam::SomethingOfNextYear":      noType + "AWS::Iam::SomethingOfNextYear: AWS::IAM::SomethingOfNextYear?",
		"AWS::EC2::VpcEndpoint":              noType + "AWS::EC2::VpcEndpoint: AWS::EC2::VPCEndpoint?",
		"AWS::EC2::SecurityGroups":           noType + "AWS::EC2::SecurityGroups: AWS::EC2::SecurityGroup?",
		"AWS::Lambda::Permision":             noType + "AWS::Lambda::Permision: AWS::Lambda::Permission?",
		"AWS::Logs::Loggroup":                noType + "AWS::Logs::Loggroup: AWS::Logs::LogGroup?",
		"aws::IAM::Role":                     noType + "aws::IAM::Role: AWS::IAM::Role?",
		"Aws::S3::Bucket":                    noType + "Aws::S3::Bucket: its types start with AWS::",
		"AWS::IAM::SomethingOfNextYear":      "AWS::IAM::SomethingOfNextYear is not a type that is known here: AWS refuses it, or has learnt it since, and it may say who may call what; leave it out. AWS::IAM has AccessKey, Group, GroupPolicy, InstanceProfile, ManagedPolicy, OIDCProvider, Policy, Role, RolePolicy, SAMLProvider, ServerCertificate, ServiceLinkedRole, User, UserPolicy, UserToGroupAddition, VirtualMFADevice",
		"AWS:IAM::Role":                      `"AWS:IAM::Role" is not a type of a resource: AWS::Service::Name, Custom::Name, or one that is registered`,
		"AWS::Role":                          `"AWS::Role" is not a type of a resource: AWS::Service::Name, Custom::Name, or one that is registered`,
		"AWS::IAM::Role::Policy":             `"AWS::IAM::Role::Policy" is not a type of a resource: AWS::Service::Name, Custom::Name, or one that is registered`,
		"Custom":                             `"Custom" is not a type of a resource: AWS::Service::Name, Custom::Name, or one that is registered`,
		"Custom::" + strings.Repeat("x", 61): `"Custom::` + strings.Repeat("x", 61) + `" is not a type of a resource: AWS::Service::Name, Custom::Name, or one that is registered`,
	}
	for typ, want := range tests {
		t.Run(typ, func(t *testing.T) {
			check(t, "the error", refuse(t, sam+"Resources:\n  X:\n    Type: "+typ+"\n"), []string{"t.yaml:4: X: Type: " + want})
		})
	}
}

// TestRealTypes holds that a type which exists is let be, of services whose names or types are like those that are read.
func TestRealTypes(t *testing.T) {
	for _, typ := range []string{
		"AWS::ECS::Service", "AWS::ECR::Repository", "AWS::EKS::Cluster", "AWS::EFS::FileSystem", "AWS::DAX::Cluster", "AWS::IVS::Channel",
		"AWS::WAF::WebACL", "AWS::WAFRegional::WebACL", "AWS::WAFv2::WebACL", "AWS::ApiGatewayV2::Stage", "AWS::Lambda::Version", "AWS::EC2::VPC",
		"AWS::EC2::VPCCidrBlock", "AWS::EC2::SecurityGroupIngress", "AWS::S3::Bucket", "AWS::Batch::JobQueue", "AWS::IoT::Policy", "AWS::SCN::Instance", "AWS::Logs::MetricFilter", "AWS::CDK::Metadata",
		"Custom::Thing", "Custom::Thing_2@home-made", "Alexa::ASK::Skill", "AWSQS::EKS::Cluster", "Datadog::Monitors::Monitor", "AWS::Some::Thing",
	} {
		t.Run(typ, func(t *testing.T) {
			check(t, "the warnings", warnings(parse(t, "Resources:\n  X: {Type: "+typ+"}\n")), []string(nil))
		})
	}
	check(t, "what AWS may have learnt", warnings(parse(t, "Resources:\n  X: {Type: AWS::EC2::SomethingOfNextYear}\n")), []string{
		"t.yaml:2: X: Type: not a type of AWS::EC2 that is known here: it is not read",
	})
	check(t, "a module", warnings(parse(t, "Resources:\n  X: {Type: My::Own::Api::MODULE}\n")), []string{
		"t.yaml:2: X: Type: modules are put in by CloudFormation: what this one holds is not here",
	})
}

// TestFunctionPolicy holds that what may keep API Gateway out of a function, and is not evaluated, is refused for a local
// run and let be in a review.
func TestFunctionPolicy(t *testing.T) {
	const text = sam + "Resources:\n  F: " + function + "\n  P: {Type: AWS::Lambda::ResourcePolicy, Properties: {ResourceArn: !GetAtt F.Arn, PolicyDocument: '{}'}}\n"
	check(t, "the errors", refuse(t, text), []string{
		"t.yaml:4: P: resource policies of functions are not evaluated here and may keep API Gateway out, so calls would pass that AWS refuses: " +
			"permit API Gateway with an AWS::Lambda::Permission, or give the policy a Condition that is false for the local run",
	})
	if in := inspect(t, text, stack.Options{}); in.Stack == nil || len(in.Errors) != 0 {
		t.Errorf("got the stack %v and errors %v, want the stack", in.Stack, in.Errors)
	}
}
