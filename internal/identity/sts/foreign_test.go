package sts_test

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	awssts "github.com/aws/aws-sdk-go-v2/service/sts"
)

// chain is a role that another profile's caller may assume with an external id.
const chain = `
- name: base
  arn: arn:aws:iam::123456789012:user/base
  policies: [{Version: "2012-10-17", Statement: {Effect: Allow, Action: sts:AssumeRole, Resource: "arn:aws:iam::123456789012:role/team/Target"}}]
- name: target
  arn: arn:aws:iam::123456789012:role/team/Target
  trust:
    Version: "2012-10-17"
    Statement: {Effect: Allow, Principal: {AWS: "123456789012"}, Action: sts:AssumeRole, Condition: {StringEquals: {sts:ExternalId: "7/x"}}}
- name: stranger
`

const targetSession = "arn:aws:sts::123456789012:assumed-role/Target/one"

// TestAssumeRoleProvider: the SDK's own provider gets credentials, and gets new ones when they near their end.
func TestAssumeRoleProvider(t *testing.T) {
	h := newHouse(t, chain)
	provider := stscreds.NewAssumeRoleProvider(h.client(t, "base"), "arn:aws:iam::123456789012:role/team/Target", func(o *stscreds.AssumeRoleOptions) {
		o.RoleSessionName, o.ExternalID = "one", aws.String("7/x")
	})
	cache := aws.NewCredentialsCache(provider, func(o *aws.CredentialsCacheOptions) { o.ExpiryWindow = 2 * time.Hour })
	var ids []string
	for range 2 { // what lasts an hour is as good as over for a cache with this window
		c, err := cache.Retrieve(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, c.AccessKeyID)
		who, err := h.clientOf(c).GetCallerIdentity(t.Context(), nil)
		if err != nil || *who.Arn != targetSession {
			t.Errorf("the provider's credentials are of %v, %v; want %s", who, err, targetSession)
		}
	}
	if ids[0] == ids[1] {
		t.Error("the second credentials are the first ones")
	}
	provider = stscreds.NewAssumeRoleProvider(h.client(t, "base"), "arn:aws:iam::123456789012:role/team/Target")
	_, err := provider.Retrieve(t.Context())
	if got := refusalOf(t, err); got.Code != "AccessDenied" {
		t.Errorf("without the external id: got %+v, want AccessDenied", got)
	}
}

// files writes what a person would have: the credentials file of the house and a configuration that assumes a role.
func (h *house) files(t *testing.T) (environment map[string]string) {
	t.Helper()
	dir := t.TempDir()
	credentials, configuration := filepath.Join(dir, "credentials"), filepath.Join(dir, "config")
	if err := h.WriteCredentials(credentials); err != nil {
		t.Fatal(err)
	}
	text := "[profile assumed]\nrole_arn = arn:aws:iam::123456789012:role/team/Target\nsource_profile = base\n" +
		"role_session_name = one\nexternal_id = 7/x\nregion = " + region + "\n"
	if err := os.WriteFile(configuration, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return map[string]string{
		"AWS_SHARED_CREDENTIALS_FILE": credentials, "AWS_CONFIG_FILE": configuration, "AWS_ENDPOINT_URL_STS": h.url,
		"HOME":        dir, // the command line keeps assumed roles there, and would take one of another run
		"AWS_PROFILE": "assumed", "AWS_EC2_METADATA_DISABLED": "true", "AWS_MAX_ATTEMPTS": "1",
	}
}

// TestSharedConfig: nothing but AWS_ENDPOINT_URL_STS is special for the SDK's whole credential chain.
func TestSharedConfig(t *testing.T) {
	h := newHouse(t, chain)
	for name, value := range h.files(t) {
		t.Setenv(name, value)
	}
	for profile, want := range map[string]string{"assumed": targetSession, "base": user("base"), "stranger": session("stranger")} {
		cfg, err := config.LoadDefaultConfig(t.Context(), config.WithSharedConfigProfile(profile))
		if err != nil {
			t.Fatal(err)
		}
		who, err := awssts.NewFromConfig(cfg).GetCallerIdentity(t.Context(), nil)
		if err != nil || *who.Arn != want {
			t.Errorf("profile %s is %v, %v; want %s", profile, who, err, want)
		}
	}
}

// boto asks as boto3 does, for each profile that it is told.
const boto = `
import json, sys, boto3, botocore.exceptions
out = {}
for profile in sys.argv[1:]:
    try:
        sts = boto3.Session(profile_name=profile).client("sts")
        who = sts.get_caller_identity()
        out[profile] = [who["Arn"], who["Account"], who["UserId"]]
    except botocore.exceptions.ClientError as e:
        out[profile] = [e.response["Error"]["Code"], e.response["Error"]["Message"], str(e.response["ResponseMetadata"]["HTTPStatusCode"])]
try:
    boto3.Session(profile_name="stranger").client("sts").assume_role(
        RoleArn="arn:aws:iam::123456789012:role/team/Target", RoleSessionName="one", ExternalId="7/x",
        Tags=[{"Key": "a b", "Value": "ä+= /"}], TransitiveTagKeys=["a b"], DurationSeconds=900)
except botocore.exceptions.ClientError as e:
    out["assume"] = [e.response["Error"]["Code"], e.response["Error"]["Message"], str(e.response["ResponseMetadata"]["HTTPStatusCode"])]
print(json.dumps(out))
`

// TestBoto3 runs the same chain in Python's SDK.
func TestBoto3(t *testing.T) {
	h := newHouse(t, chain+"- {name: gone, lifetime: -1m}\n")
	id := func(profile string) string {
		holder, _ := h.Lookup(h.profile(t, profile).AccessKeyID)
		return holder.UniqueID
	}
	role, _ := h.Directory.Role("arn:aws:iam::123456789012:role/team/Target")
	targetID, _, _ := strings.Cut(id("target"), ":")
	want := map[string][]string{
		"base":     {user("base"), account, id("base")},
		"assumed":  {targetSession, account, targetID + ":one"},
		"stranger": {session("stranger"), account, id("stranger")},
		"gone":     {"ExpiredToken", "The security token included in the request is expired", "403"},
		"assume":   {"AccessDenied", "User: " + session("stranger") + " is not authorized to perform: sts:AssumeRole on resource: " + role.ARN, "403"},
	}
	out := run(t, h, "python3", "-c", boto, "base", "assumed", "stranger", "gone")
	var got map[string][]string
	if err := json.Unmarshal(out, &got); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for name, answer := range want {
		if strings.Join(got[name], "|") != strings.Join(answer, "|") {
			t.Errorf("%s: boto3 got %q, want %q", name, got[name], answer)
		}
	}
}

// TestAWSCLI is what people type.
func TestAWSCLI(t *testing.T) {
	h := newHouse(t, chain)
	out := run(t, h, "aws", "sts", "get-caller-identity", "--endpoint-url", h.url, "--query", "Arn", "--output", "text")
	if got := strings.TrimSpace(string(out)); got != targetSession {
		t.Errorf("aws sts get-caller-identity is %q, want %q", got, targetSession)
	}
}

// run runs a foreign client against the house, and skips the test where the client is not installed.
func run(t *testing.T, h *house, name string, args ...string) []byte {
	t.Helper()
	if name == "python3" && exec.CommandContext(t.Context(), name, "-c", "import boto3").Run() != nil {
		t.Skip("boto3 is not installed")
	}
	if _, err := exec.LookPath(name); err != nil {
		t.Skip(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Env = append(os.Environ(), "AWS_REGION="+region, "AWS_DEFAULT_REGION="+region)
	for variable, value := range h.files(t) {
		cmd.Env = append(cmd.Env, variable+"="+value)
	}
	out, err := cmd.Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		t.Fatalf("%s: %v: %s", name, err, exit.Stderr)
	}
	if err != nil {
		t.Fatal(err)
	}
	return out
}
