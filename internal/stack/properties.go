package stack

// properties are those of one type, by what becomes of them here.
type properties struct {
	// read are honoured, or refused where they cannot be.
	read string
	// idle change nothing that a caller or a function would see here, by the reason.
	idle map[string]string
	// missing are not honoured: each that is set has a warning, which says what is not there. Some are read, too.
	missing map[string]string
}

// Why a property has no effect here, and needs no warning.
const (
	label     = "it describes or marks the resource, or what AWS bills for it"
	deploying = "it says how AWS changes what is deployed"
	upkeep    = "it is for those who run the stack on AWS: logs, traces, keys of storage, backups"
	capacity  = "it says how fast or how much AWS serves, and bounds nothing that is bounded here"
	network   = "there is no network here"
	transport = "doors are plain HTTP on loopback"
	elsewhere = "it concerns parts of AWS that are not here"
	belonging = "it belongs to another property or resource, which is honoured, refused or named"
)

// What is missing, in the words of the warnings.
const (
	notCached     = "answers are not cached here"
	notCompressed = "answers are not compressed here"
	noCanary      = "canaries are not served here: every call meets the stage itself"
	noDomain      = "custom domain names are not served here"
	noURL         = "function URLs are not served here"
	noLayers      = "layers are not put under /opt here: the function runs without what they hold"
	noFileSystem  = "file systems are not mounted here: the function runs without them"
	noDeadLetters = "events that the function fails on are not sent on here"
	noInvokeRules = "what is invoked asynchronously is neither tried again nor sent on here"
	noScratch     = "/tmp is this machine's, and not bounded here"
	noTenants     = "tenants share processes here"
	notDurable    = "functions are not durable here: each invocation starts over"
	noInstances   = "functions run in processes of this machine, one invocation in each: capacity providers are not here"
	noVectors     = "vector indexes are not made here"
)

// propertiesOf lists and classifies the properties of the types that are read here (CloudFormation template reference, SAM
// developer guide). A property that nobody knows is refused by AWS; read without a word, a misspelt PolicyDocument or
// PermissionsBoundary would open what it was meant to close.
var propertiesOf = map[string]properties{
	"AWS::Serverless::Function": {
		read: "Architectures AssumeRolePolicyDocument AutoPublishAlias CodeUri Environment Events FunctionName Handler ImageUri InlineCode " +
			"MemorySize PackageType PermissionsBoundary Policies ReservedConcurrentExecutions Role RolePath Runtime Timeout Tracing VpcConfig",
		idle: map[string]string{
			label: "Description PropagateTags Tags VersionDescription",
			deploying: "AutoPublishAliasAllProperties AutoPublishCodeSha256 CodeSigningConfigArn DeploymentPreference PublishToLatestPublished " +
				"RuntimeManagementConfig VersionDeletionPolicy",
			upkeep:    "KmsKeyArn LoggingConfig SourceKMSKeyArn",
			capacity:  "FunctionScalingConfig ProvisionedConcurrencyConfig SnapStart",
			elsewhere: "RecursiveLoop",
			belonging: "ImageConfig",
		},
		missing: map[string]string{
			"CapacityProviderConfig": noInstances, "DeadLetterQueue": noDeadLetters, "DurableConfig": notDurable, "EphemeralStorage": noScratch,
			"EventInvokeConfig": noInvokeRules, "FileSystemConfigs": noFileSystem, "FunctionUrlConfig": noURL, "Layers": noLayers,
			"TenancyConfig": noTenants,
		},
	},
	"AWS::Lambda::Function": {
		read: "Architectures Code Environment FunctionName Handler MemorySize PackageType ReservedConcurrentExecutions Role Runtime Timeout VpcConfig",
		idle: map[string]string{
			label:     "Description Tags",
			deploying: "CodeSigningConfigArn PublishToLatestPublished RuntimeManagementConfig",
			upkeep:    "KmsKeyArn LoggingConfig TracingConfig",
			capacity:  "FunctionScalingConfig SnapStart",
			elsewhere: "RecursiveLoop",
			belonging: "ImageConfig",
		},
		missing: map[string]string{
			"CapacityProviderConfig": noInstances, "DeadLetterConfig": noDeadLetters, "DurableConfig": notDurable, "EphemeralStorage": noScratch,
			"FileSystemConfigs": noFileSystem, "Layers": noLayers, "TenancyConfig": noTenants,
		},
	},
	"AWS::Lambda::Permission": {
		read: "Action FunctionName FunctionUrlAuthType InvokedViaFunctionUrl Principal PrincipalOrgID SourceAccount SourceArn",
		idle: map[string]string{elsewhere: "EventSourceToken"},
	},
	"AWS::Serverless::Api": {
		read: "ApiKeySourceType Auth BinaryMediaTypes Cors DefinitionBody DefinitionUri DisableExecuteApiEndpoint EndpointAccessMode " +
			"EndpointConfiguration GatewayResponses MergeDefinitions MethodSettings Models Name OpenApiVersion Policy StageName Variables",
		idle: map[string]string{
			label:     "Description PropagateTags Tags",
			deploying: "AlwaysDeploy FailOnWarnings Mode",
			upkeep:    "AccessLogSetting TracingEnabled",
			transport: "SecurityPolicy",
			belonging: "CacheClusterSize",
		},
		missing: map[string]string{
			"CacheClusterEnabled": notCached, "CanarySetting": noCanary, "Domain": noDomain, "MinimumCompressionSize": notCompressed,
		},
	},
	"AWS::ApiGateway::RestApi": {
		read: "ApiKeySourceType BinaryMediaTypes Body BodyS3Location CloneFrom DisableExecuteApiEndpoint EndpointAccessMode " +
			"EndpointConfiguration Name Parameters Policy",
		idle:    map[string]string{label: "Description Tags Version", deploying: "FailOnWarnings Mode", transport: "SecurityPolicy"},
		missing: map[string]string{"MinimumCompressionSize": notCompressed},
	},
	"AWS::ApiGateway::Method": {
		read: "ApiKeyRequired AuthorizationType HttpMethod Integration RequestModels RequestParameters RequestValidatorId ResourceId RestApiId",
		idle: map[string]string{label: "MethodResponses OperationName", belonging: "AuthorizationScopes AuthorizerId"},
	},
	"AWS::ApiGateway::GatewayResponse":  {read: "ResponseParameters ResponseTemplates ResponseType RestApiId StatusCode"},
	"AWS::ApiGateway::Model":            {read: "Name RestApiId Schema", idle: map[string]string{label: "ContentType Description"}},
	"AWS::ApiGateway::RequestValidator": {read: "RestApiId ValidateRequestBody ValidateRequestParameters", idle: map[string]string{label: "Name"}},
	"AWS::ApiGateway::Resource":         {read: "ParentId PathPart RestApiId"},
	"AWS::ApiGateway::Stage": {
		read: "MethodSettings RestApiId StageName Variables",
		idle: map[string]string{
			label: "Description DocumentationVersion Tags", deploying: "DeploymentId", upkeep: "AccessLogSetting TracingEnabled",
			elsewhere: "ClientCertificateId", belonging: "CacheClusterSize",
		},
		missing: map[string]string{"CacheClusterEnabled": notCached, "CanarySetting": noCanary},
	},
	"AWS::ApiGateway::Deployment": {
		read:    "RestApiId StageDescription StageName",
		idle:    map[string]string{label: "Description"},
		missing: map[string]string{"DeploymentCanarySettings": noCanary},
	},
	"AWS::ApiGateway::UsagePlan": {read: "ApiStages Quota Throttle UsagePlanName", idle: map[string]string{label: "Description Tags"}},
	"AWS::ApiGateway::ApiKey": {
		read:    "Enabled Name Value",
		idle:    map[string]string{label: "CustomerId Description GenerateDistinctId Tags"},
		missing: map[string]string{"StageKeys": "a key is for the stages of its usage plans here: these stages are not opened to it"},
	},
	"AWS::ApiGateway::UsagePlanKey": {read: "KeyId UsagePlanId", idle: map[string]string{label: "KeyType"}},
	"AWS::EC2::VPCEndpoint": {
		read: "PolicyDocument PrivateDnsEnabled ServiceName VpcEndpointType VpcId",
		idle: map[string]string{label: "Tags", network: "DnsOptions IpAddressType RouteTableIds SecurityGroupIds SubnetIds"},
		missing: map[string]string{
			"ResourceConfigurationArn": "endpoints of resources lead nowhere here", "ServiceNetworkArn": "endpoints of service networks lead nowhere here",
			"ServiceRegion": "the service is taken for the one of the stack's own region",
		},
	},
	"AWS::IAM::Role": {
		read: "AssumeRolePolicyDocument ManagedPolicyArns MaxSessionDuration Path PermissionsBoundary Policies RoleName Tags",
		idle: map[string]string{label: "Description"},
	},
	"AWS::IAM::User": {
		read: "Groups ManagedPolicyArns Path PermissionsBoundary Policies Tags UserName", idle: map[string]string{elsewhere: "LoginProfile"},
	},
	"AWS::IAM::Group":  {read: "GroupName ManagedPolicyArns Path Policies"},
	"AWS::IAM::Policy": {read: "Groups PolicyDocument PolicyName Roles Users"},
	"AWS::IAM::ManagedPolicy": {
		read: "Groups ManagedPolicyName Path PolicyDocument Roles Users", idle: map[string]string{label: "Description"},
	},
	"AWS::IAM::RolePolicy":          {read: "PolicyDocument PolicyName RoleName"},
	"AWS::IAM::UserPolicy":          {read: "PolicyDocument PolicyName UserName"},
	"AWS::IAM::GroupPolicy":         {read: "GroupName PolicyDocument PolicyName"},
	"AWS::IAM::UserToGroupAddition": {read: "GroupName Users"},
	"AWS::Serverless::SimpleTable": {
		read: "PrimaryKey ProvisionedThroughput TableName", idle: map[string]string{label: "Tags", upkeep: "PointInTimeRecoverySpecification SSESpecification"},
	},
	"AWS::DynamoDB::Table": {
		read: "AttributeDefinitions BillingMode GlobalSecondaryIndexes KeySchema LocalSecondaryIndexes ProvisionedThroughput StreamSpecification " +
			"TableName TimeToLiveSpecification",
		idle: map[string]string{
			label: "TableClass Tags", capacity: "OnDemandThroughput WarmThroughput",
			upkeep: "ContributorInsightsSpecification DeletionProtectionEnabled PointInTimeRecoverySpecification SSESpecification",
		},
		missing: map[string]string{
			"ImportSourceSpecification": "nothing is imported here: the table starts with the data that it is given", "VectorIndexes": noVectors,
			"KinesisStreamSpecification": "changes are not sent to Kinesis here",
			"ResourcePolicy":             "DynamoDB Local asks for no permissions: this policy is not evaluated",
		},
	},
	"AWS::DynamoDB::GlobalTable": {
		read: "AttributeDefinitions BillingMode GlobalSecondaryIndexes KeySchema LocalSecondaryIndexes StreamSpecification TableName TimeToLiveSpecification",
		idle: map[string]string{
			label: "TableType", upkeep: "SSESpecification", elsewhere: "GlobalTableWitnesses MultiRegionConsistency",
			capacity: "ReadOnDemandThroughputSettings ReadProvisionedThroughputSettings WarmThroughput WriteOnDemandThroughputSettings " +
				"WriteProvisionedThroughputSettings",
		},
		missing: map[string]string{
			"GlobalTableSourceArn": "nothing is replicated here: the table starts with the data that it is given", "VectorIndexes": noVectors,
			"Replicas": "there is one table here, with what is set for all replicas: what is set for one is not read",
		},
	},
}
