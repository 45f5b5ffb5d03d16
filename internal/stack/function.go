package stack

import (
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Lambda's defaults (Lambda API reference, CreateFunction).
const (
	defaultTimeout = 3 * time.Second
	defaultMemory  = 128
)

func (b *builder) readFunctions() {
	for _, res := range b.ofType("AWS::Serverless::Function", "AWS::Lambda::Function") {
		b.stack.Functions = append(b.stack.Functions, b.readFunction(res))
	}
}

func (b *builder) readFunction(res *resource) *Function {
	c := b.cursor(res)
	f := &Function{
		LogicalID: res.id, Name: b.name(res), ARN: b.arn(res), Position: res.pos,
		Handler: c.at("Handler").text(), Runtime: c.at("Runtime").text(),
		Architectures: c.at("Architectures").texts(), Alias: c.at("AutoPublishAlias").text(),
		MemoryMB: c.at("MemorySize").integerOr(defaultMemory), Timeout: defaultTimeout,
		Environment: map[string]string{},
	}
	if seconds, ok := c.at("Timeout").integer(); ok {
		f.Timeout = time.Duration(seconds) * time.Second
		if seconds < 1 || seconds > 900 {
			c.at("Timeout").fail("a function's timeout is 1 to 900 seconds")
		}
	}
	if f.MemoryMB < 128 || f.MemoryMB > 10240 {
		c.at("MemorySize").fail("a function's memory is 128 to 10240 MB")
	}
	if n, ok := c.at("ReservedConcurrentExecutions").integer(); ok {
		f.ReservedConcurrency = &n
	}
	if len(f.Architectures) == 0 {
		f.Architectures = []string{"x86_64"}
	}
	readEnvironment(c.at("Environment").at("Variables"), f)
	vpc := c.at("VpcConfig")
	f.InVPC = vpc.exists() && len(vpc.at("SubnetIds").items()) > 0
	b.readBuild(res, f)
	b.readCode(c, f)
	b.checkRuntime(c, f)
	return f
}

// reservedVariables are Lambda's own (Lambda developer guide, Defined runtime environment variables). AWS refuses them
// in a template; taken over here, they could change who a function is.
var reservedVariables = []string{
	"_HANDLER", "_X_AMZN_TRACE_ID", "AWS_ACCESS_KEY", "AWS_ACCESS_KEY_ID", "AWS_DEFAULT_REGION", "AWS_EXECUTION_ENV",
	"AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "AWS_LAMBDA_FUNCTION_NAME", "AWS_LAMBDA_FUNCTION_VERSION", "AWS_LAMBDA_INITIALIZATION_TYPE",
	"AWS_LAMBDA_LOG_GROUP_NAME", "AWS_LAMBDA_LOG_STREAM_NAME", "AWS_LAMBDA_RUNTIME_API", "AWS_REGION", "AWS_SECRET_ACCESS_KEY",
	"AWS_SESSION_TOKEN", "LAMBDA_RUNTIME_DIR", "LAMBDA_TASK_ROOT",
}

// maxEnvironment is Lambda's limit for all names and values together (Lambda developer guide, Lambda quotas).
const maxEnvironment = 4096

func readEnvironment(c cursor, f *Function) {
	size := 0
	for _, e := range c.entries() {
		if slices.Contains(reservedVariables, e.key) {
			e.fail("Lambda sets this variable itself, and AWS refuses it here")
		}
		text := e.text()
		f.Environment[e.key] = text
		if strings.Contains(text, "{{resolve:") {
			e.warn("the dynamic reference is handed on as it is: only AWS can look it up")
		}
		size += len(e.key) + len(text)
	}
	if size > maxEnvironment {
		c.fail("the variables have %d bytes, Lambda takes %d", size, maxEnvironment)
	}
}

// readBuild takes Metadata as sam build reads it: no intrinsics there.
func (b *builder) readBuild(res *resource, f *Function) {
	c := cursor{b: b, resource: res.id, pos: res.pos}.to(res.metadata, "Metadata")
	f.BuildMethod = c.at("BuildMethod").text()
	for _, e := range c.at("BuildProperties").entries() {
		if e.v.scalar() {
			if f.BuildProperties == nil {
				f.BuildProperties = map[string]string{}
			}
			f.BuildProperties[e.key] = e.v.text
		}
	}
}

// readCode finds the code on this machine. sam package zips the template's folder when there is no CodeUri.
func (b *builder) readCode(c cursor, f *Function) {
	for _, elsewhere := range []string{"InlineCode", "ImageUri"} {
		if at := c.at(elsewhere); at.exists() {
			at.warn("the function is not run here: its code is not a Go program on this machine")
			return
		}
	}
	if at := c.at("PackageType"); at.text() == "Image" {
		at.warn("the function is not run here: container images are not")
		return
	}
	code := c.at("CodeUri")
	if b.t.resources[c.resource].typ == "AWS::Lambda::Function" {
		code = c.at("Code")
	}
	uri := "."
	if code.exists() {
		if !code.isText() || strings.Contains(code.v.text, "://") {
			code.warn("the function is not run here: its code is not on this machine")
			return
		}
		uri = code.v.text
	}
	if !filepath.IsAbs(uri) {
		uri = filepath.Join(b.t.dir, uri)
	}
	f.CodeURI = uri
}

// goRuntimes run a binary called bootstrap. go1.x is gone from AWS, and sam build still knows it.
var goRuntimes = []string{"provided.al2023", "provided.al2", "provided", "go1.x"}

func (b *builder) checkRuntime(c cursor, f *Function) {
	if f.CodeURI == "" {
		return
	}
	at := c.at("Runtime")
	switch {
	case f.Runtime == "":
		at.fail("the function has no Runtime: Go functions use provided.al2023")
	case f.Runtime == "go1.x" || f.Runtime == "provided":
		at.warn("AWS makes no new functions with %s: use provided.al2023", f.Runtime)
	case !slices.Contains(goRuntimes, f.Runtime):
		at.warn("the function is not run here: only Go is, and the runtime is %s", f.Runtime)
	}
}

// linkRoles finds each function's role among the roles of the template, by its ARN.
func (b *builder) linkRoles() {
	for _, f := range b.stack.Functions {
		c := b.cursor(b.t.resources[f.LogicalID]).at("Role")
		f.RoleARN = c.text()
		if !c.exists() {
			if res := b.t.resources[f.LogicalID+"Role"]; res != nil {
				f.RoleARN = b.arn(res)
			} else {
				c.fail("the function has no Role")
			}
		}
		for _, role := range b.stack.Roles {
			if role.ARN == f.RoleARN {
				f.RoleID = role.LogicalID
			}
		}
		if f.RoleID == "" && f.RoleARN != "" {
			c.warn("the role is not of this template: what it may do is not known here, so it may do nothing")
		}
	}
}
