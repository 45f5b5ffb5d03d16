package main

import (
	"time"

	"github.com/spf13/cobra"

	"github.com/marquee-api/marquee/internal/local"
	"github.com/marquee-api/marquee/internal/sidecar"
)

const proxyLong = `Sign for programs that do not: a proxy beside them that takes plain HTTP on loopback and calls the private API.

A request for /movie_list goes to --url + /movie_list, signed, and its answer comes back as it is, streamed. The client's
Authorization is not passed on. A body is taken in whole before it is sent, because the signature covers its hash; one of
more than 10 MiB, API Gateway's limit, is answered 413. Answers of the proxy's own have a Proxy-Status header and the body
{"error":{"code":"…","message":"…"}}; what the API answers is not changed, but for session tokens that it quotes.

The API is --url, else the local stack that is running (its state file), else MARQUEE_URL. Against the local stack the
requests are signed by its profile caller, or reader if it has no caller; elsewhere by the SDK's default credentials, which
are renewed before they end. A profile that --profile or AWS_PROFILE names is the local stack's, or if it has none of that
name the one of the SDK's configuration. The region is read from the API's name, else it is --region, else AWS_REGION.

Nothing is sent twice unless --retry says so: whoever calls the proxy has retries of its own, and two layers of them
multiply. What API Gateway refused for a wrong clock or an ended token is put right and repeated once.

SIGTERM stops it in order: /-/ready turns to 503, new requests are answered for --drain-delay, those under way have
--drain-timeout. Exit status 0 after that, 1 if something was cut off. A second SIGTERM or Ctrl-C ends it at once, with 1.`

const proxyExample = `  marquee proxy                                                                   # for the local stack
  marquee proxy --url https://a1b2c3d4e5.execute-api.ap-northeast-2.amazonaws.com/dev
  marquee proxy --url https://a1b2c3d4e5.execute-api.ap-northeast-2.amazonaws.com/dev \
      --vpce vpce-0abc-xyz.execute-api.ap-northeast-2.vpce.amazonaws.com           # private DNS is off
  marquee proxy --listen unix:/run/marquee.sock --socket-mode 0660 --add 'X-Caller: billing'
  marquee proxy --listen :9443 --tls-cert tls.crt --tls-key tls.key --tls-client-ca clients.pem --allow-host signer
  marquee proxy --check                                                           # exit status 0: it is ready
  curl http://127.0.0.1:9000/movie_list`

// proxyOptions are the flags of marquee proxy.
type proxyOptions struct {
	target callOptions // url, vpce, region, profile, state

	listen, admin, addresses     string
	socketMode                   string
	tlsCert, tlsKey, tlsClientCA string
	insecureListen               bool
	allowHosts, allowOrigins     []string
	strip, add, addFile          []string
	keepForwarded                bool
	retry                        int
	ca                           string
	http1                        bool
	idleConnections              int
	timeouts                     sidecar.Timeouts
	drainDelay, drainTimeout     time.Duration
	spoolDir                     string
	spoolMemory                  int
	noAccessLog                  bool
	check                        string
}

func newProxyCommand(env environment) *cobra.Command {
	o := proxyOptions{timeouts: sidecar.DefaultTimeouts()}
	cmd := &cobra.Command{
		Use:     "proxy",
		Short:   "Sign for programs that do not: a proxy beside them",
		Long:    proxyLong,
		Example: proxyExample,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if o.check != "" {
				return checkProxy(cmd.Context(), o)
			}
			o.target.stateGiven = cmd.Flags().Changed("state")
			return runProxy(cmd.Context(), env, o)
		},
	}
	o.addressFlags(cmd)
	o.requestFlags(cmd)
	o.operationFlags(cmd)
	return cmd
}

// addressFlags say who is called, and where clients come in.
func (o *proxyOptions) addressFlags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&o.target.url, "url", "", "invoke `URL` of the API with its stage")
	f.StringVar(&o.target.vpce, "vpce", "", "`DNS-NAME` of the VPC endpoint to dial where private DNS is off (else MARQUEE_VPCE)")
	f.StringVar(&o.target.region, "region", "", "`region` of an API whose name does not say it")
	f.StringVar(&o.target.profile, "profile", "", "`name` of the profile whose credentials sign")
	f.StringVar(&o.target.state, "state", local.DefaultState, "state `file` of the local stack")
	f.StringVar(&o.listen, "listen", "127.0.0.1:9000", "`address` for clients: host:port, or unix:PATH; port 0 takes a free one")
	f.StringVar(&o.admin, "admin", "127.0.0.1:9001", "`address` of /-/healthy, /-/ready and /-/metrics, in plain HTTP; off is none")
	f.StringVar(&o.addresses, "addresses", "", "a `file` to write both addresses to, as JSON, while it serves")
	f.StringVar(&o.socketMode, "socket-mode", "0600", "`mode` of the Unix socket, in octal")
	f.StringVar(&o.tlsCert, "tls-cert", "", "PEM `file`: listen with TLS and this certificate; read again when it changes")
	f.StringVar(&o.tlsKey, "tls-key", "", "PEM `file` of its key")
	f.StringVar(&o.tlsClientCA, "tls-client-ca", "", "PEM `file`: let only clients in whose certificate one of these has signed")
	f.BoolVar(&o.insecureListen, "insecure-listen", false, "listen to the network without TLS; whoever reaches it has requests signed")
	f.StringArrayVar(&o.allowHosts, "allow-host", nil, "a `name` that clients may send as Host, beside loopback's and the API's; '*' is any (repeatable)")
	f.StringArrayVar(&o.allowOrigins, "allow-origin", nil, "a web `origin` whose pages may send more than GET (repeatable)")
}

// requestFlags say what becomes of a request.
func (o *proxyOptions) requestFlags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringArrayVar(&o.strip, "strip", nil, "a request `header` to leave out (repeatable)")
	f.StringArrayVar(&o.add, "add", nil, "`'Name: value'` to send in place of what the client sent under that name (repeatable)")
	f.StringArrayVar(&o.addFile, "add-file", nil, "`'Name: FILE'`: the same with the value in a file, for a secret; read again when it changes (repeatable)")
	f.BoolVar(&o.keepForwarded, "keep-forwarded", false, "pass the client's Forwarded, X-Forwarded-* and X-Real-IP on")
	f.IntVar(&o.retry, "retry", 0, "send again up to `N` times what failed for the moment: throttling and connections that cannot be made, and if the method is idempotent 5xx and lost connections")
	f.StringVar(&o.ca, "ca", "", "PEM `file` of the authorities to trust in place of the system's")
	f.BoolVar(&o.http1, "http1", false, "never speak HTTP/2 to the API")
	f.IntVar(&o.idleConnections, "idle-connections", 128, "keep up to `N` unused connections to the API open, as many as there are requests at once; those for bodies of more than 16 KiB count apart")
	f.StringVar(&o.spoolDir, "spool-dir", "", "`directory` for what does not fit into memory of request bodies (default: the system's for such files)")
	f.IntVar(&o.spoolMemory, "spool-memory", 16, "`MiB` of memory for all request bodies together, beyond 32 KiB each")
	f.DurationVar(&o.timeouts.ReadHeader, "read-header-timeout", o.timeouts.ReadHeader, "for a client's request header")
	f.DurationVar(&o.timeouts.Body, "body-timeout", o.timeouts.Body, "for a client's request body")
	f.DurationVar(&o.timeouts.Idle, "idle-timeout", o.timeouts.Idle, "for a client's connection between requests")
	f.DurationVar(&o.timeouts.Dial, "dial-timeout", o.timeouts.Dial, "for a connection to the API, and as long again for TLS")
	f.DurationVar(&o.timeouts.ResponseHeader, "response-header-timeout", o.timeouts.ResponseHeader, "for the API to begin its answer")
	f.DurationVar(&o.timeouts.Request, "timeout", o.timeouts.Request, "for a request as a whole, its answer's body included; 0 is no limit")
}

// operationFlags say how it is run.
func (o *proxyOptions) operationFlags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.DurationVar(&o.drainDelay, "drain-delay", 0, "after SIGTERM, go on answering new requests for this long while /-/ready says 503")
	f.DurationVar(&o.drainTimeout, "drain-timeout", 30*time.Second, "then give requests under way this long")
	f.BoolVar(&o.noAccessLog, "no-access-log", false, "log no line for each request")
	f.StringVar(&o.check, "check", "", "ask the proxy that runs at --admin whether it is `ready` or healthy, and say so by the exit status")
	f.Lookup("check").NoOptDefVal = "ready"
}
