package main

import (
	"bytes"
	"crypto/sha1"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/marquee-api/marquee/internal/identity"
	"github.com/marquee-api/marquee/internal/identity/sts"
	"github.com/marquee-api/marquee/internal/sigv4"
)

// residents are who exists in the account of the credential scripts: a person who may assume a role with an external id,
// and the roles that AWS's services hand out.
const residents = `
- name: base
  arn: arn:aws:iam::123456789012:user/base
  policies: [{Version: "2012-10-17", Statement: {Effect: Allow, Action: sts:AssumeRole, Resource: "*"}}]
- name: target
  arn: arn:aws:iam::123456789012:role/Target
  trust:
    Version: "2012-10-17"
    Statement: {Effect: Allow, Principal: {AWS: "123456789012"}, Action: sts:AssumeRole, Condition: {StringEquals: {sts:ExternalId: "7/x"}}}
- {name: pod, arn: "arn:aws:iam::123456789012:role/Pod"}
- {name: irsa, arn: "arn:aws:iam::123456789012:role/Irsa"}
- name: node
  arn: arn:aws:iam::123456789012:role/Node
  policies: [{Version: "2012-10-17", Statement: {Effect: Allow, Action: sts:AssumeRole, Resource: "*"}}]
- {name: sso, arn: "arn:aws:iam::123456789012:role/Sso"}
- {name: second, arn: "arn:aws:iam::123456789012:role/Second"}
`

// TestCredentialScripts runs marquee call with each way to credentials that the SDK's chain knows, against services on
// loopback: testdata/credentials/*.txtar. The API lets in whose signature and session token are right, and says who it is.
//
// $API is that API, $CLOUD stands for AWS's services, pod.token and irsa.token are what they ask for, "ssotoken SESSION valid|expired" writes what "aws sso login" leaves.
func TestCredentialScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/credentials",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(env *testscript.Env) error {
			c, err := newCloud()
			if err != nil {
				return err
			}
			api, services := httptest.NewServer(http.HandlerFunc(c.answer)), httptest.NewServer(c.services())
			env.Defer(api.Close)
			env.Defer(services.Close)
			for name, value := range map[string]string{
				"API": api.URL + "/dev", "CLOUD": services.URL, "HOME": env.WorkDir, "AWS_REGION": "ap-northeast-2", "AWS_EC2_METADATA_DISABLED": "true",
				"AWS_ENDPOINT_URL_STS": services.URL, "AWS_ENDPOINT_URL_SSO": services.URL, "AWS_ENDPOINT_URL_SSO_OIDC": services.URL,
				"AWS_CONFIG_FILE": filepath.Join(env.WorkDir, "config"), "AWS_SHARED_CREDENTIALS_FILE": filepath.Join(env.WorkDir, "keys"),
			} {
				env.Setenv(name, value)
			}
			for _, who := range []string{"pod", "irsa"} { // without an end of line, as the real ones are
				if err := os.WriteFile(filepath.Join(env.WorkDir, who+".token"), []byte("token-of-"+who), 0o600); err != nil {
					return err
				}
			}
			return c.directory.WriteCredentials(filepath.Join(env.WorkDir, "keys"))
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"ssotoken": writeSSOToken, "status": wantStatus},
	})
}

// cloud is AWS as far as credentials need it.
type cloud struct {
	directory *identity.Directory
	verifier  sigv4.Verifier
	mu        sync.Mutex
	lives     map[string]int // requests that a session may still make; a missing one any number
}

func newCloud() (*cloud, error) {
	directory, err := identity.New(identity.Config{AccountID: "123456789012", Region: "ap-northeast-2"})
	if err != nil {
		return nil, err
	}
	return &cloud{directory: directory, lives: map[string]int{}}, directory.Load("residents.yaml", []byte(residents))
}

// answer is the API.
func (c *cloud) answer(w http.ResponseWriter, r *http.Request) {
	refuse := func(kind, message string) {
		w.Header().Set("X-Amzn-Errortype", kind)
		w.WriteHeader(http.StatusForbidden)
		fmt.Fprintf(w, `{"message":%q}`, message)
	}
	hash, err := sigv4.HashReader(r.Body)
	if err != nil {
		refuse("BadRequestException", err.Error())
		return
	}
	verified, err := c.verifier.Verify(&sigv4.VerifyInput{
		Method: r.Method, Target: r.RequestURI, Host: r.Host, Header: r.Header, PayloadHash: hash,
		Region: "ap-northeast-2", Service: "execute-api", Lookup: c.key,
	})
	if err != nil {
		refuse("InvalidSignatureException", err.Error())
		return
	}
	if c.spent(verified.AccessKeyID) {
		refuse("ExpiredTokenException", "The security token included in the request is expired")
		return
	}
	who, _ := c.directory.Lookup(verified.AccessKeyID)
	fmt.Fprintln(w, "signed by", who.Principal.ARN)
}

func (c *cloud) key(id string) (sigv4.Key, bool) {
	who, ok := c.directory.Lookup(id)
	if !ok {
		return sigv4.Key{}, false
	}
	return who.Key, true
}

func (c *cloud) spent(id string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	left, bounded := c.lives[id]
	c.lives[id] = left - 1
	if !bounded {
		delete(c.lives, id)
	}
	return bounded && left <= 0
}

// services are those that hand out credentials. Each insists on what the real one asks for.
func (c *cloud) services() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("POST /{$}", c.stsHandler())
	mux.HandleFunc("GET /pod/{lives}", c.pod)
	mux.HandleFunc("PUT /latest/api/token", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Aws-Ec2-Metadata-Token-Ttl-Seconds", r.Header.Get("X-Aws-Ec2-Metadata-Token-Ttl-Seconds"))
		fmt.Fprint(w, "token-of-imds")
	})
	mux.HandleFunc("GET /latest/meta-data/iam/security-credentials/{role...}", c.instance)
	mux.HandleFunc("GET /federation/credentials", c.sso)
	mux.HandleFunc("POST /token", func(w http.ResponseWriter, r *http.Request) {
		var in struct{ ClientID, ClientSecret, GrantType, RefreshToken string }
		if json.NewDecoder(r.Body).Decode(&in) != nil || in.RefreshToken != "refresh" || in.GrantType != "refresh_token" || in.ClientSecret != "secret" {
			http.Error(w, `{"error":"invalid_grant"}`, http.StatusBadRequest)
			return
		}
		writeJSON(w, map[string]any{"accessToken": "access", "expiresIn": 3600, "refreshToken": "refresh", "tokenType": "Bearer"})
	})
	return mux
}

// stsHandler is the local STS, with the two things that it does not know.
func (c *cloud) stsHandler() http.Handler {
	local := &sts.Server{Directory: c.directory, Region: "ap-northeast-2"}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		form, _ := url.ParseQuery(string(body))
		switch {
		case form.Get("Action") == "AssumeRoleWithWebIdentity":
			if form.Get("WebIdentityToken") != "token-of-irsa" || form.Get("RoleArn") != "arn:aws:iam::123456789012:role/Irsa" || r.Header.Get("Authorization") != "" {
				http.Error(w, "<ErrorResponse><Error><Code>InvalidIdentityToken</Code></Error></ErrorResponse>", http.StatusBadRequest)
				return
			}
			c.writeAssumed(w, "AssumeRoleWithWebIdentity", "Irsa")
		case form.Get("SerialNumber") != "":
			if form.Get("TokenCode") != "123456" {
				http.Error(w, "<ErrorResponse><Error><Code>AccessDenied</Code><Message>MultiFactorAuthentication failed with invalid MFA one time pass code.</Message></Error></ErrorResponse>", http.StatusForbidden)
				return
			}
			c.writeAssumed(w, "AssumeRole", "Second")
		default:
			r.Body = io.NopCloser(bytes.NewReader(body))
			local.ServeHTTP(w, r)
		}
	})
}

func (c *cloud) writeAssumed(w http.ResponseWriter, action, role string) {
	s := c.mint(role)
	w.Header().Set("Content-Type", "text/xml")
	fmt.Fprintf(w, `<%[1]sResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><%[1]sResult><Credentials><AccessKeyId>%s</AccessKeyId>`+
		`<SecretAccessKey>%s</SecretAccessKey><SessionToken>%s</SessionToken><Expiration>%s</Expiration></Credentials>`+
		`<AssumedRoleUser><Arn>arn:x</Arn><AssumedRoleId>x</AssumedRoleId></AssumedRoleUser></%[1]sResult></%[1]sResponse>`,
		action, s.id, s.secret, s.token, s.ends.Format(time.RFC3339))
}

// pod is the EKS Pod Identity agent: the token in the file is the pod's. The first session ends after so many requests.
func (c *cloud) pod(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Authorization") != "token-of-pod" {
		http.Error(w, `{"code":"x","message":"no"}`, http.StatusUnauthorized)
		return
	}
	s := c.mint("Pod")
	var lives int
	c.mu.Lock()
	if n, _ := fmt.Sscan(r.PathValue("lives"), &lives); n == 1 && len(c.lives) == 0 {
		c.lives[s.id] = lives
	}
	c.mu.Unlock()
	writeJSON(w, map[string]any{"AccessKeyId": s.id, "SecretAccessKey": s.secret, "Token": s.token, "Expiration": s.ends.Format(time.RFC3339)})
}

// instance is IMDS version 2.
func (c *cloud) instance(w http.ResponseWriter, r *http.Request) {
	switch {
	case r.Header.Get("X-Aws-Ec2-Metadata-Token") != "token-of-imds":
		http.Error(w, "", http.StatusUnauthorized)
	case r.PathValue("role") == "":
		fmt.Fprint(w, "Node")
	default:
		s := c.mint(r.PathValue("role"))
		writeJSON(w, map[string]any{"Code": "Success", "Type": "AWS-HMAC", "AccessKeyId": s.id, "SecretAccessKey": s.secret, "Token": s.token,
			"LastUpdated": time.Now().UTC().Format(time.RFC3339), "Expiration": s.ends.Format(time.RFC3339)})
	}
}

func (c *cloud) sso(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	if r.Header.Get("X-Amz-Sso_bearer_token") != "access" || q.Get("account_id") != "123456789012" {
		w.Header().Set("X-Amzn-Errortype", "UnauthorizedException")
		http.Error(w, `{"message":"Session token not found or invalid"}`, http.StatusUnauthorized)
		return
	}
	s := c.mint(q.Get("role_name"))
	writeJSON(w, map[string]any{"roleCredentials": map[string]any{
		"accessKeyId": s.id, "secretAccessKey": s.secret, "sessionToken": s.token, "expiration": s.ends.UnixMilli(),
	}})
}

// session is one that the cloud hands out.
type session struct {
	id, secret, token string
	ends              time.Time
}

func (c *cloud) mint(role string) session {
	who, err := c.directory.Mint(identity.Session{Entity: "arn:aws:iam::123456789012:role/" + role, Name: "one", Lifetime: time.Hour})
	if err != nil {
		return session{id: err.Error()}
	}
	return session{id: who.AccessKeyID, secret: who.Key.SecretAccessKey, token: who.Key.SessionToken, ends: time.Now().Add(time.Hour).UTC()}
}

func writeJSON(w http.ResponseWriter, value any) {
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(value)
}

// writeSSOToken writes the token cache under the name that the SDKs and the AWS CLI agree on.
func writeSSOToken(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: ssotoken SESSION valid|expired")
	}
	ends := time.Now().Add(time.Hour)
	token := "access"
	if args[1] == "expired" {
		ends, token = time.Now().Add(-time.Hour), "old"
	}
	sum := sha1.Sum([]byte(args[0]))
	path := ts.MkAbs(filepath.Join(".aws", "sso", "cache", strings.ToLower(hex.EncodeToString(sum[:]))+".json"))
	ts.Check(os.MkdirAll(filepath.Dir(path), 0o700))
	text, err := json.Marshal(map[string]string{
		"startUrl": "https://corp.awsapps.com/start", "region": "ap-northeast-2", "accessToken": token, "expiresAt": ends.UTC().Format(time.RFC3339),
		"clientId": "client", "clientSecret": "secret", "refreshToken": "refresh", "registrationExpiresAt": time.Now().Add(time.Hour).UTC().Format(time.RFC3339),
	})
	ts.Check(err)
	ts.Check(os.WriteFile(path, text, 0o600))
}
