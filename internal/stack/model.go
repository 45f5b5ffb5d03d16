package stack

import (
	"encoding/json"
	"time"
)

// Stack is what a template, once deployed, would be made of, as far as a private API on a laptop needs it.
// The physical ids and names are made up, but the same for the same stack name and logical id.
// Lists are in the order of the template.
type Stack struct {
	Name, Region, AccountID, Partition string
	// Parameters holds the value of each template parameter; those marked NoEcho hold "****".
	Parameters map[string]string
	APIs       []*API
	Functions  []*Function
	Roles      []*Role
	Users      []*User
	Endpoints  []*VPCEndpoint
	Tables     []*Table
	UsagePlans []*UsagePlan
	APIKeys    []*APIKey
	// Outputs leaves out those that need something this package does not know; each has a Warning.
	Outputs map[string]string
	// Warnings names what a local run cannot honour, in the order of the template's lines.
	Warnings []Warning
}

// API is one REST API with one stage. An API of several stages, which only AWS::ApiGateway::RestApi has, stands once
// for each.
type API struct {
	LogicalID string
	ID        string // ten characters of [a-z0-9], the first a letter
	Name      string
	Stage     string
	// EndpointType is PRIVATE, REGIONAL or EDGE.
	EndpointType string
	// VPCEndpointIDs are the associated endpoints: each gives the API an alias name, and no right.
	VPCEndpointIDs []string
	// ResourcePolicy has its intrinsics resolved and its short resources (execute-api:/…) kept as written.
	// Nil means that there is none.
	ResourcePolicy   json.RawMessage
	Routes           []*Route
	BinaryMediaTypes []string
	StageVariables   map[string]string
	// Throttle is the stage's setting for each method that has none of its own; nil means the account's.
	Throttle *Throttle
	// APIKeySource is HEADER or AUTHORIZER.
	APIKeySource string
	// MinimumCompressionSize in bytes; nil means that answers are never compressed.
	MinimumCompressionSize *int
	// GatewayResponses are what is sent in place of errors, by their type.
	GatewayResponses map[string]*GatewayResponse
	// Schemas are the JSON documents that hold the schemas of Validation.Models, by URL.
	Schemas map[string]json.RawMessage
	Position
}

// Route is one method of one resource.
type Route struct {
	Method string // "GET", …, or "ANY"
	Path   string // "/movie_list/{year}/{title}"
	// FunctionID is the logical id of the function. It is empty when the integration is not a function of this
	// template: such a route exists, so no wider route may take its requests, and it cannot be answered here.
	FunctionID string
	// Qualifier is the alias or version of the function that is invoked; empty for the function itself.
	Qualifier string
	// Integration is "aws_proxy", "mock", or another type that API Gateway knows and a laptop cannot run.
	Integration string
	// Mock is the fixed answer of a mock integration, as SAM's Cors makes it for OPTIONS; nil if there is none.
	Mock *Mock
	// Authorization is AWS_IAM or NONE.
	Authorization  string
	APIKeyRequired bool
	// InvokeRole is whose credentials invoke the function: NONE (API Gateway by the function's own policy),
	// CALLER_CREDENTIALS (the caller then needs lambda:InvokeFunction, too), or a role's ARN.
	InvokeRole string
	Throttle   *Throttle
	// TimeoutMillis is the integration's timeout; 0 means API Gateway's default.
	TimeoutMillis int
	// Validation is what API Gateway checks before it invokes anything; nil means nothing.
	Validation *Validation
	// Unpermitted says why API Gateway may not invoke the function, and answers 500; empty if it may.
	Unpermitted string
	// Unanswered says why a laptop cannot answer what AWS would, as a Warning does, too; empty if it can.
	Unanswered string
	Position
}

// GatewayResponse is the API's own form of an error. Headers are expressions, as in the template; Templates are by media
// type. Status 0 means that it stays.
type GatewayResponse struct {
	Status             int
	Headers, Templates map[string]string
}

// Validation is what a request validator asks for.
type Validation struct {
	// Parameters have to be there and not blank, in the order in which API Gateway names those that are not.
	Parameters []Parameter
	// Models are the schemas of bodies by media type, "$default" for any other: a key of API.Schemas, with a JSON
	// pointer into it after "#".
	Models map[string]string
}

// Parameter is one of a request; In is header, path or querystring.
type Parameter struct{ In, Name string }

// Mock is the answer of a mock integration. Header values are as sent, without the quotes of the mapping expression.
type Mock struct {
	Status  int
	Headers map[string]string
}

// Throttle is a token bucket: requests a second, and the bucket's size.
type Throttle struct {
	RateLimit  float64
	BurstLimit int
}

// Function is one Lambda function.
type Function struct {
	LogicalID, Name, ARN string
	// RoleID is the logical id of the role in Stack.Roles; empty if the role is not of this template.
	RoleID  string
	RoleARN string
	// CodeURI is the absolute folder or file of the code. It is empty when the code is not on this machine (S3, an
	// image, inline code), which also gives a Warning.
	CodeURI string
	Handler string
	// Runtime is as written; what is neither Go nor provided has a Warning and no binary.
	Runtime string
	// BuildMethod is Metadata.BuildMethod: makefile, go1.x or empty.
	BuildMethod string
	// BuildProperties are Metadata's other settings of the build, as SAM knows them, in text form.
	BuildProperties map[string]string
	Architectures   []string
	Timeout         time.Duration
	MemoryMB        int
	// ReservedConcurrency nil means none is reserved; 0 means that the function may not run at all.
	ReservedConcurrency *int
	Environment         map[string]string
	InVPC               bool
	// Alias is AutoPublishAlias, or empty.
	Alias string
	Position
}

// Role is an IAM role with every policy that the template attaches to it.
// SAM's implicit role of a function has the logical id "<Function>Role".
type Role struct {
	LogicalID, Name, ARN, ID string
	// Policies holds the inline policies, those attached from elsewhere in the template, and the documents of
	// managed policies that are known.
	Policies          []Policy
	ManagedPolicyARNs []string
	Trust             json.RawMessage
	// BoundaryARN and Boundary are the permissions boundary; the document is nil when there is none.
	BoundaryARN string
	Boundary    json.RawMessage
	// MaxSession is MaxSessionDuration, by default one hour.
	MaxSession time.Duration
	Tags       map[string]string
	Position
}

// User is an IAM user with every policy that the template attaches to it, those of its groups included.
type User struct {
	LogicalID, Name, ARN string
	Policies             []Policy
	ManagedPolicyARNs    []string
	BoundaryARN          string
	Boundary             json.RawMessage
	Tags                 map[string]string
	Position
}

// Policy is one policy document with its intrinsics resolved.
type Policy struct {
	Name     string
	Document json.RawMessage
	Position
}

// VPCEndpoint is one endpoint of a VPC.
type VPCEndpoint struct {
	LogicalID, ID, VPCID string
	// Service is the last part of the service's name: execute-api, dynamodb, …
	Service string
	// Type is Interface, Gateway, or another that EC2 knows.
	Type       string
	PrivateDNS bool
	// Policy nil means the default, which allows everything.
	Policy json.RawMessage
	// DNSName is the regional name of an interface endpoint, "vpce-…-….execute-api.<region>.vpce.amazonaws.com".
	DNSName string
	Position
}

// Table is one DynamoDB table.
type Table struct {
	LogicalID, Name, ARN string
	KeySchema            []KeyElement
	Attributes           []Attribute
	GlobalIndexes        []Index
	LocalIndexes         []Index
	TTLAttribute         string
	// BillingMode is PROVISIONED or PAY_PER_REQUEST.
	BillingMode                 string
	ReadCapacity, WriteCapacity int64
	// StreamViewType and StreamARN are empty when the table has no stream.
	StreamViewType, StreamARN string
	Position
}

// KeyElement is one part of a key; Type is HASH or RANGE.
type KeyElement struct{ Name, Type string }

// Attribute is one typed attribute; Type is S, N or B.
type Attribute struct{ Name, Type string }

// Index is a secondary index. Projection is ALL, KEYS_ONLY or INCLUDE.
type Index struct {
	Name                        string
	KeySchema                   []KeyElement
	Projection                  string
	NonKeyAttributes            []string
	ReadCapacity, WriteCapacity int64
}

// UsagePlan bounds the calls that come with its keys.
type UsagePlan struct {
	LogicalID, ID, Name string
	Stages              []UsagePlanStage
	Throttle            *Throttle
	Quota               *Quota
	// KeyIDs are the ids of the keys in Stack.APIKeys that belong to the plan.
	KeyIDs []string
	Position
}

// UsagePlanStage is one stage that a plan opens.
type UsagePlanStage struct {
	APIID, Stage string
	// Throttle is by method, "/movie_list/GET".
	Throttle map[string]*Throttle
}

// Quota is Limit requests in each Period (DAY, WEEK or MONTH), less Offset in the first.
type Quota struct {
	Limit, Offset int
	Period        string
}

// APIKey is one key. Value is empty when the template leaves it to AWS to make one up.
type APIKey struct {
	LogicalID, ID, Name, Value string
	Enabled                    bool
	Position
}
