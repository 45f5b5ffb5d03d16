package apiclient_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"github.com/marquee-api/marquee/apiclient"
)

// The names say how an API is reached. Real programs take them from their environment.
func ExampleResolveEndpoint() {
	for _, cfg := range []apiclient.EndpointConfig{
		{URL: "https://a1b2c3d4e5.execute-api.ap-northeast-2.amazonaws.com/dev"},
		{URL: "https://a1b2c3d4e5.execute-api.ap-northeast-2.amazonaws.com/dev",
			VPCE: "vpce-0abc-xyz.execute-api.ap-northeast-2.vpce.amazonaws.com"},
		{URL: "https://vpce-0abc-xyz.execute-api.ap-northeast-2.vpce.amazonaws.com/dev", APIID: "a1b2c3d4e5"},
		{URL: "https://a1b2c3d4e5-vpce-0abc.execute-api.ap-northeast-2.amazonaws.com/dev"},
		{URL: "https://movies.example.com", Region: "ap-northeast-2"},
		{URL: "http://127.0.0.1:8080/dev", Region: "ap-northeast-2"},
		{URL: "https://vpce-0abc-xyz.execute-api.ap-northeast-2.vpce.amazonaws.com/dev"},
	} {
		endpoint, err := apiclient.ResolveEndpoint(cfg)
		if err != nil {
			fmt.Println("error:", err)
			continue
		}
		fmt.Printf("%s: dial %s, Host %s\n", endpoint.Form(), endpoint.DialAddress(), endpoint.Host())
	}
	// Output:
	// private DNS name: dial a1b2c3d4e5.execute-api.ap-northeast-2.amazonaws.com, Host a1b2c3d4e5.execute-api.ap-northeast-2.amazonaws.com
	// VPC endpoint DNS name with the API's Host: dial vpce-0abc-xyz.execute-api.ap-northeast-2.vpce.amazonaws.com, Host a1b2c3d4e5.execute-api.ap-northeast-2.amazonaws.com
	// VPC endpoint DNS name with x-apigw-api-id: dial vpce-0abc-xyz.execute-api.ap-northeast-2.vpce.amazonaws.com, Host vpce-0abc-xyz.execute-api.ap-northeast-2.vpce.amazonaws.com
	// alias of API and VPC endpoint: dial a1b2c3d4e5-vpce-0abc.execute-api.ap-northeast-2.amazonaws.com, Host a1b2c3d4e5-vpce-0abc.execute-api.ap-northeast-2.amazonaws.com
	// custom domain name: dial movies.example.com, Host movies.example.com
	// loopback: dial 127.0.0.1:8080, Host 127.0.0.1:8080
	// error: invoke URL "https://vpce-0abc-xyz.execute-api.ap-northeast-2.vpce.amazonaws.com/dev" is a VPC endpoint's own DNS name, which does not say which API is meant: give the API's own URL and this name as the VPC endpoint, or the API's id beside it (x-apigw-api-id)
}

// exampleAPI stands for the private API in the examples.
func exampleAPI(answer http.HandlerFunc) (cfg apiclient.Config, stop func()) {
	server := httptest.NewServer(answer)
	endpoint, err := apiclient.ResolveEndpoint(apiclient.EndpointConfig{URL: server.URL + "/dev", Region: "ap-northeast-2"})
	if err != nil {
		panic(err)
	}
	return apiclient.Config{
		Endpoint:    endpoint,
		Credentials: credentials.NewStaticCredentialsProvider("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", ""),
	}, server.Close
}

// A service makes one client when it starts. Credentials come from the SDK's default chain:
//
//	cfg, err := config.LoadDefaultConfig(ctx)
//	…
//	client, err := apiclient.New(apiclient.Config{Endpoint: endpoint, Credentials: cfg.Credentials})
func ExampleClient_Do() {
	cfg, stop := exampleAPI(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.Method, " ", r.RequestURI) })
	defer stop()
	client, err := apiclient.New(cfg)
	if err != nil {
		fmt.Println(err)
		return
	}
	resp, err := client.Do(context.Background(), apiclient.Request{
		Path:       "/movie_list/{year}/{title}",
		PathParams: map[string]string{"year": "1997", "title": "Face/Off"},
		Query:      url.Values{"fields": {"plot"}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(resp.Status, string(resp.Body))
	// Output: 200 GET /dev/movie_list/1997/Face%2FOff?fields=plot
}

func ExampleClient_DoJSON() {
	cfg, stop := exampleAPI(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		io.Copy(w, r.Body)
	})
	defer stop()
	client, err := apiclient.New(cfg)
	if err != nil {
		fmt.Println(err)
		return
	}
	type movie struct {
		Year  int    `json:"year"`
		Title string `json:"title"`
	}
	var echoed movie
	err = client.DoJSON(context.Background(), apiclient.Request{
		Method: http.MethodPut,
		Path:   "/movie_list/2013/Rush",
		JSON:   movie{2013, "Rush"},
	}, &echoed)
	fmt.Println(echoed.Title, err)
	// Output: Rush <nil>
}

// What API Gateway refuses has a type; what the function answers has none.
func ExampleAPIError() {
	cfg, stop := exampleAPI(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Amzn-Errortype", "AccessDeniedException")
		w.Header().Set("X-Amzn-Requestid", "7e2f1b7c-0000-4000-8000-00000000000a")
		w.WriteHeader(http.StatusForbidden)
		io.WriteString(w, `{"Message":"User: … is not authorized to perform: execute-api:Invoke"}`)
	})
	defer stop()
	client, err := apiclient.New(cfg)
	if err != nil {
		fmt.Println(err)
		return
	}
	_, err = client.Do(context.Background(), apiclient.Request{Path: "/movie_list"})
	var refusal *apiclient.APIError
	if errors.As(err, &refusal) && refusal.Type == apiclient.TypeAccessDenied {
		fmt.Println("a policy refused:", refusal.Message)
		fmt.Println("look for it in the access log:", refusal.RequestID)
	}
	// Output:
	// a policy refused: User: … is not authorized to perform: execute-api:Invoke
	// look for it in the access log: 7e2f1b7c-0000-4000-8000-00000000000a
}

// A client that exists already, a generated one for instance, takes the transport.
func ExampleTransport() {
	cfg, stop := exampleAPI(func(w http.ResponseWriter, r *http.Request) {
		algorithm, _, _ := strings.Cut(r.Header.Get("Authorization"), " ")
		fmt.Fprint(w, "signed with ", algorithm)
	})
	defer stop()
	transport, err := apiclient.NewTransport(cfg)
	if err != nil {
		fmt.Println(err)
		return
	}
	existing := &http.Client{Transport: transport, Timeout: 10 * time.Second}
	resp, err := existing.Get(cfg.Endpoint.URL() + "/movie_list")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	fmt.Println(string(body), err)
	// Output: signed with AWS4-HMAC-SHA256 <nil>
}

// Answers that are longer than memory, or never end, are read as they stream.
func ExampleClient_HTTPClient() {
	cfg, stop := exampleAPI(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "event: one\n\n") })
	defer stop()
	client, err := apiclient.New(cfg)
	if err != nil {
		fmt.Println(err)
		return
	}
	req, err := client.NewRequest(context.Background(), apiclient.Request{Path: "/events"})
	if err != nil {
		fmt.Println(err)
		return
	}
	resp, err := client.HTTPClient().Do(req)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer resp.Body.Close()
	buf := make([]byte, 10)
	n, err := resp.Body.Read(buf)
	fmt.Println(string(buf[:n]), err)
	// Output: event: one <nil>
}

// Throttling is retried with a new signature. Here 404 is retried, too: what was written a moment ago may not be there yet.
func ExampleRetry() {
	calls := 0
	cfg, stop := exampleAPI(func(w http.ResponseWriter, r *http.Request) {
		if calls++; calls == 1 {
			w.WriteHeader(http.StatusNotFound)
		}
	})
	defer stop()
	cfg.Retry = apiclient.Retry{
		MaxAttempts: 5,
		MaxBackoff:  10 * time.Millisecond,
		Condition: func(a apiclient.Attempt) bool {
			return a.StatusCode == http.StatusNotFound || apiclient.RetryTransient(a)
		},
	}
	client, err := apiclient.New(cfg)
	if err != nil {
		fmt.Println(err)
		return
	}
	resp, err := client.Do(context.Background(), apiclient.Request{Path: "/movie_list/2013/Rush"})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(resp.Status, "after", resp.Attempts, "attempts")
	// Output: 200 after 2 attempts
}

// A machine whose clock is ten minutes late is refused once, and told the time.
func ExampleClock() {
	gateway := time.Now().Add(10 * time.Minute)
	cfg, stop := exampleAPI(func(w http.ResponseWriter, r *http.Request) {
		signed, _ := time.Parse("20060102T150405Z", r.Header.Get("X-Amz-Date"))
		if gateway.Sub(signed) > 5*time.Minute {
			w.Header().Set("Date", gateway.UTC().Format(http.TimeFormat))
			w.Header().Set("X-Amzn-Errortype", "InvalidSignatureException")
			w.WriteHeader(http.StatusForbidden)
			io.WriteString(w, `{"message":"Signature expired: …"}`)
		}
	})
	defer stop()
	cfg.Clock = apiclient.Clock{OnCorrection: func(c apiclient.ClockCorrection) {
		fmt.Println("this clock is late by", c.Offset.Round(time.Minute))
	}}
	client, err := apiclient.New(cfg)
	if err != nil {
		fmt.Println(err)
		return
	}
	resp, err := client.Do(context.Background(), apiclient.Request{Path: "/movie_list"})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(resp.Status)
	// Output:
	// this clock is late by 10m0s
	// 200
}

// A presigned URL lets somebody else make one particular request for a few minutes.
func ExampleClient_Presign() {
	cfg, stop := exampleAPI(func(http.ResponseWriter, *http.Request) {})
	defer stop()
	client, err := apiclient.New(cfg)
	if err != nil {
		fmt.Println(err)
		return
	}
	signed, err := client.Presign(context.Background(), apiclient.Request{Path: "/movie_list"}, time.Minute)
	if err != nil {
		fmt.Println(err)
		return
	}
	resp, err := http.Get(signed) // anybody, without credentials
	if err != nil {
		fmt.Println(err)
		return
	}
	resp.Body.Close()
	fmt.Println(resp.Request.URL.Query().Get("X-Amz-Expires"), "seconds")
	// Output: 60 seconds
}

// Any provider will do. One that is no cache of the SDK's is wrapped in one, so it is asked as seldom as possible.
func ExampleConfig_credentials() {
	cfg, stop := exampleAPI(func(http.ResponseWriter, *http.Request) {})
	defer stop()
	asked := 0
	cfg.Credentials = aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
		asked++
		return aws.Credentials{AccessKeyID: "AKIAIOSFODNN7EXAMPLE", SecretAccessKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"}, nil
	})
	client, err := apiclient.New(cfg)
	if err != nil {
		fmt.Println(err)
		return
	}
	for range 3 {
		if _, err := client.Do(context.Background(), apiclient.Request{Path: "/movie_list"}); err != nil {
			fmt.Println(err)
		}
	}
	fmt.Println("asked", asked, "time")
	// Output: asked 1 time
}

// A path is a template: what stands in for a variable is encoded once and stays one segment of the path.
func ExampleRequest() {
	cfg, stop := exampleAPI(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.RequestURI) })
	defer stop()
	client, err := apiclient.New(cfg)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, title := range []string{"Face/Off", "Amélie", "50/50 & more?", ".."} {
		resp, err := client.Do(context.Background(), apiclient.Request{
			Path:       "/movie_list/{year}/{title}",
			PathParams: map[string]string{"year": "1997", "title": title},
		})
		if err != nil {
			fmt.Println("error:", err)
			continue
		}
		fmt.Println(string(resp.Body))
	}
	// Output:
	// /dev/movie_list/1997/Face%2FOff
	// /dev/movie_list/1997/Am%C3%A9lie
	// /dev/movie_list/1997/50%2F50%20%26%20more%3F
	// error: GET /movie_list/{year}/{title}: {title} comes out as "..", which would name another resource
}

// Without a whole answer the error says which call it was, and how often it was sent.
func ExampleCallError() {
	cfg, stop := exampleAPI(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "100")
		io.WriteString(w, "not so many")
	})
	defer stop()
	cfg.Retry.MaxBackoff = time.Millisecond
	client, err := apiclient.New(cfg)
	if err != nil {
		fmt.Println(err)
		return
	}
	_, err = client.Do(context.Background(), apiclient.Request{Path: "/movie_list"})
	var call *apiclient.CallError
	if errors.As(err, &call) {
		fmt.Println(call.Attempts, "attempts:", call.Err)
	}
	// Output: 3 attempts: reading the answer: unexpected EOF
}
