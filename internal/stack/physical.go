package stack

// physical says what Ref and GetAtt give for a type. Patterns are filled by naming.expand; {name} is the value of
// nameProperty or a made-up name.
type physical struct {
	nameProperty string
	nameLimit    int    // what a made-up name is cut to; 0 means 255
	ref          string // empty means a made-up id
	attributes   map[string]string
}

// Limits of names (IAM user guide, IAM and AWS STS quotas; Lambda API reference, FunctionName).
const (
	roleNameLimit     = 64
	functionNameLimit = 64
)

const (
	functionARN = "arn:{partition}:lambda:{region}:{account}:function:{name}"
	roleARN     = "arn:{partition}:iam::{account}:role{path}{name}"
	userARN     = "arn:{partition}:iam::{account}:user{path}{name}"
	groupARN    = "arn:{partition}:iam::{account}:group{path}{name}"
	policyARN   = "arn:{partition}:iam::{account}:policy{path}{name}"
	tableARN    = "arn:{partition}:dynamodb:{region}:{account}:table/{name}"
	queueARN    = "arn:{partition}:sqs:{region}:{account}:{name}"
	topicARN    = "arn:{partition}:sns:{region}:{account}:{name}"
	machineARN  = "arn:{partition}:states:{region}:{account}:stateMachine:{name}"
	vpceID      = "vpce-0{hex16}"
)

// physicalTypes are the types whose Ref or attributes templates with REST APIs commonly use
// (CloudFormation template reference, Return values of each type).
var physicalTypes = map[string]physical{
	"AWS::Serverless::Function":                 {"FunctionName", functionNameLimit, "{name}", map[string]string{"Arn": functionARN}},
	"AWS::Lambda::Function":                     {"FunctionName", functionNameLimit, "{name}", map[string]string{"Arn": functionARN}},
	"AWS::Serverless::Api":                      {ref: "{word10}", attributes: map[string]string{"RootResourceId": "{word10}", "RestApiId": "{word10}"}},
	"AWS::ApiGateway::RestApi":                  {ref: "{word10}", attributes: map[string]string{"RootResourceId": "{word10}", "RestApiId": "{word10}"}},
	"AWS::ApiGateway::Resource":                 {ref: "{word6}", attributes: map[string]string{"ResourceId": "{word6}"}},
	"AWS::ApiGateway::Stage":                    {nameProperty: "StageName", ref: "{name}"},
	"AWS::ApiGateway::Deployment":               {ref: "{word6}", attributes: map[string]string{"DeploymentId": "{word6}"}},
	"AWS::ApiGateway::Model":                    {nameProperty: "Name", ref: "{name}"},
	"AWS::ApiGateway::RequestValidator":         {ref: "{word6}", attributes: map[string]string{"RequestValidatorId": "{word6}"}},
	"AWS::ApiGateway::UsagePlan":                {ref: "{word6}", attributes: map[string]string{"Id": "{word6}"}},
	"AWS::ApiGateway::ApiKey":                   {ref: "{word10}", attributes: map[string]string{"APIKeyId": "{word10}"}},
	"AWS::IAM::Role":                            {"RoleName", roleNameLimit, "{name}", map[string]string{"Arn": roleARN, "RoleId": "AROA{ID17}"}},
	"AWS::IAM::User":                            {"UserName", roleNameLimit, "{name}", map[string]string{"Arn": userARN}},
	"AWS::IAM::Group":                           {"GroupName", 128, "{name}", map[string]string{"Arn": groupARN}},
	"AWS::IAM::ManagedPolicy":                   {"ManagedPolicyName", 128, policyARN, map[string]string{"PolicyArn": policyARN, "PolicyId": "ANPA{ID17}"}},
	"AWS::DynamoDB::Table":                      {"TableName", 255, "{name}", map[string]string{"Arn": tableARN, "StreamArn": tableARN + "/stream/2026-01-01T00:00:00.000"}},
	"AWS::DynamoDB::GlobalTable":                {"TableName", 255, "{name}", map[string]string{"Arn": tableARN, "StreamArn": tableARN + "/stream/2026-01-01T00:00:00.000", "TableId": "{uuid}"}},
	"AWS::EC2::VPC":                             {ref: "vpc-0{hex16}", attributes: map[string]string{"VpcId": "vpc-0{hex16}", "DefaultSecurityGroup": "sg-0{hex16}", "DefaultNetworkAcl": "acl-0{hex16}"}},
	"AWS::EC2::Subnet":                          {ref: "subnet-0{hex16}", attributes: map[string]string{"SubnetId": "subnet-0{hex16}", "AvailabilityZone": "{region}a"}},
	"AWS::EC2::SecurityGroup":                   {ref: "sg-0{hex16}", attributes: map[string]string{"GroupId": "sg-0{hex16}", "Id": "sg-0{hex16}"}},
	"AWS::EC2::RouteTable":                      {ref: "rtb-0{hex16}", attributes: map[string]string{"RouteTableId": "rtb-0{hex16}"}},
	"AWS::EC2::InternetGateway":                 {ref: "igw-0{hex16}", attributes: map[string]string{"InternetGatewayId": "igw-0{hex16}"}},
	"AWS::EC2::NatGateway":                      {ref: "nat-0{hex16}", attributes: map[string]string{"NatGatewayId": "nat-0{hex16}"}},
	"AWS::EC2::EIP":                             {ref: "192.0.2.1", attributes: map[string]string{"AllocationId": "eipalloc-0{hex16}", "PublicIp": "192.0.2.1"}},
	"AWS::EC2::VPCEndpoint":                     {ref: vpceID, attributes: map[string]string{"Id": vpceID, "CreationTimestamp": "2026-01-01T00:00:00Z"}},
	"AWS::Logs::LogGroup":                       {"LogGroupName", 512, "{name}", map[string]string{"Arn": "arn:{partition}:logs:{region}:{account}:log-group:{name}:*"}},
	"AWS::SNS::Topic":                           {"TopicName", 256, topicARN, map[string]string{"TopicArn": topicARN, "TopicName": "{name}"}},
	"AWS::SQS::Queue":                           {"QueueName", 80, "https://sqs.{region}.{suffix}/{account}/{name}", map[string]string{"Arn": queueARN, "QueueName": "{name}", "QueueUrl": "https://sqs.{region}.{suffix}/{account}/{name}"}},
	"AWS::S3::Bucket":                           {"BucketName", 63, "{lower}", map[string]string{"Arn": "arn:{partition}:s3:::{lower}", "DomainName": "{lower}.s3.{suffix}", "RegionalDomainName": "{lower}.s3.{region}.{suffix}"}},
	"AWS::KMS::Key":                             {ref: "{uuid}", attributes: map[string]string{"Arn": "arn:{partition}:kms:{region}:{account}:key/{uuid}", "KeyId": "{uuid}"}},
	"AWS::KMS::Alias":                           {nameProperty: "AliasName", ref: "{name}"},
	"AWS::SecretsManager::Secret":               {"Name", 512, "arn:{partition}:secretsmanager:{region}:{account}:secret:{name}-{word6}", map[string]string{"Id": "arn:{partition}:secretsmanager:{region}:{account}:secret:{name}-{word6}"}},
	"AWS::SSM::Parameter":                       {"Name", 0, "{name}", nil},
	"AWS::Events::Rule":                         {"Name", 64, "{name}", map[string]string{"Arn": "arn:{partition}:events:{region}:{account}:rule/{name}"}},
	"AWS::Events::EventBus":                     {"Name", 256, "{name}", map[string]string{"Arn": "arn:{partition}:events:{region}:{account}:event-bus/{name}", "Name": "{name}"}},
	"AWS::Kinesis::Stream":                      {"Name", 128, "{name}", map[string]string{"Arn": "arn:{partition}:kinesis:{region}:{account}:stream/{name}"}},
	"AWS::Cognito::UserPool":                    {ref: "{region}_{word6}", attributes: map[string]string{"Arn": "arn:{partition}:cognito-idp:{region}:{account}:userpool/{region}_{word6}", "UserPoolId": "{region}_{word6}", "ProviderName": "cognito-idp.{region}.{suffix}/{region}_{word6}"}},
	"AWS::Serverless::HttpApi":                  {ref: "{word10}", attributes: map[string]string{"ApiEndpoint": "https://{word10}.execute-api.{region}.{suffix}"}},
	"AWS::StepFunctions::StateMachine":          {"StateMachineName", 80, machineARN, map[string]string{"Arn": machineARN, "Name": "{name}"}},
	"AWS::Serverless::StateMachine":             {"Name", 80, machineARN, map[string]string{"Arn": machineARN, "Name": "{name}"}},
	"AWS::Serverless::LayerVersion":             {"LayerName", 140, "arn:{partition}:lambda:{region}:{account}:layer:{name}:1", nil},
	"AWS::Lambda::LayerVersion":                 {"LayerName", 140, "arn:{partition}:lambda:{region}:{account}:layer:{name}:1", nil},
	"AWS::CloudWatch::Alarm":                    {"AlarmName", 255, "{name}", map[string]string{"Arn": "arn:{partition}:cloudwatch:{region}:{account}:alarm:{name}"}},
	"AWS::ElasticLoadBalancingV2::LoadBalancer": {nameProperty: "Name", nameLimit: 32, ref: "arn:{partition}:elasticloadbalancing:{region}:{account}:loadbalancer/app/{name}/{hex16}", attributes: map[string]string{"DNSName": "{lower}-{hex8}.{region}.elb.{suffix}"}},
}
