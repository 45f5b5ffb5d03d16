package stack

import (
	"slices"
	"strings"
)

// globalsOf lists what SAM lets Globals set, for the sections that matter here
// (SAM developer guide, Globals section of the AWS SAM template). SAM refuses anything else.
var globalsOf = map[string][]string{
	"Function": {
		"Handler", "Runtime", "CodeUri", "DeadLetterQueue", "Description", "MemorySize", "Timeout", "VpcConfig", "Environment",
		"Tags", "PropagateTags", "Tracing", "KmsKeyArn", "AutoPublishAlias", "AutoPublishAliasAllProperties", "Layers",
		"DeploymentPreference", "RolePath", "PermissionsBoundary", "ReservedConcurrentExecutions", "ProvisionedConcurrencyConfig",
		"AssumeRolePolicyDocument", "EventInvokeConfig", "FileSystemConfigs", "CodeSigningConfigArn", "Architectures", "SnapStart",
		"EphemeralStorage", "FunctionUrlConfig", "RuntimeManagementConfig", "LoggingConfig", "RecursiveLoop", "SourceKMSKeyArn",
		"TenancyConfig", "DurableConfig", "CapacityProviderConfig", "FunctionScalingConfig", "PublishToLatestPublished",
		"VersionDeletionPolicy",
	},
	"Api": {
		"Auth", "Name", "DefinitionUri", "CacheClusterEnabled", "CacheClusterSize", "MergeDefinitions", "Variables",
		"EndpointConfiguration", "MethodSettings", "BinaryMediaTypes", "MinimumCompressionSize", "Cors", "GatewayResponses",
		"AccessLogSetting", "CanarySetting", "TracingEnabled", "OpenApiVersion", "Domain", "AlwaysDeploy", "PropagateTags",
		"SecurityPolicy", "EndpointAccessMode",
	},
	"SimpleTable": {"SSESpecification"},
}

// otherGlobals are sections of Globals for resources that are not read here.
var otherGlobals = []string{"HttpApi", "StateMachine", "LayerVersion", "CapacityProvider", "WebSocketApi"}

func (b *builder) readGlobals(v *value) {
	for _, f := range fieldsOf(v) {
		allowed, known := globalsOf[f.key]
		switch {
		case slices.Contains(otherGlobals, f.key):
			continue
		case !known:
			b.fail(f.pos, "Globals", f.key, "SAM has no such section of Globals")
			continue
		case f.value.kind != kindMap:
			b.fail(f.pos, "Globals", f.key, "this is a map, not %s", f.value.kind)
			continue
		}
		for _, p := range f.value.fields {
			if !slices.Contains(allowed, p.key) {
				b.fail(p.pos, "Globals", f.key+"."+p.key, "SAM does not take this property in Globals: set it on each resource")
			}
		}
		b.t.globals["AWS::Serverless::"+f.key] = f.value
	}
}

// mergeGlobals gives a resource what Globals sets for its type, less what its attribute IgnoreGlobals names.
func (b *builder) mergeGlobals(r *resource, props, ignore *value) *value {
	global := b.t.globals[r.typ]
	if global == nil {
		return props
	}
	if ignore != nil {
		global = b.withoutIgnored(r, global, ignore)
	}
	if props == nil {
		props = &value{kind: kindMap, pos: r.pos}
	}
	return merge(global, props)
}

func (b *builder) withoutIgnored(r *resource, global, ignore *value) *value {
	if ignore.kind == kindText && ignore.text == "*" {
		return &value{kind: kindMap, pos: global.pos}
	}
	if ignore.kind != kindList {
		b.fail(ignore.pos, r.id, "IgnoreGlobals", `this is "*" or a list of properties`)
		return global
	}
	rest := &value{kind: kindMap, pos: global.pos, fields: slices.Clone(global.fields)}
	for _, name := range ignore.items {
		before := len(rest.fields)
		rest.fields = slices.DeleteFunc(rest.fields, func(f field) bool { return f.key == name.text })
		if len(rest.fields) == before {
			b.fail(name.pos, r.id, "IgnoreGlobals", "%q is not set in Globals", name.text)
		}
	}
	return rest
}

// merge follows SAM: maps merge key by key, lists are joined (the global one first), everything else is replaced.
// An intrinsic counts as one value, whatever it is written as.
func merge(global, local *value) *value {
	switch {
	case isIntrinsic(global) || isIntrinsic(local) || global.kind != local.kind:
		return local
	case local.kind == kindList:
		return &value{kind: kindList, pos: local.pos, items: slices.Concat(global.items, local.items)}
	case local.kind != kindMap:
		return local
	}
	out := &value{kind: kindMap, pos: local.pos, fields: slices.Clone(global.fields)}
	for _, f := range local.fields {
		i := slices.IndexFunc(out.fields, func(g field) bool { return g.key == f.key })
		if i < 0 {
			out.fields = append(out.fields, f)
			continue
		}
		out.fields[i] = field{key: f.key, pos: f.pos, value: merge(out.fields[i].value, f.value)}
	}
	return out
}

// isIntrinsic says whether SAM takes a map for an intrinsic: one key, Ref, Condition or Fn::….
func isIntrinsic(v *value) bool {
	if v.kind != kindMap || len(v.fields) != 1 {
		return false
	}
	key := v.fields[0].key
	return key == "Ref" || key == "Condition" || strings.HasPrefix(key, "Fn::")
}
