package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambdacontext"
	"github.com/awslabs/aws-lambda-go-api-proxy/core"
	"github.com/awslabs/aws-lambda-go-api-proxy/httpadapter"

	"github.com/marquee-api/marquee/internal/movies"
)

type function func(context.Context, events.APIGatewayProxyRequest) (events.APIGatewayProxyResponse, error)

// invoke answers API Gateway proxy events with the API.
//
// The query string needs no help: API Gateway's event holds it decoded and the adapter encodes it again. (The double
// encoding that the adapter is known for befalls events of a load balancer, which are not decoded.)
func invoke(api *movies.Handler) function {
	adapter := httpadapter.New(api)
	return func(ctx context.Context, event events.APIGatewayProxyRequest) (events.APIGatewayProxyResponse, error) {
		path, err := escape(event.Path)
		if err != nil {
			event.Path = "/"
			refusal := api.Refuse(&movies.Error{Code: movies.CodeInvalidPath, Message: err.Error()})
			return httpadapter.New(refusal).ProxyWithContext(ctx, event)
		}
		event.Path = path
		return adapter.ProxyWithContext(ctx, event)
	}
}

// escape makes the path of an event safe for the adapter, which appends it to "https://" and a host and parses the
// whole. The path of an event is as the caller sent it, not decoded, and may hold what a URL may not:
//   - a raw ? or # would end the path there;
//   - one raw byte that net/url finds unfit (a letter beyond ASCII, a space) makes it forget the caller's spelling, and
//     the %2F in a title becomes a slash;
//   - a % that begins no escape fails, which API Gateway would show as a 502.
//
// The first two are percent-encoded, the last is an error.
func escape(path string) (string, error) {
	const kept = "!$&'()*+,;=:@[]/-._~" // what net/url leaves as it is in a path, besides letters and digits
	var b strings.Builder
	for i := range len(path) {
		switch c := path[i]; {
		case c == '%' && (i+2 >= len(path) || !hex(path[i+1]) || !hex(path[i+2])):
			return "", fmt.Errorf("the path is not valid percent-encoding at byte %d: a percent sign is written %%25", i)
		case c == '%', 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', strings.IndexByte(kept, c) >= 0:
			b.WriteByte(c)
		default:
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String(), nil
}

func hex(c byte) bool { return strings.IndexByte("0123456789abcdefABCDEF", c) >= 0 }

// origin reads who and what a request is: API Gateway's part from the event, Lambda's from the invocation. The SDK passes
// the trace on to DynamoDB by itself.
func origin(ctx context.Context) movies.Origin {
	var from movies.Origin
	if gateway, ok := core.GetAPIGatewayContextFromContext(ctx); ok {
		from.RequestID, from.CallerARN = gateway.RequestID, gateway.Identity.UserArn
	}
	if invocation, ok := lambdacontext.FromContext(ctx); ok {
		from.InvocationID = invocation.AwsRequestID
	}
	// aws-lambda-go puts it here, under this plain text.
	from.TraceID, _ = ctx.Value("x-amzn-trace-id").(string)
	return from
}
