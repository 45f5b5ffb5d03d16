package deploycheck

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

func roleRules(v variant) []rule {
	rights := func(t object) []object {
		return statements(at(listAt(properties(t, "MovieListRole"), "Policies")[0], "PolicyDocument"))
	}
	movies := func(t object) object { return rights(t)[0] }
	invoke := func(t object) object { return statements(properties(t, "CallerInvoke")["PolicyDocument"])[0] }
	return []rule{
		{"the movie list reads and writes its table and no more", usesItsTable(v), map[string]func(object){
			"every action":    func(t object) { movies(t)["Action"] = list("dynamodb:*") },
			"a scan":          func(t object) { movies(t)["Action"] = append(listAt(movies(t), "Action"), "dynamodb:Scan") },
			"every index":     func(t object) { movies(t)["Resource"] = list(sub("${MoviesTable.Arn}/*")) },
			"another writing": func(t object) { rights(t)[1]["Action"] = append(listAt(rights(t)[1], "Action"), "dynamodb:UpdateItem") },
			"every table":     func(t object) { movies(t)["Resource"] = "*" },
			"a managed policy": func(t object) {
				properties(t, "MovieListRole")["ManagedPolicyArns"] = list("arn:aws:iam::aws:policy/X")
			},
			"every log group": func(t object) {
				objectAt(listAt(properties(t, "MovieListRole"), "Policies")[1], "PolicyDocument")["Statement"] = list(object{"Effect": "Allow", "Action": "logs:*", "Resource": "*"})
			},
			"another role":       func(t object) { properties(t, "MovieListFunction")["Role"] = getAtt("CallerRole", "Arn") },
			"a policy elsewhere": func(t object) { properties(t, "CallerInvoke")["Roles"] = list(ref("CallerRole"), ref("MovieListRole")) },
		}},
		{"the caller calls its two paths and no more", callsItsPaths, map[string]func(object){
			"every API": func(t object) { invoke(t)["Resource"] = "*" },
			"every method": func(t object) {
				invoke(t)["Resource"] = list(sub("arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:${MoviesApi}/${Stage}/*"))
			},
			"every action":     func(t object) { invoke(t)["Action"] = "execute-api:*" },
			"a further policy": func(t object) { properties(t, "CallerRole")["Policies"] = list(object{"PolicyName": "x"}) },
			"administration": func(t object) {
				properties(t, "CallerRole")["ManagedPolicyArns"] = list("arn:aws:iam::aws:policy/AdministratorAccess")
			},
		}},
	}
}

func functionRules(v variant) []rule {
	return []rule{
		{"functions are what the makefile builds", built, map[string]func(object){
			"another runtime":       func(t object) { properties(t, "CallerFunction")["Runtime"] = "go1.x" },
			"a fixed architecture":  func(t object) { properties(t, "MovieListFunction")["Architectures"] = list("x86_64") },
			"another default":       func(t object) { objectAt(t, "Parameters", "Architecture")["Default"] = "x86_64" },
			"a log group by chance": func(t object) { delete(properties(t, "CallerFunction"), "LoggingConfig") },
			"a log kept forever":    func(t object) { delete(properties(t, "MovieListLogs"), "RetentionInDays") },
		}},
		{"functions learn what they need", configured(v), map[string]func(object){
			"no table": func(t object) {
				delete(objectAt(properties(t, "MovieListFunction"), "Environment", "Variables"), "TABLE_NAME")
			},
			"nothing to override on a laptop": func(t object) {
				delete(objectAt(properties(t, "MovieListFunction"), "Environment", "Variables"), "AWS_ENDPOINT_URL_DYNAMODB")
			},
			"the endpoint's name always": func(t object) {
				objectAt(properties(t, "CallerFunction"), "Environment", "Variables")["MARQUEE_VPCE"] = "x"
			},
			"a caller outside the VPC": func(t object) { delete(properties(t, "CallerFunction"), "VpcConfig") },
		}},
		{"movies are encrypted, recoverable and kept", kept(v), map[string]func(object){
			"no recovery":       func(t object) { delete(properties(t, "MoviesTable"), "PointInTimeRecoverySpecification") },
			"no encryption":     func(t object) { objectAt(properties(t, "MoviesTable"), "SSESpecification")["SSEEnabled"] = false },
			"no protection":     func(t object) { properties(t, "MoviesTable")["DeletionProtectionEnabled"] = !v.everything },
			"deletion":          func(t object) { delete(objectAt(t, "Resources", "MoviesTable"), "DeletionPolicy") },
			"replacement":       func(t object) { objectAt(t, "Resources", "MoviesTable")["UpdateReplacePolicy"] = "Delete" },
			"bought in bulk":    func(t object) { properties(t, "MoviesTable")["BillingMode"] = "PROVISIONED" },
			"other keys":        func(t object) { slices.Reverse(listAt(properties(t, "MoviesTable"), "KeySchema")) },
			"an index less":     func(t object) { properties(t, "MoviesTable")["GlobalSecondaryIndexes"] = []any{} },
			"no end of records": func(t object) { delete(properties(t, "MoviesTable"), "TimeToLiveSpecification") },
		}},
	}
}

// attached lists the policies that the template attaches to a role from elsewhere.
func attached(t object, role string) []string {
	var ids []string
	for _, id := range ofType(t, "AWS::IAM::Policy") {
		for _, r := range listAt(properties(t, id), "Roles") {
			if at(r, "Ref") == role {
				ids = append(ids, id)
			}
		}
	}
	return ids
}

func usesItsTable(v variant) func(object) error {
	table := getAtt("MoviesTable", "Arn")
	right := func(actions []any, resource any) []any { return list[any]("Allow", actions, resource) }
	rights := list(
		right(list("dynamodb:GetItem", "dynamodb:Query"), list[any](table,
			sub("${MoviesTable.Arn}/index/by_year"), sub("${MoviesTable.Arn}/index/by_rating"))),
		right(list("dynamodb:PutItem", "dynamodb:DeleteItem"), table),
	)
	if v.everything {
		rights = append(rights, right(list("kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*"), ref("KmsKeyArn")))
	}
	rights = append(rights,
		right(list("logs:CreateLogStream", "logs:PutLogEvents"), getAtt("MovieListLogs", "Arn")),
		right(list("xray:PutTraceSegments", "xray:PutTelemetryRecords"), "*"))
	return func(t object) error {
		role := properties(t, "MovieListRole")
		var got []any
		for _, policy := range listAt(role, "Policies") {
			for _, s := range statements(at(policy, "PolicyDocument")) {
				got = append(got, list(s["Effect"], s["Action"], s["Resource"]))
			}
		}
		return errors.Join(
			want("role", properties(t, "MovieListFunction")["Role"], getAtt("MovieListRole", "Arn")),
			want("managed policies", role["ManagedPolicyArns"], nil),
			want("policies from elsewhere", attached(t, "MovieListRole"), []string(nil)),
			want("rights", got, rights),
		)
	}
}

func callsItsPaths(t object) error {
	role := properties(t, "CallerRole")
	rules := statements(properties(t, "CallerInvoke")["PolicyDocument"])
	if len(rules) != 1 {
		return fmt.Errorf("got %d statements in the caller's policy, want 1", len(rules))
	}
	const path = "arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:${MoviesApi}/${Stage}/GET/movie_list"
	return errors.Join(
		want("role", properties(t, "CallerFunction")["Role"], getAtt("CallerRole", "Arn")),
		want("inline policies", role["Policies"], nil),
		want("managed policies", role["ManagedPolicyArns"],
			list(sub("arn:${AWS::Partition}:iam::aws:policy/service-role/AWSLambdaVPCAccessExecutionRole"))),
		want("policies from elsewhere", attached(t, "CallerRole"), list("CallerInvoke")),
		want("effect", rules[0]["Effect"], "Allow"),
		want("actions", rules[0]["Action"], "execute-api:Invoke"),
		want("paths", rules[0]["Resource"], list(sub(path), sub(path+"/*/*"))),
	)
}

func built(t object) error {
	failures := []error{
		want("functions", ofType(t, "AWS::Lambda::Function"), list("CallerFunction", "MovieListFunction")),
		want("default architecture", at(t, "Parameters", "Architecture", "Default"), "arm64"),
	}
	logs := map[string]string{"CallerFunction": "CallerLogs", "MovieListFunction": "MovieListLogs"}
	for id, group := range logs {
		function := properties(t, id)
		failures = append(failures,
			want(id+": runtime", function["Runtime"], "provided.al2023"),
			want(id+": handler", function["Handler"], "bootstrap"),
			want(id+": architecture", function["Architectures"], list(ref("Architecture"))),
			want(id+": build", at(t, "Resources", id, "Metadata", "BuildMethod"), "makefile"),
			want(id+": log group", at(function, "LoggingConfig", "LogGroup"), ref(group)),
			want(group+": retention", properties(t, group)["RetentionInDays"], ref("LogRetentionDays")),
		)
	}
	return errors.Join(failures...)
}

func configured(v variant) func(object) error {
	endpoint := any("")
	if v.everything { // private DNS is off
		names := object{"Fn::Join": list[any](":", getAtt("ApiEndpoint", "DnsEntries"))}
		endpoint = object{"Fn::Select": list[any](1, object{"Fn::Split": list[any](":",
			object{"Fn::Join": list[any]("", list[any](names, ":"))})})}
	}
	return func(t object) error {
		movies := objectAt(properties(t, "MovieListFunction"), "Environment", "Variables")
		caller := objectAt(properties(t, "CallerFunction"), "Environment", "Variables")
		url, _ := at(caller, "MARQUEE_URL", "Fn::Sub").(string)
		if !strings.HasPrefix(url, "https://${MoviesApi}.execute-api.${AWS::Region}.") || !strings.HasSuffix(url, "/${Stage}") {
			return fmt.Errorf("MARQUEE_URL is %q, want the API's own name and its stage", url)
		}
		return errors.Join(
			want("TABLE_NAME", movies["TABLE_NAME"], ref("MoviesTable")),
			want("AWS_ENDPOINT_URL_DYNAMODB", movies["AWS_ENDPOINT_URL_DYNAMODB"], ""),
			want("MARQUEE_VPCE", caller["MARQUEE_VPCE"], endpoint),
			want("the caller's groups", at(properties(t, "CallerFunction"), "VpcConfig", "SecurityGroupIds"), list(ref("CallerSecurityGroup"))),
		)
	}
}

func kept(v variant) func(object) error {
	key := func(name, typ string) object { return object{"AttributeName": name, "KeyType": typ} }
	index := func(name, position string) object {
		return object{"IndexName": name, "KeySchema": list(key("pk", "HASH"), key(position, "RANGE")), "Projection": object{"ProjectionType": "ALL"}}
	}
	encryption := object{"SSEEnabled": true}
	if v.everything {
		encryption = object{"SSEEnabled": true, "SSEType": "KMS", "KMSMasterKeyId": ref("KmsKeyArn")}
	}
	return func(t object) error {
		table, resource := properties(t, "MoviesTable"), objectAt(t, "Resources", "MoviesTable")
		return errors.Join(
			want("tables", ofType(t, "AWS::DynamoDB::Table"), list("MoviesTable")),
			want("keys", table["KeySchema"], list(key("pk", "HASH"), key("sk", "RANGE"))),
			want("indexes", table["GlobalSecondaryIndexes"], list(index("by_year", "yk"), index("by_rating", "rk"))),
			want("time to live", table["TimeToLiveSpecification"], object{"AttributeName": "expires", "Enabled": true}),
			want("billing", table["BillingMode"], "PAY_PER_REQUEST"),
			want("encryption", table["SSESpecification"], encryption),
			want("recovery", at(table, "PointInTimeRecoverySpecification", "PointInTimeRecoveryEnabled"), true),
			want("protection in production", table["DeletionProtectionEnabled"], v.everything),
			want("when the stack is deleted", resource["DeletionPolicy"], "RetainExceptOnCreate"),
			want("when the table is replaced", resource["UpdateReplacePolicy"], "Retain"),
		)
	}
}
