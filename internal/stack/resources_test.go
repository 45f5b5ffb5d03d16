package stack_test

import (
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/marquee-api/marquee/internal/stack"
)

func TestFunction(t *testing.T) {
	path := write(t, "template.yaml", sam+`
Resources:
  F:
    Type: AWS::Serverless::Function
    Metadata: {BuildMethod: makefile, BuildProperties: {TrimGoPath: true}}
    Properties:
      FunctionName: !Sub "${AWS::StackName}-f"
      Handler: bootstrap
      Runtime: provided.al2023
      CodeUri: cmd/f/
      Architectures: [arm64]
      Timeout: "15"
      MemorySize: 1024
      ReservedConcurrentExecutions: 0
      AutoPublishAlias: live
      VpcConfig: {SubnetIds: [subnet-1], SecurityGroupIds: [sg-1]}
      Environment: {Variables: {A: 1, B: true, C: text, D: !Ref F.Alias, E: !Ref F.Version}}
  Bare: {Type: AWS::Serverless::Function, Properties: {Runtime: provided.al2}}
  Absolute: {Type: AWS::Serverless::Function, Properties: {Runtime: provided.al2, CodeUri: /opt/code, Role: "arn:aws:iam::111122223333:role/r"}}
`)
	s, err := stack.Load(path, options)
	if err != nil {
		t.Fatal(err)
	}
	dir, none, arn := filepath.Dir(path), 0, "arn:aws:lambda:eu-west-1:111122223333:function:s-f"
	want := []*stack.Function{{
		LogicalID: "F", Name: "s-f", ARN: arn, RoleID: "FRole", RoleARN: "arn:aws:iam::111122223333:role/s-FRole",
		CodeURI: filepath.Join(dir, "cmd/f"), Handler: "bootstrap", Runtime: "provided.al2023", BuildMethod: "makefile",
		BuildProperties: map[string]string{"TrimGoPath": "true"}, Architectures: []string{"arm64"}, Timeout: 15 * time.Second,
		MemoryMB: 1024, ReservedConcurrency: &none, InVPC: true, Alias: "live",
		Environment: map[string]string{"A": "1", "B": "true", "C": "text", "D": arn + ":live", "E": arn + ":1"},
	}, {
		LogicalID: "Bare", Name: "s-Bare", ARN: "arn:aws:lambda:eu-west-1:111122223333:function:s-Bare", RoleID: "BareRole",
		RoleARN: "arn:aws:iam::111122223333:role/s-BareRole", CodeURI: dir, Runtime: "provided.al2",
		Architectures: []string{"x86_64"}, Timeout: 3 * time.Second, MemoryMB: 128, Environment: map[string]string{},
	}, {
		LogicalID: "Absolute", Name: "s-Absolute", ARN: "arn:aws:lambda:eu-west-1:111122223333:function:s-Absolute",
		RoleARN: "arn:aws:iam::111122223333:role/r", CodeURI: "/opt/code", Runtime: "provided.al2",
		Architectures: []string{"x86_64"}, Timeout: 3 * time.Second, MemoryMB: 128, Environment: map[string]string{},
	}}
	if diff := cmp.Diff(want, s.Functions, cmpopts.IgnoreTypes(stack.Position{})); diff != "" {
		t.Errorf("got (+), want (-):\n%s", diff)
	}
}

func TestFunctionWarnings(t *testing.T) {
	s := parse(t, sam+`
Resources:
  Node: {Type: AWS::Serverless::Function, Properties: {Runtime: nodejs22.x, Handler: index.handler}}
  Old: {Type: AWS::Serverless::Function, Properties: {Runtime: go1.x}}
  Inline: {Type: AWS::Serverless::Function, Properties: {Runtime: python3.13, InlineCode: x}}
  Image: {Type: AWS::Serverless::Function, Properties: {PackageType: Image}}
  Stored: {Type: AWS::Serverless::Function, Properties: {Runtime: provided.al2023, CodeUri: s3://b/k}}
  Bucket: {Type: AWS::Serverless::Function, Properties: {Runtime: provided.al2023, CodeUri: {Bucket: b, Key: k}}}
  Elsewhere: {Type: AWS::Serverless::Function, Properties: {Runtime: provided.al2023, Role: "arn:aws:iam::1:role/r", Policies: [AWSLambdaRole]}}
  Secret: {Type: AWS::Serverless::Function, Properties: {Runtime: provided.al2023, Environment: {Variables: {S: "{{resolve:ssm:/x}}"}}}}
  Events:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: provided.al2023
      FunctionUrlConfig: {AuthType: NONE}
      Events:
        Queue: {Type: SQS, Properties: {Queue: q}}
        Http: {Type: HttpApi}
  Http: {Type: AWS::Serverless::HttpApi}
  Wall: {Type: AWS::WAFv2::WebACLAssociation, Properties: {ResourceArn: !Sub "arn:aws:elasticloadbalancing:eu-west-1:111122223333:loadbalancer/app/x/0"}}
  Nested: {Type: AWS::CloudFormation::Stack}
`)
	check(t, "the warnings", warnings(s), []string{
		"t.yaml:4: Node: Runtime: the function is not run here: only Go is, and the runtime is nodejs22.x",
		"t.yaml:5: Old: Runtime: AWS makes no new functions with go1.x: use provided.al2023",
		"t.yaml:6: Inline: InlineCode: the function is not run here: its code is not a Go program on this machine",
		"t.yaml:7: Image: PackageType: the function is not run here: container images are not",
		"t.yaml:8: Stored: CodeUri: the function is not run here: its code is not on this machine",
		"t.yaml:9: Bucket: CodeUri: the function is not run here: its code is not on this machine",
		"t.yaml:10: Elsewhere: Policies: SAM ignores Policies, since Role is set: attach them to the role",
		"t.yaml:10: Elsewhere: Role: the role is not of this template: what it may do is not known here, so it may do nothing",
		"t.yaml:11: Secret: Environment.Variables.S: the dynamic reference is handed on as it is: only AWS can look it up",
		"t.yaml:16: Events: FunctionUrlConfig: function URLs are not served here",
		"t.yaml:18: Events: Events.Queue: events of type SQS do not happen here: invoke the function by hand",
		"t.yaml:19: Events: Events.Http: HTTP APIs are not served here, REST APIs are",
		"t.yaml:20: Http: Type: HTTP APIs are not served here, REST APIs are",
		"t.yaml:21: Wall: ResourceArn: web ACLs are not evaluated here; this one is not of a REST API",
		"t.yaml:22: Nested: Type: nested stacks are not read: what they hold is not here",
	})
	for _, f := range s.Functions[2:6] {
		check(t, f.LogicalID, f.CodeURI, "")
	}
}

func TestFunctionErrors(t *testing.T) {
	tests := map[string]struct{ properties, want string }{
		"no runtime":     {"Handler: x", "t.yaml:3: F: Runtime: the function has no Runtime: Go functions use provided.al2023"},
		"too long":       {"Runtime: provided, Timeout: 901", "t.yaml:3: F: Timeout: a function's timeout is 1 to 900 seconds"},
		"a map of texts": {"Runtime: provided, Environment: {Variables: {A: {B: c}}}", "t.yaml:3: F: Environment.Variables.A: this is text, not a map"},
		"no variables":   {"Runtime: provided, Environment: {Variables: [a]}", "t.yaml:3: F: Environment.Variables: this is a map, not a list"},
		"no list":        {"Runtime: provided, Architectures: arm64", "t.yaml:3: F: Architectures: this is a list, not text"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			check(t, "the error", refuse(t, sam+"Resources:\n  F: {Type: AWS::Serverless::Function, Properties: {"+tt.properties+"}}")[0], tt.want)
		})
	}
	got := refuse(t, "Resources:\n  F: {Type: AWS::Lambda::Function, Properties: {Runtime: provided.al2023}}")
	check(t, "a native function without a role", got[0], "t.yaml:2: F: Role: the function has no Role")
}

func TestEndpoints(t *testing.T) {
	s := parse(t, `
Resources:
  Api:
    Type: AWS::EC2::VPCEndpoint
    Properties:
      VpcId: !Ref Vpc
      VpcEndpointType: Interface
      ServiceName: !Sub com.amazonaws.${AWS::Region}.execute-api
      PrivateDnsEnabled: true
      PolicyDocument: {Version: 2012-10-17, Statement: [{Effect: Allow, Principal: "*", Action: "*", Resource: "*", Condition: {Bool: {"aws:SecureTransport": true}}}]}
  Table:
    Type: AWS::EC2::VPCEndpoint
    Properties: {VpcId: vpc-1, ServiceName: com.amazonaws.eu-west-1.dynamodb, PolicyDocument: '{"Statement":[{"Effect":"Allow"}]}'}
  Plain: {Type: AWS::EC2::VPCEndpoint, Properties: {VpcId: vpc-1, ServiceName: com.amazonaws.eu-west-1.s3}}
  Vpc: {Type: AWS::EC2::VPC}
Outputs:
  Entry: {Value: !Select [0, !GetAtt Api.DnsEntries]}
  Id: {Value: !Ref Api}
  Vpc: {Value: !Ref Vpc}
`)
	api, table, plain := s.Endpoints[0], s.Endpoints[1], s.Endpoints[2]
	check(t, "types", []string{api.Service, api.Type, table.Service, table.Type, plain.Service}, []string{"execute-api", "Interface", "dynamodb", "Gateway", "s3"})
	check(t, "the flags", []bool{api.PrivateDNS, table.PrivateDNS}, []bool{true, false})
	check(t, "the policies", []string{string(api.Policy), string(table.Policy), string(plain.Policy)}, []string{
		`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*","Condition":{"Bool":{"aws:SecureTransport":true}}}]}`,
		`{"Statement":[{"Effect":"Allow"}]}`, "",
	})
	if plain.Policy != nil {
		t.Error("got a policy where the template has none")
	}
	for what, m := range map[string]struct{ got, form string }{
		"the id":    {api.ID, `^vpce-0[0-9a-f]{16}$`},
		"the VPC":   {api.VPCID, `^vpc-0[0-9a-f]{16}$`},
		"the name":  {api.DNSName, `^` + api.ID + `-[a-z0-9]{8}\.execute-api\.eu-west-1\.vpce\.amazonaws\.com$`},
		"no name":   {table.DNSName, `^$`},
		"the entry": {s.Outputs["Entry"], `^Z[A-Z0-9]+:` + regexp.QuoteMeta(api.DNSName) + `$`},
	} {
		if !regexp.MustCompile(m.form).MatchString(m.got) {
			t.Errorf("%s: got %q, want %s", what, m.got, m.form)
		}
	}
	check(t, "references", []string{s.Outputs["Id"], s.Outputs["Vpc"]}, []string{api.ID, api.VPCID})
}

func TestEndpointErrors(t *testing.T) {
	tests := map[string]struct{ properties, want string }{
		"a mistyped service": {"VpcEndpointType: Interface, ServiceName: com.amazonaws.eu-west-1.execute-apis", `t.yaml:2: E: ServiceName: there is no service "execute-apis": the one of private APIs is execute-api`},
		"another region":     {"VpcEndpointType: Interface, ServiceName: com.amazonaws.us-east-1.execute-api", `t.yaml:2: E: ServiceName: the service "com.amazonaws.us-east-1.execute-api" is not one of AWS in this region, whose names start with com.amazonaws.eu-west-1.`},
		"no service":         {"VpcId: v", `t.yaml:2: E: ServiceName: the endpoint E has no ServiceName`},
		"a gateway":          {"ServiceName: com.amazonaws.eu-west-1.execute-api", `t.yaml:2: E: VpcEndpointType: an endpoint for execute-api is an interface endpoint: set VpcEndpointType to Interface (the default is Gateway)`},
		"a mistyped type":    {"VpcEndpointType: interface, ServiceName: com.amazonaws.eu-west-1.s3", `t.yaml:2: E: VpcEndpointType: "interface" is not a type of endpoint: Interface or Gateway`},
		"a broken policy":    {"VpcEndpointType: Interface, ServiceName: com.amazonaws.eu-west-1.s3, PolicyDocument: '{'", `t.yaml:2: E: PolicyDocument: this text is not the JSON of a policy document`},
		"DNS of a gateway":   {"ServiceName: com.amazonaws.eu-west-1.s3, PrivateDnsEnabled: true", `t.yaml:2: E: PrivateDnsEnabled: only interface endpoints have private DNS`},
		"DNS by word":        {"ServiceName: com.amazonaws.eu-west-1.s3, PrivateDnsEnabled: maybe", `t.yaml:2: E: PrivateDnsEnabled: "maybe" is not true or false`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			check(t, "the error", refuse(t, "Resources:\n  E: {Type: AWS::EC2::VPCEndpoint, Properties: {"+tt.properties+"}}")[0], tt.want)
		})
	}
}

func TestTables(t *testing.T) {
	s := parse(t, sam+`
Resources:
  T:
    Type: AWS::DynamoDB::Table
    Properties:
      TableName: movies
      AttributeDefinitions: [{AttributeName: year, AttributeType: N}, {AttributeName: title, AttributeType: S}, {AttributeName: rank, AttributeType: N}]
      KeySchema: [{AttributeName: year, KeyType: HASH}, {AttributeName: title, KeyType: RANGE}]
      ProvisionedThroughput: {ReadCapacityUnits: 5, WriteCapacityUnits: 6}
      StreamSpecification: {StreamViewType: NEW_IMAGE}
      TimeToLiveSpecification: {AttributeName: expires, Enabled: true}
      GlobalSecondaryIndexes:
        - {IndexName: byRank, KeySchema: [{AttributeName: rank, KeyType: HASH}], Projection: {ProjectionType: INCLUDE, NonKeyAttributes: [info]}, ProvisionedThroughput: {ReadCapacityUnits: 1, WriteCapacityUnits: 2}}
      LocalSecondaryIndexes:
        - {IndexName: inYear, KeySchema: [{AttributeName: year, KeyType: HASH}, {AttributeName: rank, KeyType: RANGE}], Projection: {ProjectionType: KEYS_ONLY}}
  Simple: {Type: AWS::Serverless::SimpleTable}
  Fn: {Type: AWS::Serverless::Function, Properties: {Runtime: provided.al2023, Environment: {Variables: {S: !GetAtt T.StreamArn}}}}
`)
	keys := []stack.KeyElement{{Name: "year", Type: "HASH"}, {Name: "title", Type: "RANGE"}}
	want := []*stack.Table{{
		LogicalID: "T", Name: "movies", ARN: "arn:aws:dynamodb:eu-west-1:111122223333:table/movies", KeySchema: keys,
		Attributes:  []stack.Attribute{{Name: "year", Type: "N"}, {Name: "title", Type: "S"}, {Name: "rank", Type: "N"}},
		BillingMode: "PROVISIONED", ReadCapacity: 5, WriteCapacity: 6, StreamViewType: "NEW_IMAGE",
		StreamARN: s.Functions[0].Environment["S"], TTLAttribute: "expires",
		GlobalIndexes: []stack.Index{{
			Name: "byRank", KeySchema: []stack.KeyElement{{Name: "rank", Type: "HASH"}}, Projection: "INCLUDE",
			NonKeyAttributes: []string{"info"}, ReadCapacity: 1, WriteCapacity: 2,
		}},
		LocalIndexes: []stack.Index{{
			Name: "inYear", KeySchema: []stack.KeyElement{{Name: "year", Type: "HASH"}, {Name: "rank", Type: "RANGE"}}, Projection: "KEYS_ONLY",
		}},
	}, {
		LogicalID: "Simple", Name: "s-Simple", ARN: "arn:aws:dynamodb:eu-west-1:111122223333:table/s-Simple", BillingMode: "PAY_PER_REQUEST",
		KeySchema: []stack.KeyElement{{Name: "id", Type: "HASH"}}, Attributes: []stack.Attribute{{Name: "id", Type: "S"}},
	}}
	if diff := cmp.Diff(want, s.Tables, cmpopts.IgnoreTypes(stack.Position{})); diff != "" {
		t.Errorf("got (+), want (-):\n%s", diff)
	}
	off := parse(t, "Resources:\n  T: {Type: AWS::DynamoDB::Table, Properties: {AttributeDefinitions: [{AttributeName: a, AttributeType: S}], "+
		"KeySchema: [{AttributeName: a, KeyType: HASH}], TimeToLiveSpecification: {AttributeName: expires, Enabled: false}}}\n")
	check(t, "time to live that is off", off.Tables[0].TTLAttribute, "")
	if !strings.HasPrefix(s.Tables[0].StreamARN, s.Tables[0].ARN+"/stream/") {
		t.Errorf("got the stream %s", s.Tables[0].StreamARN)
	}
}

func TestTableErrors(t *testing.T) {
	table := func(attributes, keys string) string {
		return "Resources:\n  T: {Type: AWS::DynamoDB::Table, Properties: {AttributeDefinitions: [" + attributes + "], KeySchema: [" + keys + "]}}"
	}
	const a, key = "{AttributeName: a, AttributeType: S}", "{AttributeName: a, KeyType: HASH}"
	tests := map[string]struct{ text, want string }{
		"no key":            {table(a, ""), "t.yaml:2: T: KeySchema: a key is a HASH attribute, and may have a RANGE attribute after it"},
		"a range alone":     {table(a, "{AttributeName: a, KeyType: RANGE}"), "t.yaml:2: T: KeySchema: a key is a HASH attribute, and may have a RANGE attribute after it"},
		"not defined":       {table(a, "{AttributeName: b, KeyType: HASH}"), `t.yaml:2: T: AttributeDefinitions: the key attribute "b" is not defined`},
		"not used":          {table(a+", {AttributeName: b, AttributeType: S}", key), `t.yaml:2: T: AttributeDefinitions: the attribute "b" is in no key: DynamoDB refuses the table`},
		"an unknown type":   {table("{AttributeName: a, AttributeType: String}", key), `t.yaml:2: T: AttributeDefinitions: the type of "a" is "String": S, N or B`},
		"a simple one":      {sam + "Resources:\n  T: {Type: AWS::Serverless::SimpleTable, Properties: {PrimaryKey: {Name: a, Type: S}}}", "t.yaml:3: T: PrimaryKey: PrimaryKey has a Name, and a Type that is String, Number or Binary"},
		"a name of no text": {strings.Replace(table(a, key), "Properties: {", "Properties: {TableName: [x], ", 1), "t.yaml:2: T: TableName of T is the name, and must be text"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			check(t, "the error", refuse(t, tt.text)[0], tt.want)
		})
	}
}

func TestMadeUpNames(t *testing.T) {
	text := []byte(oneAPI("", event("E", "/a", "get", "")))
	read := func(name string) *stack.Stack {
		s, err := stack.Parse("t.yaml", text, stack.Options{Name: name})
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	one, again, other := read("one"), read("one"), read("other")
	check(t, "the same stack", again.APIs[0].ID, one.APIs[0].ID)
	if one.APIs[0].ID == other.APIs[0].ID {
		t.Errorf("got the id %s in two stacks", one.APIs[0].ID)
	}
	if !regexp.MustCompile(`^[a-z][a-z0-9]{9}$`).MatchString(one.APIs[0].ID) {
		t.Errorf("got the id %q, want ten letters and digits, a letter first", one.APIs[0].ID)
	}
	vpce := func(name string) string {
		s, err := stack.Parse("t.yaml", []byte("Resources: {E: {Type: AWS::EC2::VPCEndpoint, Properties: {VpcId: v, ServiceName: com.amazonaws.us-east-1.s3}}}"), stack.Options{Name: name})
		if err != nil {
			t.Fatal(err)
		}
		return s.Endpoints[0].ID
	}
	if vpce("one") == vpce("other") {
		t.Errorf("got the endpoint %s in two stacks", vpce("one"))
	}
	long := read(strings.Repeat("long-", 20))
	if name := long.Functions[0].Name; len(name) != 64 {
		t.Errorf("got a name of %d characters, want Lambda's 64: %s", len(name), name)
	}
}
