package deploycheck

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
)

// optional are the resources of each part that is off by default.
var optional = map[string][]string{
	"AWS::ApiGateway::ApiKey":                      {"CallerApiKey"},
	"AWS::ApiGateway::UsagePlan":                   {"CallerUsagePlan"},
	"AWS::ApiGateway::UsagePlanKey":                {"CallerUsagePlanKey"},
	"AWS::WAFv2::WebACL":                           {"ManagedWebAcl"},
	"AWS::WAFv2::WebACLAssociation":                {"WebAclAssociation"},
	"AWS::WAFv2::LoggingConfiguration":             {"WebAclLogging"},
	"AWS::ApiGateway::DomainNameV2":                {"PrivateDomain"},
	"AWS::ApiGateway::BasePathMappingV2":           {"PrivateDomainMapping"},
	"AWS::ApiGateway::DomainNameAccessAssociation": {"PrivateDomainAccess"},
	"AWS::Route53::RecordSet":                      {"PrivateDomainRecord"},
	"AWS::CodeDeploy::DeploymentGroup":             {"MovieListFunctionDeploymentGroup"},
	"AWS::SNS::Subscription":                       {"AlarmSubscription"},
}

func optionRules(v variant) []rule {
	guard := func(t object) object { return objectAt(listAt(properties(t, "MoviesTable"), "Tags")[0]) }
	rules := []rule{
		{"what is optional is off until it is asked for", optionsAre(v.everything), map[string]func(object){
			"the other choice": func(t object) {
				delete(objectAt(t, "Resources"), "PrivateDomain")
				objectAt(t, "Resources")["Other"] = object{"Type": "AWS::WAFv2::WebACL"}
			},
		}},
		{"nothing is made in another account than the expected one", guarded, map[string]func(object){
			"no guard":              func(t object) { guard(t)["Value"] = ref("AWS::AccountId") },
			"a guard for any one":   func(t object) { objectAt(t, "Conditions")["InExpectedAccount"] = object{"Fn::Equals": list("a", "a")} },
			"production without it": func(t object) { delete(objectAt(t, "Rules"), "ProductionNamesItsAccount") },
		}},
		{"an alias answers, and takes a new version with each change", aliased, map[string]func(object){
			"the newest code at once": func(t object) {
				operation := objectAt(properties(t, "MoviesApi"), "Body", "paths", "/movie_list", "get", "x-amazon-apigateway-integration")
				operation["uri"] = sub("arn:aws:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${MovieListFunction.Arn}/invocations")
			},
			"no alias": func(t object) { delete(objectAt(t, "Resources"), "MovieListFunctionAliaslive") },
		}},
		{"every parameter of a list's address is in the key of the cache", cacheKeyed(v), map[string]func(object){
			"a parameter less": func(t object) {
				integration := objectAt(properties(t, "MoviesApi"), "Body", "paths", "/movie_list", "get", "x-amazon-apigateway-integration")
				integration["cacheKeyParameters"] = listAt(integration, "cacheKeyParameters")[1:]
			},
			"movies in the cache": func(t object) {
				objectAt(listAt(properties(t, "MoviesApiStage"), "MethodSettings")[0])["CachingEnabled"] = true
			},
			"a cache in the clear": func(t object) {
				for _, setting := range listAt(properties(t, "MoviesApiStage"), "MethodSettings") {
					objectAt(setting)["CacheDataEncrypted"] = false
				}
			},
			"the other choice": func(t object) { properties(t, "MoviesApiStage")["CacheClusterEnabled"] = !v.everything },
		}},
	}
	if v.everything {
		rules = append(rules, everythingRules()...)
	}
	return rules
}

func everythingRules() []rule {
	domainPolicy := func(t object) object { return objectAt(properties(t, "PrivateDomain"), "Policy") }
	return []rule{
		{"a key opens this stage, as often as its plan says", keyed, map[string]func(object){
			"no quota":           func(t object) { delete(properties(t, "CallerUsagePlan"), "Quota") },
			"no throttle":        func(t object) { delete(properties(t, "CallerUsagePlan"), "Throttle") },
			"a plan for nothing": func(t object) { properties(t, "CallerUsagePlan")["ApiStages"] = []any{} },
			"a key without one":  func(t object) { properties(t, "CallerUsagePlanKey")["UsagePlanId"] = "x" },
		}},
		{"the firewall stands in front of the stage", fireproof, map[string]func(object){
			"another API": func(t object) { properties(t, "WebAclAssociation")["ResourceArn"] = "arn" },
			"a rule that only counts": func(t object) {
				objectAt(listAt(properties(t, "ManagedWebAcl"), "Rules")[0])["OverrideAction"] = object{"Count": object{}}
			},
			"signatures in its log": func(t object) { delete(properties(t, "WebAclLogging"), "RedactedFields") },
			"signatures among samples": func(t object) {
				objectAt(properties(t, "ManagedWebAcl"), "VisibilityConfig")["SampledRequestsEnabled"] = true
			},
		}},
		{"the domain is private, and fenced as the API is", domainFenced, map[string]func(object){
			"a public one": func(t object) {
				objectAt(properties(t, "PrivateDomain"), "EndpointConfiguration")["Types"] = list("REGIONAL")
			},
			"no fence":    func(t object) { domainPolicy(t)["Statement"] = listAt(domainPolicy(t), "Statement")[1:] },
			"old TLS":     func(t object) { properties(t, "PrivateDomain")["SecurityPolicy"] = "TLS_1_0" },
			"another API": func(t object) { properties(t, "PrivateDomainMapping")["RestApiId"] = "x" },
		}},
		{"a gradual deployment is stopped by alarms, and taken back", braked, map[string]func(object){
			"no alarms": func(t object) { delete(properties(t, "MovieListFunctionDeploymentGroup"), "AlarmConfiguration") },
			"no way back": func(t object) {
				objectAt(properties(t, "MovieListFunctionDeploymentGroup"), "AutoRollbackConfiguration")["Enabled"] = false
			},
			"at once": func(t object) { delete(objectAt(t, "Resources", "MovieListFunctionAliaslive"), "UpdatePolicy") },
		}},
		{"the key of the customer is used where data rests", customersKey, map[string]func(object){
			"a log in the clear":   func(t object) { delete(properties(t, "CallerLogs"), "KmsKeyId") },
			"a topic in the clear": func(t object) { delete(properties(t, "AlarmTopic"), "KmsMasterKeyId") },
		}},
		{"concurrency is bounded", bounded, map[string]func(object){
			"no bound": func(t object) { delete(properties(t, "MovieListFunction"), "ReservedConcurrentExecutions") },
		}},
	}
}

func optionsAre(on bool) func(object) error {
	return func(t object) error {
		var failures []error
		for typ, ids := range optional {
			expected := []string(nil)
			if on {
				expected = ids
			}
			failures = append(failures, want("resources of the type "+typ, ofType(t, typ), expected))
		}
		return errors.Join(failures...)
	}
}

// guarded: a list of one item has no second, which CloudFormation says before it makes anything.
func guarded(t object) error {
	right, err := Settle(object{"Conditions": t["Conditions"], "Parameters": t["Parameters"], "Resources": object{
		"R": object{"If": object{"Fn::If": list[any]("InExpectedAccount", "made", "refused")}},
	}}, map[string]string{"ExpectedAccountId": "999999999999"})
	if err != nil {
		return err
	}
	tag := objectAt(listAt(properties(t, "MoviesTable"), "Tags")[0])
	return errors.Join(
		want("another account", at(right, "Resources", "R", "If"), "refused"),
		want("the right account", tag["Value"], object{"Fn::Select": list[any](1, list[any]("expected", ref("AWS::AccountId")))}),
		want("production's rule", at(t, "Rules", "ProductionNamesItsAccount", "RuleCondition"), object{"Fn::Equals": list[any](ref("Stage"), "prod")}),
	)
}

func aliased(t object) error {
	failures := []error{
		want("aliases", ofType(t, "AWS::Lambda::Alias"), list("MovieListFunctionAliaslive")),
		want("versions", len(ofType(t, "AWS::Lambda::Version")), 1),
	}
	return errors.Join(append(failures, operations(t, func(name string, operation object) error {
		uri, _ := at(operation, "x-amazon-apigateway-integration", "uri", "Fn::Sub").(string)
		if !strings.Contains(uri, "/functions/${MovieListFunctionAliaslive}/") {
			return fmt.Errorf("%s goes to %s, not to the alias", name, uri)
		}
		return nil
	}))...)
}

// cacheKeyed holds the key to the parameters that the API knows (openapi.yaml): two lists must not be taken for one.
func cacheKeyed(v variant) func(object) error {
	known := []string{"year", "from_year", "to_year", "title_prefix", "genre", "director", "actor", "min_rating", "sort", "fields", "limit", "next"}
	return func(t object) error {
		stage := properties(t, "MoviesApiStage")
		key := listAt(properties(t, "MoviesApi"), "Body", "paths", "/movie_list", "get", "x-amazon-apigateway-integration", "cacheKeyParameters")
		failures := []error{want("the cache", stage["CacheClusterEnabled"], v.everything), want("parameters in the key", len(key), len(known))}
		for _, name := range known {
			if !slices.Contains(key, any("method.request.querystring."+name)) {
				failures = append(failures, fmt.Errorf("the parameter %s is not in the key of the cache", name))
			}
		}
		for _, setting := range listAt(stage, "MethodSettings") {
			list := at(setting, "ResourcePath") == "/~1movie_list" && at(setting, "HttpMethod") == "GET"
			failures = append(failures,
				want(fmt.Sprintf("caching of %v", at(setting, "ResourcePath")), at(setting, "CachingEnabled"), list),
				want("encryption of the cache", at(setting, "CacheDataEncrypted"), true))
		}
		return errors.Join(failures...)
	}
}

func keyed(t object) error {
	plan := properties(t, "CallerUsagePlan")
	return errors.Join(
		want("stages", plan["ApiStages"], list(object{"ApiId": ref("MoviesApi"), "Stage": ref("MoviesApiStage")})),
		want("throttle", plan["Throttle"], object{"RateLimit": ref("ThrottleRate"), "BurstLimit": ref("ThrottleBurst")}),
		want("quota", plan["Quota"], object{"Limit": ref("KeyQuotaPerDay"), "Period": "DAY"}),
		want("the key's plan", properties(t, "CallerUsagePlanKey"),
			object{"KeyId": ref("CallerApiKey"), "KeyType": "API_KEY", "UsagePlanId": ref("CallerUsagePlan")}),
	)
}

func fireproof(t object) error {
	acl := properties(t, "ManagedWebAcl")
	failures := []error{
		want("what it guards", properties(t, "WebAclAssociation"), object{
			"ResourceArn": sub("arn:${AWS::Partition}:apigateway:${AWS::Region}::/restapis/${MoviesApi}/stages/${MoviesApiStage}"),
			"WebACLArn":   getAtt("ManagedWebAcl", "Arn"),
		}),
		want("samples", at(acl, "VisibilityConfig", "SampledRequestsEnabled"), false),
		want("what its log leaves out", properties(t, "WebAclLogging")["RedactedFields"], list(
			object{"SingleHeader": object{"Name": "authorization"}}, object{"SingleHeader": object{"Name": "x-amz-security-token"}},
			object{"SingleHeader": object{"Name": "x-api-key"}})),
	}
	for _, rule := range listAt(acl, "Rules") {
		action := at(rule, "OverrideAction")
		if action == nil {
			action = at(rule, "Action")
		}
		if err := want("", action, object{"None": object{}}); err != nil {
			failures = append(failures, want(fmt.Sprintf("action of %v", at(rule, "Name")), action, object{"Block": object{}}))
		}
		failures = append(failures, want("samples", at(rule, "VisibilityConfig", "SampledRequestsEnabled"), false))
	}
	return errors.Join(append(failures, want("rules", len(listAt(acl, "Rules")), 3))...)
}

func domainFenced(t object) error {
	domain := properties(t, "PrivateDomain")
	denies := withEffect("Deny", statements(domain["Policy"]))
	return errors.Join(
		want("type", at(domain, "EndpointConfiguration", "Types"), list("PRIVATE")),
		want("TLS", domain["SecurityPolicy"], "TLS_1_2"),
		want("the fence", denies, list(object{
			"Sid": "OnlyThroughTheEndpoint", "Effect": "Deny", "Principal": "*", "Action": "execute-api:Invoke", "Resource": "execute-api:/*",
			"Condition": object{"StringNotEquals": object{"aws:SourceVpce": list(ref("ApiEndpoint"))}},
		})),
		want("where it leads", properties(t, "PrivateDomainMapping"), object{
			"DomainNameArn": getAtt("PrivateDomain", "DomainNameArn"), "RestApiId": ref("MoviesApi"), "Stage": ref("MoviesApiStage")}),
	)
}

func braked(t object) error {
	group := properties(t, "MovieListFunctionDeploymentGroup")
	name := func(id string) object { return object{"Name": ref(id)} }
	return errors.Join(
		want("alarms", group["AlarmConfiguration"], object{"Enabled": true, "Alarms": list(name("MovieListErrors"), name("ApiFailures"))}),
		want("the way back", at(group, "AutoRollbackConfiguration", "Enabled"), true),
		want("who shifts the alias", at(t, "Resources", "MovieListFunctionAliaslive", "UpdatePolicy", "CodeDeployLambdaAliasUpdate", "DeploymentGroupName"),
			ref("MovieListFunctionDeploymentGroup")),
	)
}

func customersKey(t object) error {
	failures := []error{want("the topic's key", properties(t, "AlarmTopic")["KmsMasterKeyId"], ref("KmsKeyArn"))}
	for _, id := range ofType(t, "AWS::Logs::LogGroup") {
		failures = append(failures, want("key of "+id, properties(t, id)["KmsKeyId"], ref("KmsKeyArn")))
	}
	return errors.Join(failures...)
}

func bounded(t object) error {
	return want("concurrency", properties(t, "MovieListFunction")["ReservedConcurrentExecutions"], ref("ReservedConcurrency"))
}

// TestDocumented: the page on deployment names every parameter, and so does the console's form.
func TestDocumented(t *testing.T) {
	page, err := os.ReadFile("../../docs/deployment.md")
	if err != nil {
		t.Fatal(err)
	}
	v := variants(t)[0]
	parameters := objectAt(parse(t, v.read(t)), "Parameters")
	if len(parameters) == 0 {
		t.Fatal("the template has no parameters")
	}
	var grouped []any
	for _, group := range listAt(parse(t, v.read(t)), "Metadata", "AWS::CloudFormation::Interface", "ParameterGroups") {
		grouped = append(grouped, listAt(group, "Parameters")...)
	}
	if len(grouped) != len(parameters) {
		t.Errorf("the groups have %d parameters, the template has %d", len(grouped), len(parameters))
	}
	for name := range parameters {
		if !slices.Contains(grouped, any(name)) {
			t.Errorf("the parameter %s is in no group of the console's form", name)
		}
		if !strings.Contains(string(page), "`"+name+"`") {
			t.Errorf("docs/deployment.md does not name the parameter %s", name)
		}
	}
}
