package stack

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// documented lists the properties of each type that is read, from the CloudFormation template reference and the SAM
// developer guide. A property that AWS adds belongs here first; the tests below then ask what becomes of it.
var documented = map[string]string{
	"AWS::Serverless::Function": "Architectures AssumeRolePolicyDocument AutoPublishAlias AutoPublishAliasAllProperties AutoPublishCodeSha256 " +
		"CapacityProviderConfig CodeSigningConfigArn CodeUri DeadLetterQueue DeploymentPreference Description DurableConfig Environment " +
		"EphemeralStorage EventInvokeConfig Events FileSystemConfigs FunctionName FunctionScalingConfig FunctionUrlConfig Handler ImageConfig " +
		"ImageUri InlineCode KmsKeyArn Layers LoggingConfig MemorySize PackageType PermissionsBoundary Policies PropagateTags " +
		"ProvisionedConcurrencyConfig PublishToLatestPublished RecursiveLoop ReservedConcurrentExecutions Role RolePath Runtime " +
		"RuntimeManagementConfig SnapStart SourceKMSKeyArn Tags TenancyConfig Timeout Tracing VersionDeletionPolicy VersionDescription VpcConfig",
	"AWS::Serverless::Api": "AccessLogSetting AlwaysDeploy ApiKeySourceType Auth BinaryMediaTypes CacheClusterEnabled CacheClusterSize " +
		"CanarySetting Cors DefinitionBody DefinitionUri Description DisableExecuteApiEndpoint Domain EndpointAccessMode EndpointConfiguration " +
		"FailOnWarnings GatewayResponses MergeDefinitions MethodSettings MinimumCompressionSize Mode Models Name OpenApiVersion Policy " +
		"PropagateTags SecurityPolicy StageName Tags TracingEnabled Variables",
	"AWS::Serverless::SimpleTable": "PointInTimeRecoverySpecification PrimaryKey ProvisionedThroughput SSESpecification TableName Tags",
	"AWS::Lambda::Function": "Architectures CapacityProviderConfig Code CodeSigningConfigArn DeadLetterConfig Description DurableConfig " +
		"Environment EphemeralStorage FileSystemConfigs FunctionName FunctionScalingConfig Handler ImageConfig KmsKeyArn Layers LoggingConfig " +
		"MemorySize PackageType PublishToLatestPublished RecursiveLoop ReservedConcurrentExecutions Role Runtime RuntimeManagementConfig " +
		"SnapStart Tags TenancyConfig Timeout TracingConfig VpcConfig",
	"AWS::Lambda::Permission": "Action EventSourceToken FunctionName FunctionUrlAuthType InvokedViaFunctionUrl Principal PrincipalOrgID " +
		"SourceAccount SourceArn",
	"AWS::EC2::VPCEndpoint": "DnsOptions IpAddressType PolicyDocument PrivateDnsEnabled ResourceConfigurationArn RouteTableIds " +
		"SecurityGroupIds ServiceName ServiceNetworkArn ServiceRegion SubnetIds Tags VpcEndpointType VpcId",
	"AWS::IAM::Role":                "AssumeRolePolicyDocument Description ManagedPolicyArns MaxSessionDuration Path PermissionsBoundary Policies RoleName Tags",
	"AWS::IAM::User":                "Groups LoginProfile ManagedPolicyArns Path PermissionsBoundary Policies Tags UserName",
	"AWS::IAM::Group":               "GroupName ManagedPolicyArns Path Policies",
	"AWS::IAM::Policy":              "Groups PolicyDocument PolicyName Roles Users",
	"AWS::IAM::ManagedPolicy":       "Description Groups ManagedPolicyName Path PolicyDocument Roles Users",
	"AWS::IAM::RolePolicy":          "PolicyDocument PolicyName RoleName",
	"AWS::IAM::UserPolicy":          "PolicyDocument PolicyName UserName",
	"AWS::IAM::GroupPolicy":         "GroupName PolicyDocument PolicyName",
	"AWS::IAM::UserToGroupAddition": "GroupName Users",
	"AWS::ApiGateway::RestApi": "ApiKeySourceType BinaryMediaTypes Body BodyS3Location CloneFrom Description DisableExecuteApiEndpoint " +
		"EndpointAccessMode EndpointConfiguration FailOnWarnings MinimumCompressionSize Mode Name Parameters Policy SecurityPolicy Tags Version",
	"AWS::ApiGateway::Method": "ApiKeyRequired AuthorizationScopes AuthorizationType AuthorizerId HttpMethod Integration MethodResponses " +
		"OperationName RequestModels RequestParameters RequestValidatorId ResourceId RestApiId",
	"AWS::ApiGateway::GatewayResponse":  "ResponseParameters ResponseTemplates ResponseType RestApiId StatusCode",
	"AWS::ApiGateway::Model":            "ContentType Description Name RestApiId Schema",
	"AWS::ApiGateway::RequestValidator": "Name RestApiId ValidateRequestBody ValidateRequestParameters",
	"AWS::ApiGateway::Resource":         "ParentId PathPart RestApiId",
	"AWS::ApiGateway::Stage": "AccessLogSetting CacheClusterEnabled CacheClusterSize CanarySetting ClientCertificateId DeploymentId Description " +
		"DocumentationVersion MethodSettings RestApiId StageName Tags TracingEnabled Variables",
	"AWS::ApiGateway::Deployment":   "DeploymentCanarySettings Description RestApiId StageDescription StageName",
	"AWS::ApiGateway::UsagePlan":    "ApiStages Description Quota Tags Throttle UsagePlanName",
	"AWS::ApiGateway::ApiKey":       "CustomerId Description Enabled GenerateDistinctId Name StageKeys Tags Value",
	"AWS::ApiGateway::UsagePlanKey": "KeyId KeyType UsagePlanId",
	"AWS::DynamoDB::Table": "AttributeDefinitions BillingMode ContributorInsightsSpecification DeletionProtectionEnabled GlobalSecondaryIndexes " +
		"ImportSourceSpecification KeySchema KinesisStreamSpecification LocalSecondaryIndexes OnDemandThroughput PointInTimeRecoverySpecification " +
		"ProvisionedThroughput ResourcePolicy SSESpecification StreamSpecification TableClass TableName Tags TimeToLiveSpecification VectorIndexes " +
		"WarmThroughput",
	"AWS::DynamoDB::GlobalTable": "AttributeDefinitions BillingMode GlobalSecondaryIndexes GlobalTableSourceArn GlobalTableWitnesses KeySchema " +
		"LocalSecondaryIndexes MultiRegionConsistency ReadOnDemandThroughputSettings ReadProvisionedThroughputSettings Replicas SSESpecification " +
		"StreamSpecification TableName TableType TimeToLiveSpecification VectorIndexes WarmThroughput WriteOnDemandThroughputSettings " +
		"WriteProvisionedThroughputSettings",
}

const (
	aDocument = "{openapi: 3.0.1, paths: {/a: {get: {x-amazon-apigateway-integration: {type: mock, responses: {default: {statusCode: 200}}}}}}}"
	aPolicy   = "{Statement: [{Effect: Allow, Action: 's3:*', Resource: '*'}]}"
	aKey      = "[{AttributeName: a, KeyType: HASH}]"
	aTable    = "KeySchema=" + aKey + "; AttributeDefinitions=[{AttributeName: a, AttributeType: S}]; BillingMode=PAY_PER_REQUEST"
	theAPI    = "RestApiId=!Ref A"
)

// around are a type's properties that make it right, as Name=value, in a template that has what they refer to.
var around = map[string]string{
	"AWS::Serverless::Function":         "Runtime=provided.al2023; CodeUri=.",
	"AWS::Lambda::Function":             "Runtime=provided.al2023; Code=./bin; Role=arn:aws:iam::111122223333:role/r",
	"AWS::Lambda::Permission":           "Principal=apigateway.amazonaws.com; Action=lambda:InvokeFunction; FunctionName=f",
	"AWS::Serverless::Api":              "StageName=v1; OpenApiVersion=3.0.1; DefinitionBody=" + aDocument,
	"AWS::ApiGateway::RestApi":          "Body=" + aDocument,
	"AWS::ApiGateway::Method":           theAPI + "; ResourceId=!GetAtt A.RootResourceId; HttpMethod=PUT; AuthorizationType=NONE; Integration={Type: MOCK}; RequestValidatorId=!Ref V",
	"AWS::ApiGateway::GatewayResponse":  theAPI + "; ResponseType=DEFAULT_4XX",
	"AWS::ApiGateway::Model":            theAPI + "; Schema={type: object}",
	"AWS::ApiGateway::RequestValidator": theAPI,
	"AWS::ApiGateway::Resource":         theAPI + "; ParentId=!GetAtt A.RootResourceId; PathPart=b",
	"AWS::ApiGateway::Stage":            theAPI + "; StageName=v2",
	"AWS::ApiGateway::Deployment":       theAPI + "; StageName=v3",
	"AWS::ApiGateway::UsagePlanKey":     "UsagePlanId=!Ref P; KeyId=k; KeyType=API_KEY",
	"AWS::EC2::VPCEndpoint":             "ServiceName=com.amazonaws.eu-west-1.s3; VpcId=v",
	"AWS::IAM::Role":                    "AssumeRolePolicyDocument=" + aPolicy,
	"AWS::IAM::Policy":                  "PolicyName=p; PolicyDocument=" + aPolicy,
	"AWS::IAM::ManagedPolicy":           "PolicyDocument=" + aPolicy,
	"AWS::IAM::RolePolicy":              "PolicyName=p; RoleName=r; PolicyDocument=" + aPolicy,
	"AWS::IAM::UserPolicy":              "PolicyName=p; UserName=u; PolicyDocument=" + aPolicy,
	"AWS::IAM::GroupPolicy":             "PolicyName=p; GroupName=!Ref G; PolicyDocument=" + aPolicy,
	"AWS::IAM::UserToGroupAddition":     "GroupName=!Ref G; Users=[u]",
	"AWS::DynamoDB::Table":              aTable,
	"AWS::DynamoDB::GlobalTable":        aTable,
}

// probe is a template with one resource X of a type, on whose line 15 a property has a value.
func probe(typ, property, value string) string {
	var b strings.Builder
	b.WriteString(`Transform: AWS::Serverless-2016-10-31
Resources:
  A: {Type: AWS::ApiGateway::RestApi, Properties: {Name: a, Body: ` + aDocument + `}}
  S: {Type: AWS::ApiGateway::Stage, Properties: {RestApiId: !Ref A, StageName: v1}}
  V: {Type: AWS::ApiGateway::RequestValidator, Properties: {RestApiId: !Ref A, ValidateRequestBody: true, ValidateRequestParameters: true}}
  P: {Type: AWS::ApiGateway::UsagePlan}
  G: {Type: AWS::IAM::Group}
  T:
    Type: AWS::ApiGateway::Stage
    Properties: {RestApiId: !Ref ` + map[bool]string{true: "X", false: "A"}[typ == "AWS::ApiGateway::RestApi"] + `, StageName: v4}
  F: {Type: AWS::Serverless::Function, Properties: {Runtime: provided.al2023, Environment: {Variables: {V: ` + map[bool]string{true: "!GetAtt X.Arn", false: "v"}[typ == "AWS::IAM::Group"] + `}}}}
  X:
    Type: ` + typ + `
    Properties:
      ` + property + ": " + value + "\n")
	for pair := range strings.SplitSeq(around[typ], "; ") {
		if name, own, ok := strings.Cut(pair, "="); ok && name != property {
			fmt.Fprintf(&b, "      %s: %s\n", name, own)
		}
	}
	return b.String()
}

func parseProbe(text string) (*Stack, error) {
	return Parse("t.yaml", []byte(text), Options{Name: "s", Region: "eu-west-1", AccountID: "111122223333"})
}

// TestEveryPropertyIsClassified holds that each documented property has one class, and no other has any.
func TestEveryPropertyIsClassified(t *testing.T) {
	for _, typ := range sortedKeys(propertiesOf) {
		class := propertiesOf[typ]
		got := class.names()
		slices.Sort(got)
		want := strings.Fields(documented[typ])
		if diff := cmp.Diff(want, got); diff != "" || len(want) == 0 {
			t.Errorf("%s: the documented properties and the classified ones differ (-documented +classified):\n%s", typ, diff)
		}
		for name := range class.missing {
			if slices.Contains(strings.Fields(class.read), name) {
				t.Errorf("%s.%s is read and missing", typ, name)
			}
		}
	}
	if len(documented) != len(propertiesOf) {
		t.Errorf("%d types are documented, %d classified", len(documented), len(propertiesOf))
	}
}

// TestClasses holds that each class is true: what is read is asked for its value, which fails where the value cannot be
// found; what is idle is not; what is missing has its own warning and no other property has.
func TestClasses(t *testing.T) {
	const nowhere = "!Ref Nowhere"
	missing := func(err error) bool { return err != nil && strings.Contains(err.Error(), `"Nowhere"`) }
	for typ, class := range propertiesOf {
		for _, name := range strings.Fields(class.read) {
			if _, err := parseProbe(probe(typ, name, nowhere)); !missing(err) {
				t.Errorf("%s.%s is said to be read, and its value is not asked for: %v", typ, name, err)
			}
		}
		for reason, names := range class.idle {
			for _, name := range strings.Fields(names) {
				s, err := parseProbe(probe(typ, name, nowhere))
				if err != nil {
					t.Errorf("%s.%s is said to be idle (%s), and is read: %v", typ, name, reason, err)
					continue
				}
				if got := warningsAbout(s, name); len(got) != 0 {
					t.Errorf("%s.%s is said to be idle, and has %v", typ, name, got)
				}
			}
		}
		for name, message := range class.missing {
			s, err := parseProbe(probe(typ, name, missingValue(name)))
			if err != nil {
				t.Errorf("%s.%s: %v", typ, name, err)
				continue
			}
			want := []string{"t.yaml:15: X: " + name + ": " + message}
			if diff := cmp.Diff(want, warningsAbout(s, name)); diff != "" {
				t.Errorf("%s.%s (-want +got):\n%s", typ, name, diff)
			}
			for _, nothing := range []string{"!Ref AWS::NoValue", "null"} {
				if s, err := parseProbe(probe(typ, name, nothing)); err != nil || len(warningsAbout(s, name)) != 0 {
					t.Errorf("%s.%s: %s has %v, %v", typ, name, nothing, warningsAbout(s, name), err)
				}
			}
		}
	}
}

// missingValue is a value that asks for something, of the right kind where it is read, too.
func missingValue(name string) string {
	switch name {
	case "MinimumCompressionSize":
		return "1024"
	case "CacheClusterEnabled":
		return "true"
	case "DeadLetterQueue":
		return "{Type: SQS, TargetArn: 'arn:aws:sqs:eu-west-1:111122223333:q'}"
	}
	return "{A: b}"
}

func warningsAbout(s *Stack, property string) []string {
	var out []string
	if s == nil {
		return nil
	}
	for _, w := range s.Warnings {
		if w.Property == property {
			out = append(out, w.String())
		}
	}
	return out
}

// TestEveryTypeIsClassified holds that each type of the services that say who may call what is read, named, refused, or
// idle for a reason: one of them.
func TestEveryTypeIsClassified(t *testing.T) {
	idle := map[string]bool{}
	for _, names := range idleTypes {
		for _, name := range strings.Fields(names) {
			if idle[name] {
				t.Errorf("%s is idle for two reasons", name)
			}
			idle[name] = true
		}
	}
	seen := 0
	for service, names := range typesOf {
		if slices.Contains(lenientServices, service) && service != "DynamoDB" {
			continue
		}
		for _, name := range strings.Fields(names) {
			typ, classes := "AWS::"+service+"::"+name, 0
			_, read := propertiesOf[typ]
			wall := slices.Contains([]string{wallOfAPI, oldWallOfAPI, policyOfFunction, policyOfTheWhole}, typ)
			for _, is := range []bool{read, unserved[typ] != "", wall, idle[service+"::"+name]} {
				if is {
					classes++
				}
			}
			if seen++; classes != 1 {
				t.Errorf("%s has %d classes, want one", typ, classes)
			}
			delete(idle, service+"::"+name)
		}
	}
	if len(idle) > 0 || seen < 100 {
		t.Errorf("%d types were seen, and these are idle and of no service: %v", seen, idle)
	}
}
