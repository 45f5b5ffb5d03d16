package stack

import (
	"slices"
	"strings"
)

// propertiesOf lists the properties of the types that are read here (CloudFormation template reference, SAM developer
// guide). A property that nobody knows is refused by AWS; read without a word, a misspelt PolicyDocument or
// PermissionsBoundary would open what it was meant to close.
var propertiesOf = map[string]string{
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
		"EndpointAccessMode EndpointConfiguration FailOnWarnings MinimumCompressionSize Mode Name Parameters Policy SecurityPolicy Tags",
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
	"AWS::Lambda::Permission": "Action EventSourceToken FunctionName FunctionUrlAuthType InvokedViaFunctionUrl Principal PrincipalOrgID " +
		"SourceAccount SourceArn",
	"AWS::DynamoDB::Table": "AttributeDefinitions BillingMode ContributorInsightsSpecification DeletionProtectionEnabled GlobalSecondaryIndexes " +
		"ImportSourceSpecification KeySchema KinesisStreamSpecification LocalSecondaryIndexes OnDemandThroughput PointInTimeRecoverySpecification " +
		"ProvisionedThroughput ResourcePolicy SSESpecification StreamSpecification TableClass TableName Tags TimeToLiveSpecification WarmThroughput",
}

// resourceAttributes are what may stand beside Properties (CloudFormation user guide, Resource attribute reference; SAM adds
// IgnoreGlobals and Connectors).
var resourceAttributes = []string{
	"Condition", "Connectors", "CreationPolicy", "DeletionPolicy", "DependsOn", "IgnoreGlobals", "Metadata", "Properties", "Type",
	"UpdatePolicy", "UpdateReplacePolicy",
}

// lenient are the types whose properties say nothing of who may call what.
var lenient = []string{
	"AWS::DynamoDB::Table", "AWS::Lambda::Function", "AWS::Serverless::Function", "AWS::Serverless::SimpleTable",
}

// checkProperties refuses properties that are one slip away from one that is read. Others that are not known AWS may have
// learnt since: where they may tighten who may call what, they are refused, too.
func (b *builder) checkProperties(r *resource) {
	list, ok := propertiesOf[r.typ]
	if !ok {
		return
	}
	known := strings.Fields(list)
	for _, f := range fieldsOf(r.props) {
		if slices.Contains(known, f.key) || strings.HasPrefix(f.key, "Fn::") {
			continue
		}
		if meant := nearest(f.key, known); meant != "" {
			b.fail(f.pos, r.id, f.key, "%s has no such property: %s?", r.typ, meant)
			continue
		}
		if slices.Contains(lenient, r.typ) {
			b.warn(f.pos, r.id, f.key, "not a property of "+r.typ+" that is known here: it is not read")
			continue
		}
		b.fail(f.pos, r.id, f.key, "not a property of %s that is known here: AWS refuses it, or has learnt it since, and it may tighten who may call what; leave it out", r.typ)
	}
}

// checkAttributes refuses what AWS refuses beside Properties: a misspelt Condition would make the resource always.
func (b *builder) checkAttributes(id string, v *value) {
	for _, f := range v.fields {
		switch {
		case !slices.Contains(resourceAttributes, f.key):
			b.fail(f.pos, id, f.key, "not an attribute of a resource; the attributes are %s", strings.Join(resourceAttributes, ", "))
		case f.key == "Connectors":
			b.warn(f.pos, id, f.key, "connectors are not read: the policies they make are not here")
		}
	}
}

// nearest finds the name that differs from word in case only, else in the fewest letters and in at most two; empty if there
// is none.
func nearest(word string, names []string) string {
	best, least := "", 3
	for _, name := range names {
		if strings.EqualFold(word, name) {
			return name
		}
		if d := distance(word, name); d < least {
			best, least = name, d
		}
	}
	return best
}

// distance is Levenshtein's: the least number of letters to add, drop or replace.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
