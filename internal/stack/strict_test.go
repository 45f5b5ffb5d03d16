package stack_test

import (
	"strings"
	"testing"

	"github.com/marquee-api/marquee/internal/stack"
)

// TestMisspelt holds that a slip of the pen is refused, as AWS does, instead of leaving open what it was to close.
func TestMisspelt(t *testing.T) {
	tests := map[string]struct{ resource, want string }{
		"an endpoint's policy":    {"{Type: AWS::EC2::VPCEndpoint, Properties: {ServiceName: com.amazonaws.eu-west-1.s3, PolicyDocuments: {}}}", "t.yaml:3: X: PolicyDocuments: AWS::EC2::VPCEndpoint has no such property: PolicyDocument?"},
		"a boundary":              {"{Type: AWS::IAM::Role, Properties: {" + trust + ", PermissionBoundary: x}}", "t.yaml:3: X: PermissionBoundary: AWS::IAM::Role has no such property: PermissionsBoundary?"},
		"an API's endpoint":       {"{Type: AWS::Serverless::Api, Properties: {StageName: v1, EndpointConfigurations: PRIVATE}}", "t.yaml:3: X: EndpointConfigurations: AWS::Serverless::Api has no such property: EndpointConfiguration?"},
		"an API's auth":           {"{Type: AWS::Serverless::Api, Properties: {StageName: v1, auth: {DefaultAuthorizer: AWS_IAM}}}", "t.yaml:3: X: auth: AWS::Serverless::Api has no such property: Auth?"},
		"a method's auth":         {"{Type: AWS::ApiGateway::Method, Properties: {AuthorisationType: AWS_IAM}}", "t.yaml:3: X: AuthorisationType: AWS::ApiGateway::Method has no such property: AuthorizationType?"},
		"a resource's condition":  {"{Type: AWS::SNS::Topic, Conditon: Never}", "t.yaml:3: X: Conditon: not an attribute of a resource; the attributes are Condition, Connectors, CreationPolicy, DeletionPolicy, DependsOn, IgnoreGlobals, Metadata, Properties, Type, UpdatePolicy, UpdateReplacePolicy"},
		"an event's auth":         {"{Type: AWS::Serverless::Function, Properties: {Runtime: provided, Events: {E: {Type: Api, Properties: {Path: /, Method: get, auth: {Authorizer: AWS_IAM}}}}}}", "t.yaml:3: X: Events.E.Properties.auth: there is no such property: Auth, Method, Path, RequestModel, RequestParameters, ResponseTransferMode, RestApiId, Stage, TimeoutInMillis"},
		"a plan":                  {"{Type: AWS::Serverless::Api, Properties: {StageName: v1, Auth: {UsagePlan: {CreateUsagePlan: PER_APIS}}}}", "t.yaml:3: X: Auth.UsagePlan.CreateUsagePlan: CreateUsagePlan is PER_API, SHARED or NONE"},
		"a part of a plan":        {"{Type: AWS::Serverless::Api, Properties: {StageName: v1, Auth: {UsagePlan: {CreateUsagePlan: NONE, Quotas: {}}}}}", "t.yaml:3: X: Auth.UsagePlan.Quotas: there is no such property: CreateUsagePlan, Description, Quota, Tags, Throttle, UsagePlanName"},
		"a variable of Lambda's":  {"{Type: AWS::Serverless::Function, Properties: {Runtime: provided, Environment: {Variables: {AWS_ACCESS_KEY_ID: x}}}}", "t.yaml:3: X: Environment.Variables.AWS_ACCESS_KEY_ID: Lambda sets this variable itself, and AWS refuses it here"},
		"too little memory":       {"{Type: AWS::Serverless::Function, Properties: {Runtime: provided, MemorySize: 64}}", "t.yaml:3: X: MemorySize: a function's memory is 128 to 10240 MB"},
		"a stage's name":          {"{Type: AWS::Serverless::Api, Properties: {StageName: a/b, DefinitionBody: {openapi: 3.0.1, paths: {/a: {get: {x-amazon-apigateway-integration: {type: mock}}}}}}}", `t.yaml:3: X: StageName: the stage's name is "a/b": it has 1 to 128 letters, digits, hyphens and underscores`},
		"a dead letter queue":     {"{Type: AWS::Serverless::Function, Properties: {Runtime: provided, DeadLetterQueue: {Type: Kafka, TargetArn: x}}}", "t.yaml:3: X: DeadLetterQueue: a DeadLetterQueue has a TargetArn, and a Type that is SQS or SNS"},
		"a quota":                 {"{Type: AWS::ApiGateway::UsagePlan, Properties: {Quota: {Limit: 1, Period: YEAR}}}", "t.yaml:3: X: Quota.Period: a quota's period is DAY, WEEK or MONTH"},
		"a negative throttle":     {"{Type: AWS::ApiGateway::UsagePlan, Properties: {Throttle: {RateLimit: -1}}}", "t.yaml:3: X: Throttle.RateLimit: a throttle is not negative: -1 a second, 5000 at once"},
		"Auth beside an include":  {"{Type: AWS::Serverless::Api, Properties: {StageName: v1, Auth: {DefaultAuthorizer: AWS_IAM}, DefinitionBody: {Fn::Transform: {Name: AWS::Include, Parameters: {Location: a.yaml}}}}}", "t.yaml:3: X: DefinitionBody: the template names the file a.yaml, and was not read from a folder"},
		"a scheme SAM overwrites": {"{Type: AWS::Serverless::Api, Properties: {StageName: v1, Auth: {ApiKeyRequired: true}, DefinitionBody: {openapi: 3.0.1, components: {securitySchemes: {mine: {type: apiKey, name: Authorization, in: header, x-amazon-apigateway-authtype: awsSigv4}}}, paths: {/a: {get: {security: [{mine: []}], x-amazon-apigateway-integration: {type: mock}}}}}}}", `t.yaml:3: X: DefinitionBody.paths./a.get: GET /a asks for "mine", and SAM replaces components.securitySchemes by what Auth needs, so on AWS the method would be open to everybody: move the scheme to securityDefinitions, which SAM keeps`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			check(t, "the error", refuse(t, sam+"Resources:\n  X: "+tt.resource+"\n")[0], tt.want)
		})
	}
}

// TestOverlookedAuth holds that an event's Auth which SAM does not read is refused where it would have closed a method.
func TestOverlookedAuth(t *testing.T) {
	text := func(api, auth string) string {
		return sam + "Resources:\n  A: {Type: AWS::Serverless::Api, Properties: {StageName: v1, OpenApiVersion: 3.0.1, " + api +
			"DefinitionBody: {openapi: 3.0.1, paths: {/a: {get: {" + proxy + "}}}}}}\n" +
			"  F: {Type: AWS::Serverless::Function, Properties: {Runtime: provided.al2023, Events: {E: {Type: Api, Properties: {RestApiId: !Ref A, Path: /a, Method: get, Auth: " + auth + "}}}}}\n"
	}
	const want = "t.yaml:4: F: Events.E.Properties.Auth: SAM overlooks this Auth, since the API has a definition of its own, so on AWS the method would be open: set OverrideApiAuth"
	check(t, "a signature", refuse(t, text("", "{Authorizer: AWS_IAM}"))[0], want)
	check(t, "a key", refuse(t, text("", "{ApiKeyRequired: true}"))[0], want)
	check(t, "overridden", routes(parse(t, text("", "{Authorizer: AWS_IAM, OverrideApiAuth: true}")).APIs[0]), []string{"GET /a F AWS_IAM"})
	check(t, "closed by the API", routes(parse(t, text("Auth: {DefaultAuthorizer: AWS_IAM}, ", "{Authorizer: AWS_IAM}")).APIs[0]), []string{"GET /a F AWS_IAM"})
}

// A property that nobody knows is read as nothing where it has no say, and refused where it may tighten.
func TestUnknownProperty(t *testing.T) {
	const table = "Resources:\n  X: {Type: AWS::DynamoDB::Table, Properties: {KeySchema: [{AttributeName: a, KeyType: HASH}], AttributeDefinitions: [{AttributeName: a, AttributeType: S}], BillingMode: PAY_PER_REQUEST, SomethingOfNextYear: 1}}\n"
	check(t, "the warnings", warnings(parse(t, table)), []string{
		"t.yaml:2: X: SomethingOfNextYear: not a property of AWS::DynamoDB::Table that is known here: it is not read",
	})
	const endpoint = "Resources:\n  X: {Type: AWS::EC2::VPCEndpoint, Properties: {VpcId: v, ServiceName: com.amazonaws.eu-west-1.s3, SomethingOfNextYear: 1}}\n"
	check(t, "the errors", refuse(t, endpoint), []string{
		"t.yaml:2: X: SomethingOfNextYear: not a property of AWS::EC2::VPCEndpoint that is known here: AWS refuses it, or has learnt it since, and it may tighten who may call what; leave it out",
	})
}

func TestAuthBesideAnInclude(t *testing.T) {
	text := sam + "Resources:\n  X: {Type: AWS::Serverless::Api, Properties: {StageName: v1, Auth: {DefaultAuthorizer: AWS_IAM}, DefinitionBody: {Fn::Transform: {Name: AWS::Include, Parameters: {Location: a.yaml}}}}}\n"
	_, err := stack.Load(write(t, "template.yaml", text, "a.yaml", "openapi: 3.0.1\npaths: {}\n"), options)
	contains(t, err, "SAM cannot put Auth or Cors into a document that it does not see")
}

func TestRules(t *testing.T) {
	tests := map[string]struct {
		rule string
		want string // empty: it holds, or is left to AWS
	}{
		"holds":            {`{Assertions: [{Assert: !Equals [!Ref P, a]}]}`, ""},
		"broken":           {`{Assertions: [{Assert: !Equals [!Ref P, b], AssertDescription: P is b}]}`, "t.yaml:3: Rules: R: the parameters break this rule: P is b"},
		"does not apply":   {`{RuleCondition: !Equals [!Ref P, b], Assertions: [{Assert: !Equals [a, b]}]}`, ""},
		"applies":          {`{RuleCondition: !Equals [!Ref P, a], Assertions: [{Assert: !Equals [a, b]}]}`, "t.yaml:3: Rules: R: the parameters break this rule"},
		"contains":         {`{Assertions: [{Assert: !Contains [[a, b], !Ref P]}]}`, ""},
		"contains not":     {`{Assertions: [{Assert: !Contains [[b, c], !Ref P]}]}`, "t.yaml:3: Rules: R: the parameters break this rule"},
		"each member in":   {`{Assertions: [{Assert: !EachMemberIn [[!Ref P, b], [a, b, c]]}]}`, ""},
		"not each":         {`{Assertions: [{Assert: !EachMemberIn [[!Ref P, d], [a, b, c]]}]}`, "t.yaml:3: Rules: R: the parameters break this rule"},
		"each equals":      {`{Assertions: [{Assert: !EachMemberEquals [[!Ref P, a], a]}]}`, ""},
		"and, or, not":     {`{Assertions: [{Assert: !And [!Or [!Equals [a, b], !Equals [!Ref P, a]], !Not [!Equals [!Ref P, b]]]}]}`, ""},
		"and fails":        {`{Assertions: [{Assert: !And [!Equals [a, a], !Equals [a, b]]}]}`, "t.yaml:3: Rules: R: the parameters break this rule"},
		"asks the account": {`{Assertions: [{Assert: !Contains [!ValueOfAll ["AWS::EC2::VPC::Id", Tags.a], x]}]}`, ""},
		"nonsense":         {`{Assertions: [{Assert: [a]}, {Asset: x}]}`, ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			text := "Parameters: {P: {Type: String, Default: a}}\nResources: {T: {Type: AWS::SNS::Topic}}\nRules: {R: " + tt.rule + "}\n"
			if tt.want == "" {
				parse(t, text)
				return
			}
			check(t, "the error", refuse(t, text)[0], tt.want)
		})
	}
}

// TestStateMachineEvents holds that a route which cannot be answered still stands before wider ones.
func TestStateMachineEvents(t *testing.T) {
	s := parse(t, sam+`
Globals: {Api: {OpenApiVersion: 3.0.1}}
Resources:
  M:
    Type: AWS::Serverless::StateMachine
    Properties: {Events: {E: {Type: Api, Properties: {Path: /admin, Method: post, Auth: {Authorizer: AWS_IAM}}}, S: {Type: Schedule}}}
  F:
    Type: AWS::Serverless::Function
    Properties: {Runtime: provided.al2023, Events: {E: {Type: Api, Properties: {Path: "/{proxy+}", Method: any}}}}
`)
	check(t, "the routes", routes(s.APIs[0]), []string{"POST /admin (aws) AWS_IAM CALLER_CREDENTIALS", "ANY /{proxy+} F NONE"})
	check(t, "the first function", s.APIs[0].Routes[0].FunctionID, "")
	check(t, "the warnings", warnings(s), []string{
		"t.yaml:5: M: Type: state machines do not run here",
		"t.yaml:7: M: Events.E.Properties: POST /admin is not answered here: of the integrations only aws_proxy and mock are, this is aws",
	})
}

func TestPermissions(t *testing.T) {
	body := "DefinitionBody: {openapi: 3.0.1, paths: {/a: {get: {" + proxy + "}}}}"
	text := func(more string) string {
		return sam + "Resources:\n  F: " + function + "\n  A:\n    Type: AWS::Serverless::Api\n    Properties:\n      StageName: v1\n      OpenApiVersion: 3.0.1\n      " + body + "\n" + more
	}
	const missing = "t.yaml:9: A: GET /a: AWS answers 500, and so does this: nothing permits API Gateway to invoke F from GET /a; add an event for it, or an AWS::Lambda::Permission"
	permission := func(function, more string) string {
		return "  P:\n    Type: AWS::Lambda::Permission\n    Properties:\n      FunctionName: " + function + "\n      Action: lambda:InvokeFunction\n      Principal: apigateway.amazonaws.com\n      " + more + "\n"
	}
	tests := map[string]struct {
		more string
		want []string
	}{
		"none":                   {"", []string{missing}},
		"API Gateway":            {"  P: {Type: AWS::Lambda::Permission, Properties: {FunctionName: !GetAtt F.Arn, Action: lambda:InvokeFunction, Principal: apigateway.amazonaws.com}}\n", nil},
		"somebody else":          {"  P: {Type: AWS::Lambda::Permission, Properties: {FunctionName: !Ref F, Action: lambda:InvokeFunction, Principal: sns.amazonaws.com}}\n", []string{missing}},
		"another path":           {permission("!Ref F", `SourceArn: !Sub "arn:aws:execute-api:${AWS::Region}:${AWS::AccountId}:${A}/*/GET/b"`), []string{missing}},
		"another method":         {permission("!Ref F", `SourceArn: !Sub "arn:aws:execute-api:${AWS::Region}:${AWS::AccountId}:${A}/*/POST/a"`), []string{missing}},
		"another API":            {permission("!Ref F", `SourceArn: !Sub "arn:aws:execute-api:${AWS::Region}:${AWS::AccountId}:zzzzzzzzzz/*"`), []string{missing}},
		"its own path":           {permission("!Ref F", `SourceArn: !Sub "arn:aws:execute-api:${AWS::Region}:${AWS::AccountId}:${A}/v1/GET/a"`), nil},
		"another account":        {permission("!Ref F", `SourceAccount: "210987654321"`), []string{missing}},
		"too few parts":          {permission("!Ref F", `SourceArn: !Sub "arn:aws:execute-api:*:${A}/*"`), []string{missing}},
		"any region and account": {permission("!Ref F", `SourceArn: !Sub "arn:aws:execute-api:*:*:${A}/*"`), nil},
		"a part of its ARN":      {permission("!Sub \"${AWS::AccountId}:function:${F}\"", ""), nil},
		"an organization":        {permission("!Ref F", `PrincipalOrgID: o-1`), []string{missing}},
		"an alias alone":         {permission("!Sub \"${F}:live\"", ``), []string{missing}},
		"another's event":        {"  G: {Type: AWS::Serverless::Function, Properties: {Runtime: provided.al2023, Events: {E: {Type: Api, Properties: {RestApiId: !Ref A, Path: /a, Method: get}}}}}\n", []string{missing}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			check(t, "the warnings", warnings(parse(t, text(tt.more))), tt.want)
		})
	}
	byRole := func(arn, more string) string {
		return strings.Replace(text(more), "type: aws_proxy", "credentials: "+arn+", type: aws_proxy", 1)
	}
	check(t, "invoked by a role of the template", len(parse(t, byRole("!GetAtt R.Arn", "  R: {Type: AWS::IAM::Role, Properties: {AssumeRolePolicyDocument: {Statement: {Effect: Allow, Principal: {Service: apigateway.amazonaws.com}, Action: 'sts:AssumeRole'}}}}\n")).Warnings), 0)
	check(t, "invoked by a role from elsewhere", warnings(parse(t, byRole("'arn:aws:iam::111122223333:role/r'", ""))), []string{
		"t.yaml:9: A: GET /a: AWS answers 500, and so does this: the method invokes its function as arn:aws:iam::111122223333:role/r, which is no role of this template, and what it may do is not known here",
	})
}

// TestUndefinedCondition holds that a misspelt condition is named once at each place that asks for it, whatever SAM makes
// of the resource that has it.
func TestUndefinedCondition(t *testing.T) {
	got := refuse(t, sam+`
Conditions: {Yes: !Equals [a, a], Broken: !Equals [!Ref Nobody, a]}
Resources:
  F:
    Type: AWS::Serverless::Function
    Condition: Nope
    Properties: {Runtime: provided.al2023, Environment: {Variables: {T: !Ref T}}, Events: {E: {Type: Api, Properties: {Path: /a, Method: get}}}}
  T: {Type: AWS::SNS::Topic, Condition: Nope}
  U: {Type: AWS::Serverless::SimpleTable, Condition: Nope}
  V: {Type: AWS::Serverless::SimpleTable, Condition: Broken}
Outputs:
  O: {Value: x, Condition: Nope}
  P: {Value: x, Condition: Yes}
`)
	check(t, "the errors", got, []string{
		`t.yaml:3: V: Condition: there is no parameter or resource "Nobody" in the template`,
		`t.yaml:5: F: Condition: there is no condition "Nope" in Conditions`,
		`t.yaml:9: T: Condition: there is no condition "Nope" in Conditions`,
		`t.yaml:10: U: Condition: there is no condition "Nope" in Conditions`,
		`t.yaml:13: Outputs: O.Condition: there is no condition "Nope" in Conditions`,
	})
}
