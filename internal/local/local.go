// Package local runs a whole stack on this machine: it reads the template, builds the functions, starts the database,
// mints identities, opens the doors of the gateway and writes the files by which others find all this.
//
// It only joins the rooms beside it: what a template means is internal/stack's, who may call is internal/gateway's and
// internal/policy's, how a function runs is internal/lambdahost's. It has no rules of its own about any of these, and no
// configuration but the template and its parameters.
package local

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"golang.org/x/sync/errgroup"

	"github.com/marquee-api/marquee/internal/console"
	"github.com/marquee-api/marquee/internal/deployment"
	"github.com/marquee-api/marquee/internal/dynamolocal"
	"github.com/marquee-api/marquee/internal/gateway"
	"github.com/marquee-api/marquee/internal/gobuild"
	"github.com/marquee-api/marquee/internal/identity"
	"github.com/marquee-api/marquee/internal/identity/sts"
	"github.com/marquee-api/marquee/internal/lambdahost"
	"github.com/marquee-api/marquee/internal/secrets"
	"github.com/marquee-api/marquee/internal/stack"
	"github.com/marquee-api/marquee/internal/terminal"
)

// DefaultState is the state file's path, relative to the working directory.
const DefaultState = ".marquee/local.json"

// DefaultPort is the port of the VPC endpoint's door; the others take the next ones.
const DefaultPort = 8080

// openAPI is the document of the API, which the console serves if it lies beside the template.
const openAPI = "openapi.yaml"

// accountID is the account that every local stack is in: the one of AWS's documents.
const accountID = "123456789012"

// Options says what to run and where.
type Options struct {
	Template   string
	Config     string            // samconfig.toml; may be absent
	ConfigEnv  string            // its environment
	Parameters map[string]string // win over the configuration file
	Exports    map[string]string // of other stacks, for Fn::ImportValue
	Policies   map[string]string // files with managed policies that the template only names, by ARN

	Host       string // a further address to listen on; 127.0.0.1 is always one
	Port       int    // of the first door; 0: free ones
	Identities string // a file of further identities; empty: none
	DynamoDB   string // auto, java, docker or a URL
	Data       string // file to load into the first table; empty: none
	Watch      bool   // build functions again when their sources change
	Call       *bool  // whether to begin with a call through the caller function; nil: as the configuration file says
	// Loader chooses how the data file gets into the first table, by the table's description; nil, or a nil result: each
	// record is one item, as it stands.
	Loader  func(*dynamodb.CreateTableInput) Loader
	Faults  []gateway.Fault // what goes wrong on purpose
	Records io.Writer       // gets each request's record as a JSON line; nil: nobody
	State   string          // path of the state file
	Shared  bool            // if the state file is in use, take one in a folder of this run alone instead of failing

	// Patience is how long stopping waits for requests that are under way; 0: a few seconds.
	Patience time.Duration
	// Hurry is closed when stopping must not wait for anything any more; nil: never.
	Hurry <-chan struct{}

	Command string       // how the program was called, for the lines it prints
	Out     io.Writer    // progress and warnings
	Log     func(string) // the lines of each request and each line that a function prints; nil: none
	// Terminal is what Out and Log lead to; the zero value is plain text.
	Terminal terminal.Terminal
	Now      func() time.Time // nil: time.Now
}

// Loader reads records and writes the items that a service keeps of them. It returns the number of records.
type Loader func(ctx context.Context, client *dynamodb.Client, table string, records io.Reader) (int, error)

// Stack is a running stack.
type Stack struct {
	options  Options
	template *stack.Stack
	files    files
	state    State
	own      string // a folder of this run alone, removed with it; empty: none
	caller   string // the function that calls the API; empty: none does

	callsFirst bool

	ids         *identity.Directory
	secrets     secrets.Set // of all keys, API keys included
	keys        []gateway.APIKey
	builder     *gobuild.Builder
	fleet       *fleet
	doors       [doorCount]*opening
	servers     []*http.Server
	requests    requests
	db          *dynamolocal.Server
	release     func()
	endRotation func()
	failed      chan error
}

// The doors by their place: each port is the first one's plus this.
const (
	doorVPCE = iota
	doorOtherVPCE
	doorPublic
	doorLambda
	doorConsole
	doorSTS
	doorCount
	doorDynamoDB = doorConsole + 1 // the place of its port; DynamoDB Local listens itself
)

// Start brings the stack up. The context bounds the start; what was started when it fails is stopped again. The caller
// must Close the stack.
func Start(ctx context.Context, o Options) (_ *Stack, err error) {
	if err := lambdahost.Supported(); err != nil {
		return nil, err
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	s := &Stack{options: o, files: filesOf(o.State), failed: make(chan error, 1)}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.Close())
		}
	}()
	config, err := stack.LoadConfig(o.Config, o.ConfigEnv)
	if err != nil {
		return nil, err
	}
	if s.callsFirst = config.Call; o.Call != nil {
		s.callsFirst = *o.Call
	}
	if s.template, err = readTemplate(o, config); err != nil {
		return nil, err
	}
	apis, err := deployment.APIs(s.template)
	printWarnings(o.Out, s.template, apis)
	if err != nil {
		return nil, err
	}
	ways, err := deployment.NewDoors(s.template, o.Host)
	if err != nil {
		return nil, err
	}
	if s.ids, err = newDirectory(s.template, o, &s.secrets); err != nil {
		return nil, err
	}
	s.keys = deployment.APIKeys(s.template, rand.Text)
	if callers := deployment.Callers(s.template); len(callers) > 0 {
		s.caller = callers[0].Name
	}
	if err = s.claimState(); err != nil {
		return nil, err
	}
	if err := s.open(); err != nil {
		return nil, err
	}
	binaries, err := s.prepare(ctx)
	if err != nil {
		return nil, err
	}
	if err := s.serve(apis, ways, binaries); err != nil {
		return nil, err
	}
	return s, s.announce(ways)
}

// claimState takes the state file for this run.
func (s *Stack) claimState() (err error) {
	s.release, err = lockState(s.files.lock)
	if errors.Is(err, errLocked) && s.options.Shared {
		s.own = filepath.Join(filepath.Dir(s.options.State), fmt.Sprintf("run-%d", os.Getpid()))
		s.options.State = filepath.Join(s.own, filepath.Base(s.options.State))
		s.files = filesOf(s.options.State)
		s.release, err = lockState(s.files.lock)
	}
	if errors.Is(err, errLocked) {
		return fmt.Errorf("another run uses the state file %s: give this one its own with --state", s.options.State)
	}
	return err
}

// open takes the ports before anything slow is done, so that a busy one is told at once.
func (s *Stack) open() error {
	numbers, err := ports(s.options.Port, doorCount+1)
	if err != nil {
		return err
	}
	for i := range s.doors {
		place := i
		if i >= doorDynamoDB {
			place++
		}
		host := s.options.Host
		if i == doorConsole {
			host = loopback // it shows and does what is for the eyes and hands of this machine's user alone
		}
		if s.doors[i], err = openDoor(host, numbers[place]); err != nil {
			return err
		}
	}
	return nil
}

// prepare builds the functions and brings up the database, side by side.
func (s *Stack) prepare(ctx context.Context) (map[string]string, error) {
	var binaries map[string]string
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() (err error) {
		binaries, err = s.build(ctx)
		return err
	})
	if len(s.template.Tables) > 0 {
		group.Go(func() error { return s.startDatabase(ctx) })
	}
	return binaries, group.Wait()
}

func (s *Stack) startDatabase(ctx context.Context) (err error) {
	port := 0
	if s.options.Port != 0 {
		port = s.options.Port + doorDynamoDB
	}
	options := dynamolocal.Options{Mode: s.options.DynamoDB, Port: port, Progress: s.options.Out}
	if s.options.Host != "" {
		options.Hosts = []string{s.options.Host}
	}
	if s.db, err = dynamolocal.Start(ctx, options); err != nil {
		return err
	}
	return s.fill(ctx)
}

// serve starts the functions' hosts and answers at every door.
func (s *Stack) serve(apis []gateway.API, ways deployment.Doors, binaries map[string]string) (err error) {
	where := &addresses{
		stack: s.template, vpce: s.doors[doorVPCE].url(), public: s.doors[doorPublic].url(), sts: s.doors[doorSTS].url(),
		hosts: []string{loopback, "localhost", "::1", "host.docker.internal", s.options.Host},
	}
	if s.db != nil {
		where.dynamodb = s.db.URL
	}
	log := s.options.Log
	if log == nil {
		log = func(string) {}
	}
	lines := journal{terminal: s.options.Terminal, named: map[string]string{}, secrets: &s.secrets}
	for _, f := range s.template.Functions {
		lines.named[f.Name] = f.LogicalID
	}
	s.fleet, err = newFleet(where, binaries, s.ids, func(l lambdahost.LogLine) {
		if line, show := lines.function(l); show {
			log(line)
		}
	})
	if err != nil {
		return err
	}
	page := s.newConsole(ways)
	g, err := gateway.New(gateway.Config{
		Region: s.template.Region, AccountID: s.template.AccountID, APIs: apis, Identities: deployment.Holders(s.ids), Invoker: s.fleet,
		APIKeys: s.keys, UsagePlans: deployment.UsagePlans(s.template),
		Throttle: deployment.AccountThrottle(s.template.Region),
		Faults:   s.options.Faults, Now: s.options.Now,
		DetailBytes: console.DetailBytes, Secrets: &s.secrets,
		Observe: s.observers(page.Add, func(r gateway.Record) { log(lines.request(r)) }),
	})
	if err != nil {
		return err
	}
	handlers := [...]http.Handler{
		doorVPCE: g.Handler(ways.VPCE), doorOtherVPCE: g.Handler(ways.OtherVPCE), doorPublic: g.Handler(ways.Public),
		doorLambda:  s.fleet.invoke,
		doorConsole: page.Handler(),
		doorSTS: &sts.Server{
			Directory: s.ids, Region: s.template.Region, AllowedHosts: where.hosts, Now: s.options.Now,
			Observe: func(r sts.Record) { log(lines.sts(r)) },
		},
	}
	s.keepCredentials()
	s.answer(handlers[:])
	s.servers[doorConsole].RegisterOnShutdown(page.Close)
	return nil
}

// answer serves each door. Those of the API tell how names are spelt.
func (s *Stack) answer(handlers []http.Handler) {
	for i, handler := range handlers {
		if i <= doorPublic {
			s.doors[i].readAlong()
		}
		if i <= doorLambda {
			handler = s.requests.count(handler)
		}
		s.servers = append(s.servers, s.doors[i].serve(handler, s.fail))
	}
}

// observers hands each record to all who want it.
func (s *Stack) observers(all ...func(gateway.Record)) func(gateway.Record) {
	if s.options.Records != nil {
		all = append(all, recordWriter(s.options.Records, s.fail))
	}
	return func(r gateway.Record) {
		for _, observe := range all {
			observe(r)
		}
	}
}

func (s *Stack) fail(err error) {
	select {
	case s.failed <- err:
	default: // one is enough to stop
	}
}

// State returns what the state file says.
func (s *Stack) State() State { return s.state }

// Serve shows what to do next and waits: for the context, which is a wish and no error, or for a part that failed.
func (s *Stack) Serve(ctx context.Context) error {
	s.printNext(s.options.Out)
	watching, stop := context.WithCancel(ctx)
	ended := make(chan struct{})
	defer func() { stop(); <-ended }()
	go func() {
		defer close(ended)
		if !s.options.Watch {
			return
		}
		if err := s.watch(watching); err != nil && watching.Err() == nil {
			s.fail(fmt.Errorf("watching the sources: %w", err))
		}
	}()
	var database <-chan struct{}
	if s.db != nil {
		database = s.db.Done()
	}
	select {
	case <-ctx.Done():
		return nil
	case err := <-s.failed:
		return err
	case <-database:
		return errors.New("DynamoDB Local ended on its own")
	}
}
