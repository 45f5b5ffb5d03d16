package main

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/credentials/ssocreds"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/logging"

	"github.com/marquee-api/marquee/apiclient"
	"github.com/marquee-api/marquee/internal/local"
	"github.com/marquee-api/marquee/internal/waiting"
)

// callTarget is where a request goes and who signs it.
type callTarget struct {
	endpoint    *apiclient.Endpoint
	credentials aws.CredentialsProvider
	state       *callState // nil when the target is not the local stack
}

// callState is the running local stack, as the state file at path describes it.
type callState struct {
	local.State
	path string
}

// findTarget decides which API is meant: --url, else the local stack, else MARQUEE_URL. It takes the headers that name
// an API out of the request's.
func findTarget(ctx context.Context, env environment, o callOptions, header http.Header) (*callTarget, error) {
	state, err := readCallState(o.state)
	switch {
	case errors.Is(err, local.ErrNotRunning) && o.stateGiven && o.url == "":
		return nil, fmt.Errorf("state file %s is not there: start the local stack with `make run`, or give --url", o.state)
	case err != nil && !errors.Is(err, local.ErrNotRunning):
		return nil, err
	}
	where := apiclient.EndpointConfig{URL: o.url, VPCE: o.vpce, Region: o.region}
	switch {
	case o.url != "":
		if !state.owns(o.url) && !state.owns(o.vpce) {
			state = nil
		}
	case state != nil:
		where.URL = state.InvokeURL
	default:
		where.URL = env.Getenv("MARQUEE_URL")
	}
	if where.URL == "" {
		return nil, fmt.Errorf("no API to call: no local stack is running here (%s is not there), and neither --url nor MARQUEE_URL is given; start one with `make run`, or give --url", o.state)
	}
	if where.VPCE == "" && state == nil {
		where.VPCE = env.Getenv("MARQUEE_VPCE")
	}
	if err := useNamingHeaders(&where, header); err != nil {
		return nil, err
	}
	return newTarget(ctx, env, o, where, state)
}

func newTarget(ctx context.Context, env environment, o callOptions, where apiclient.EndpointConfig, state *callState) (*callTarget, error) {
	var (
		provider aws.CredentialsProvider
		region   string
		err      error
	)
	if state != nil {
		region = state.Region
		provider, err = state.providerOrChain(ctx, env, o.profile)
	} else {
		provider, region, err = defaultProvider(ctx, env, o.profile)
	}
	if err != nil {
		return nil, err
	}
	if where.Region == "" {
		where.Region = region
	}
	if name := hostOf(where.URL); where.APIID == "" && strings.HasPrefix(name, "vpce-") {
		return nil, fmt.Errorf("the URL names a VPC endpoint, which does not say which API is meant: give the API's own URL, https://{api}.execute-api.{region}.amazonaws.com/{stage}, as --url, and beside it --vpce %s", name)
	}
	endpoint, err := apiclient.ResolveEndpoint(where)
	if err != nil {
		return nil, err
	}
	return &callTarget{endpoint: endpoint, credentials: provider, state: state}, nil
}

// defaultProvider is the SDK's chain: environment, profiles, SSO, web identity, containers, instances. A profile whose
// role wants a second factor asks for its code.
func defaultProvider(ctx context.Context, env environment, profile string) (aws.CredentialsProvider, string, error) {
	var options []func(*config.LoadOptions) error
	if profile != "" {
		options = append(options, config.WithSharedConfigProfile(profile))
	}
	cfg, err := loadChain(ctx, env, options...)
	var unknown config.SharedConfigProfileNotExistError
	if errors.As(err, &unknown) {
		return nil, "", fmt.Errorf("there is no profile %q: `aws configure list-profiles` names those that there are", unknown.Profile)
	}
	return cfg.Credentials, cfg.Region, err
}

// loadChain keeps the SDK from writing to standard error itself: a link of the chain that is not there is no news, and what
// fails is an error.
func loadChain(ctx context.Context, env environment, options ...func(*config.LoadOptions) error) (aws.Config, error) {
	options = append(options, config.WithLogger(logging.Nop{}))
	cfg, err := config.LoadDefaultConfig(ctx, append(options, config.WithAssumeRoleCredentialOptions(func(o *stscreds.AssumeRoleOptions) {
		o.TokenProvider = func() (string, error) { return askForCode(env, aws.ToString(o.SerialNumber)) }
	}))...)
	if err != nil {
		return cfg, fmt.Errorf("looking for credentials: %w", err)
	}
	return cfg, nil
}

// askForCode reads the code of a second factor from standard input.
func askForCode(env environment, device string) (string, error) {
	fmt.Fprintf(env.Stderr, "marquee: code of %s: ", device)
	line, err := bufio.NewReader(io.LimitReader(env.Stdin, 64)).ReadString('\n')
	code := strings.TrimSpace(line)
	if code == "" {
		return "", fmt.Errorf("the profile's role wants the code of %s, and standard input holds none: %w", device, cmp.Or(err, io.ErrUnexpectedEOF))
	}
	return code, nil
}

// useNamingHeaders reads -H Host and -H x-apigw-api-id as what they mean to a VPC endpoint: which API is called.
func useNamingHeaders(where *apiclient.EndpointConfig, header http.Header) error {
	u, err := url.Parse(where.URL)
	if err != nil || u.Host == "" {
		return nil // ResolveEndpoint says what is wrong with it
	}
	host := header.Get("Host")
	header.Del("Host")
	switch {
	case host == "" || strings.EqualFold(host, u.Host):
	case where.VPCE != "":
		return fmt.Errorf("-H Host names %s, the URL %s: give the one that is meant as --url beside the VPC endpoint", host, u.Host)
	default:
		where.VPCE = u.Scheme + "://" + u.Host
		u.Scheme, u.Host = "https", host
		where.URL = u.String()
	}
	if id := header.Get("X-Apigw-Api-Id"); id != "" && strings.HasPrefix(u.Hostname(), "vpce-") {
		header.Del("X-Apigw-Api-Id")
		where.APIID = id
	}
	return nil
}

// hostOf is the name in a URL; ResolveEndpoint says what is wrong with one that has none.
func hostOf(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return ""
	}
	return u.Hostname()
}

func readCallState(path string) (*callState, error) {
	state, err := local.ReadState(path)
	if err != nil {
		return nil, fmt.Errorf("state file %w", err)
	}
	s := &callState{State: *state, path: path}
	if s.InvokeURL == "" {
		return nil, fmt.Errorf("state file %s holds no invoke_url: start the local stack anew with `make run`", path)
	}
	return s, nil
}

// owns reports whether a URL is one of the local stack's doors, so that its credentials are the right ones.
func (s *callState) owns(raw string) bool {
	u, err := url.Parse(raw)
	if s == nil || err != nil || u.Host == "" {
		return false
	}
	doors := []string{s.InvokeURL, s.Endpoints.VPCE.URL, s.Endpoints.OtherVPCE.URL, s.Endpoints.Public.URL}
	return slices.ContainsFunc(doors, func(door string) bool {
		d, err := url.Parse(door)
		return err == nil && d.Host != "" && d.Port() == u.Port() && isThisMachine(u.Hostname())
	})
}

func isThisMachine(host string) bool {
	return slices.Contains([]string{"127.0.0.1", "localhost", "::1", "host.docker.internal"}, host)
}

// unknownProfileError says that the local stack has no profile of a name.
type unknownProfileError struct {
	profile string
	source  string // who named it
	has     []string
}

func (e *unknownProfileError) Error() string {
	return fmt.Sprintf("the local stack has no profile %q (%s): it has %s", e.profile, e.source, strings.Join(e.has, ", "))
}

// byDefault is the source of a profile that nobody named.
const byDefault = "the default"

// providerOrChain is the local stack's profile, or if it has none of that name the one of the SDK's configuration. Only a
// profile that somebody named is looked for there: what else the SDK's chain may find belongs to AWS, and is not for a
// program on this machine.
func (s *callState) providerOrChain(ctx context.Context, env environment, asked string) (aws.CredentialsProvider, error) {
	provider, err := s.provider(ctx, asked, env.Getenv("AWS_PROFILE"))
	var unknown *unknownProfileError
	if !errors.As(err, &unknown) || unknown.source == byDefault {
		return provider, err
	}
	cfg, err := loadChain(ctx, env, config.WithSharedConfigProfile(unknown.profile), config.WithDefaultRegion(s.Region))
	if errors.As(err, new(config.SharedConfigProfileNotExistError)) {
		return nil, fmt.Errorf("%w; neither has the configuration of the SDKs, which is what AWS_CONFIG_FILE and AWS_SHARED_CREDENTIALS_FILE name, else ~/.aws/config and ~/.aws/credentials", unknown)
	}
	return cfg.Credentials, err
}

// provider reads one of the local stack's profiles: the one that is asked for, else caller, else reader.
func (s *callState) provider(ctx context.Context, asked, fromEnv string) (aws.CredentialsProvider, error) {
	profile, source := asked, "--profile"
	if profile == "" {
		profile, source = fromEnv, "AWS_PROFILE"
	}
	if profile == "" {
		profile, source = "reader", byDefault
		if _, ok := s.Profiles["caller"]; ok {
			profile = "caller"
		}
	}
	file, err := s.credentialsPath()
	if err != nil {
		return nil, err
	}
	shared, err := config.LoadSharedConfigProfile(ctx, profile, func(o *config.LoadSharedConfigOptions) {
		o.CredentialsFiles, o.ConfigFiles = []string{file}, []string{}
	})
	var unknown config.SharedConfigProfileNotExistError
	if errors.As(err, &unknown) {
		return nil, &unknownProfileError{profile, source, slices.Sorted(maps.Keys(s.Profiles))}
	}
	if err != nil {
		return nil, fmt.Errorf("profile %q of %s: %w", profile, file, err)
	}
	if !shared.Credentials.HasKeys() {
		return nil, fmt.Errorf("profile %q of %s holds no keys", profile, file)
	}
	return credentials.StaticCredentialsProvider{Value: shared.Credentials}, nil
}

// credentialsPath finds the credentials file: as it is written, which is right in the directory that the stack was
// started in, else in the directory that the state file's own place points to.
func (s *callState) credentialsPath() (string, error) {
	if s.CredentialsFile == "" {
		return "", fmt.Errorf("state file %s holds no credentials_file: start the local stack anew with `make run`", s.path)
	}
	beside := filepath.Dir(s.path)
	candidates := []string{s.CredentialsFile}
	if !filepath.IsAbs(s.CredentialsFile) {
		candidates = append(candidates,
			filepath.Join(filepath.Dir(beside), s.CredentialsFile),
			filepath.Join(beside, filepath.Base(s.CredentialsFile)))
	}
	for _, path := range candidates {
		if _, err := os.Stat(path); err == nil {
			return path, nil
		}
	}
	return "", fmt.Errorf("credentials file %s of the local stack is not there: the stack that wrote %s has stopped; start it anew with `make run`", s.CredentialsFile, s.path)
}

// imdsService is the instance metadata service, the last link of the SDK's chain: who ends there has no credentials, and on
// most machines no such service either.
const imdsService = "ec2imds"

var errNoCredentials = errors.New("there are no credentials to sign with: give --profile, or the variables AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY; " +
	"`aws configure list-profiles` names the profiles that there are, `make run` starts a local stack with its own")

// retrieve looks for the credentials before anything else takes time: asking a person for a code may take any.
func (t *callTarget) retrieve(ctx context.Context) error {
	if _, err := t.credentials.Retrieve(ctx); err != nil {
		return t.explain(fmt.Errorf("looking for credentials: %w", err))
	}
	return nil
}

// explain says what a refused connection means: a state file outlives a stack that was killed. And it says how one logs
// in where nobody has, or not for some time.
func (t *callTarget) explain(err error) error {
	var (
		imds    *smithy.OperationError
		timeout *waiting.Timeout
	)
	switch {
	case errors.As(err, &imds) && imds.Service() == imdsService:
		return errNoCredentials
	case errors.As(err, &timeout):
		return fmt.Errorf("%w: --timeout gives it more time, 0 any", err)
	}
	if login := (*ssocreds.InvalidTokenError)(nil); errors.As(err, &login) {
		return fmt.Errorf("%w: log in with `aws sso login` for this profile", err)
	}
	if t.state != nil && errors.Is(err, syscall.ECONNREFUSED) {
		return fmt.Errorf("the local stack of %s does not answer at %s: it has stopped; start it anew with `make run`, or remove the file", t.state.path, t.endpoint.DialAddress())
	}
	return err
}
