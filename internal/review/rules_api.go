package review

import (
	"slices"
	"strings"
	"time"

	"github.com/marquee-api/marquee/internal/reach"
	"github.com/marquee-api/marquee/internal/stack"
)

// apiTimeout is the longest that API Gateway waits for a function, unless the account's quota is raised.
const apiTimeout = 29 * time.Second

var apiRules = []*Rule{
	{
		ID: "MQ401", Name: "no-access-log", Severity: Warning,
		Title: "The stage writes no access log",
		Why:   "Who called what, and which check refused it, is then known to nobody.",
		Fix:   "Set AccessLogSetting with a log group and a Format.",
		check: func(s *subject, report reporter) {
			for _, stage := range s.stages() {
				if !stage.Properties.At("AccessLogSetting", "DestinationArn").Exists() {
					report(stage.Position, stage.LogicalID, "AccessLogSetting is missing")
				}
			}
		},
	},
	{
		ID: "MQ402", Name: "anonymous-access-log", Severity: Warning,
		Title: "The access log does not say who called",
		Why:   "An API that admits identities and forgets them cannot be audited. Private APIs also have to say through which endpoint.",
		Fix:   "Add $context.identity.userArn (or .caller) to the Format, and $context.identity.vpceId for a private API.",
		check: anonymousLogs,
	},
	{
		ID: "MQ403", Name: "no-throttle", Severity: Warning,
		Title: "The stage has no throttle",
		Why:   "One caller in a loop then takes the throttle of the whole account, and every API of the region answers 429.",
		Fix:   "Set ThrottlingRateLimit and ThrottlingBurstLimit in MethodSettings for ResourcePath /* and HttpMethod *.",
		check: func(s *subject, report reporter) {
			for _, api := range s.typed() {
				if api.Throttle == nil && slices.ContainsFunc(api.Routes, func(r *stack.Route) bool { return r.Throttle == nil }) {
					report(api.Position, api.LogicalID, "no throttle for every method of the stage %s", api.Stage)
				}
			}
		},
	},
	{
		ID: "MQ404", Name: "key-without-plan", Severity: Error,
		Title: "Methods ask for an API key that no usage plan opens the stage to",
		Why:   "Every call is answered Forbidden.",
		Fix:   "Add an AWS::ApiGateway::UsagePlan for the stage with a key, or Auth.UsagePlan.",
		check: func(s *subject, report reporter) {
			for _, api := range s.typed() {
				planned := slices.ContainsFunc(s.Stack.UsagePlans, func(p *stack.UsagePlan) bool {
					return slices.ContainsFunc(p.Stages, func(st stack.UsagePlanStage) bool { return st.APIID == api.ID && st.Stage == api.Stage })
				})
				i := slices.IndexFunc(api.Routes, func(r *stack.Route) bool { return r.APIKeyRequired })
				if i >= 0 && !planned {
					report(s.routePlace(api, api.Routes[i]), api.LogicalID, "%s %s asks for a key, and no usage plan has the stage %s", api.Routes[i].Method, api.Routes[i].Path, api.Stage)
				}
			}
		},
	},
	{
		ID: "MQ405", Name: "second-stage", Severity: Warning,
		Title: `SAM deploys a second stage named "Stage"`,
		Why:   "Without OpenApiVersion SAM's Swagger document makes one: a second door to the API without its logs, throttle and tracing.",
		Fix:   "Set OpenApiVersion: 3.0.1.",
		check: func(s *subject, report reporter) {
			for _, api := range s.Resources("AWS::Serverless::Api") {
				if !api.Properties.At("OpenApiVersion").Exists() {
					report(api.Position, api.LogicalID, "OpenApiVersion is missing")
				}
			}
		},
	},
	{
		ID: "MQ406", Name: "stage-name-not-plain", Severity: Note,
		Title: "The stage's name is computed",
		Why:   "SAM reads text and parameters, nothing else: with another intrinsic it cannot tell two stages apart, and the ids of what it makes do not change with the name.",
		Fix:   "Write the name, or a Ref to a parameter.",
		check: func(s *subject, report reporter) {
			for _, api := range s.Resources("AWS::Serverless::Api") {
				at := api.Properties.At("StageName")
				if intrinsic := at.Intrinsic(); intrinsic != "" && intrinsic != "Ref" {
					report(at.Position, api.LogicalID, "StageName is written with %s", intrinsic)
				}
			}
		},
	},
	{
		ID: "MQ407", Name: "data-trace", Severity: Warning,
		Title: "Execution logs hold whole requests and answers",
		Why:   "Data tracing writes headers and bodies, session tokens among them, into a log group that lives for ever.",
		Fix:   "Set DataTraceEnabled: false; switch it on by hand while somebody reads.",
		check: func(s *subject, report reporter) {
			for _, stage := range s.stages() {
				for _, setting := range stage.Properties.At("MethodSettings").Items() {
					if at := setting.At("DataTraceEnabled"); at.Text() == "true" {
						report(at.Position, stage.LogicalID, "DataTraceEnabled is on")
					}
				}
			}
		},
	},
	{
		ID: "MQ408", Name: "plain-cache", Severity: Warning,
		Title: "Answers are cached unencrypted",
		Why:   "The cache holds what callers with different rights were told.",
		Fix:   "Set CacheDataEncrypted: true, or do not cache.",
		check: func(s *subject, report reporter) {
			for _, stage := range s.stages() {
				for _, setting := range stage.Properties.At("MethodSettings").Items() {
					if at := setting.At("CachingEnabled"); at.Text() == "true" && setting.At("CacheDataEncrypted").Text() != "true" {
						report(at.Position, stage.LogicalID, "CachingEnabled without CacheDataEncrypted")
					}
				}
			}
		},
	},
	{
		ID: "MQ409", Name: "api-without-tracing", Severity: Note,
		Title: "X-Ray is off for the stage",
		Why:   "Where a slow or failing call spent its time is then guesswork.",
		Fix:   "Set TracingEnabled: true.",
		check: func(s *subject, report reporter) {
			for _, stage := range s.stages() {
				if stage.Properties.At("TracingEnabled").Text() != "true" {
					report(stage.Position, stage.LogicalID, "TracingEnabled is not true")
				}
			}
		},
	},
	{
		ID: "MQ410", Name: "function-not-permitted", Severity: Error,
		Title: "API Gateway may not invoke a function",
		Why:   "SAM adds the permission with each event; a route that only a definition holds has none. Whoever is let in there is answered 500, as where a route invokes as a role that API Gateway may not assume, or that may not invoke.",
		Fix:   "Add an event for the route, or an AWS::Lambda::Permission for apigateway.amazonaws.com with the API's SourceArn; let the role of credentials trust apigateway.amazonaws.com and invoke the function.",
		check: func(s *subject, report reporter) {
			for _, api := range s.typed() {
				for _, r := range api.Routes {
					if why := s.unpermitted(api, r); why != "" {
						report(s.routePlace(api, r), api.LogicalID, "%s %s: %s", r.Method, r.Path, why)
					}
				}
			}
		},
	},
	{
		ID: "MQ411", Name: "longer-than-the-api", Severity: Warning,
		Title: "A function behind the API may run longer than API Gateway waits",
		Why:   "The caller gets a 504, after 29 seconds by default, and tries again while the function goes on with the first attempt.",
		Fix:   "Set the function's Timeout to what API Gateway waits, or less.",
		check: func(s *subject, report reporter) {
			for _, f := range s.serving() {
				if waits := s.waits(f); f.Timeout > waits {
					report(s.timeoutPlace(f), f.LogicalID, "%v, and API Gateway waits %v", f.Timeout, waits)
				}
			}
		},
	},
	{
		ID: "MQ412", Name: "key-in-template", Severity: Error,
		Title: "An API key stands in the template",
		Why:   "It is in the repository, its history and every change set.",
		Fix:   "Leave Value out, so that API Gateway makes one.",
		check: func(s *subject, report reporter) {
			for _, k := range s.Resources("AWS::ApiGateway::ApiKey") {
				if at := k.Properties.At("Value"); at.Literal() {
					report(at.Position, k.LogicalID, "Value is written out")
				}
			}
		},
	},
	{
		ID: "MQ413", Name: "throttle-for-nothing", Severity: Warning,
		Title: "A throttle is set for a method that the API does not have",
		Why:   "AWS refuses it. A misspelt path would leave the method that was meant without its limit.",
		Fix:   "Correct ResourcePath and HttpMethod; slashes after the first are written ~1.",
		check: claimed("MQ413"),
	},
}

// stages are what holds the settings of a stage.
func (s *subject) stages() []*stack.Resource {
	return s.Resources("AWS::Serverless::Api", "AWS::ApiGateway::Stage")
}

func anonymousLogs(s *subject, report reporter) {
	for _, stage := range s.stages() {
		format := stage.Properties.At("AccessLogSetting", "Format")
		if format.Text() == "" {
			continue
		}
		has := func(field string) bool { return strings.Contains(format.Text(), "$context.identity."+field) }
		if !has("userArn") && !has("caller") && !has("user") {
			report(format.Position, stage.LogicalID, "the Format has neither $context.identity.userArn nor $context.identity.caller")
			continue
		}
		private := slices.ContainsFunc(s.typed(), func(a *stack.API) bool {
			its := a.LogicalID == stage.LogicalID || stage.Properties.At("RestApiId").Mentions(a.LogicalID)
			return its && a.EndpointType == "PRIVATE"
		})
		if private && !has("vpceId") {
			report(format.Position, stage.LogicalID, "the Format has no $context.identity.vpceId")
		}
	}
}

// unpermitted says why API Gateway may not invoke a route's function: for what the template says nowhere, or for what the
// role may do that it invokes as, which the gateway was asked. Empty if it may, or if nothing would run either way.
func (s *subject) unpermitted(api *stack.API, r *stack.Route) string {
	off := slices.ContainsFunc(s.Stack.Functions, func(f *stack.Function) bool {
		return f.LogicalID == r.FunctionID && f.ReservedConcurrency != nil && *f.ReservedConcurrency == 0
	})
	if r.Unpermitted != "" || s.matrix == nil || r.Unanswered != "" || off {
		return r.Unpermitted
	}
	for _, c := range s.matrix.Cells {
		if c.Outcome == reach.Fails && c.API == api.LogicalID && c.Stage == api.Stage && c.Route == r.Method+" "+r.Path {
			return c.Reason
		}
	}
	return ""
}

// waits is how long API Gateway waits for a function at most.
func (s *subject) waits(f *stack.Function) time.Duration {
	longest := time.Duration(0)
	for _, api := range s.typed() {
		for _, r := range api.Routes {
			waits := time.Duration(r.TimeoutMillis) * time.Millisecond
			if waits == 0 {
				waits = apiTimeout
			}
			if r.FunctionID == f.LogicalID {
				longest = max(longest, waits)
			}
		}
	}
	return longest
}

func (s *subject) timeoutPlace(f *stack.Function) stack.Position {
	if r := s.Resource(f.LogicalID); r != nil {
		return r.Properties.At("Timeout").Position
	}
	return f.Position
}
