package main

import (
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"github.com/marquee-api/marquee/apiclient"
)

// required are the variables without which no call can be made. Lambda sets all but the first itself.
var required = []struct{ name, meaning string }{
	{"MARQUEE_URL", "the API's invoke URL with its stage, https://{api}.execute-api.{region}.amazonaws.com/{stage}"},
	{"AWS_REGION", "the function's region"},
	{"AWS_ACCESS_KEY_ID", "from the function's role"},
	{"AWS_SECRET_ACCESS_KEY", "from the function's role"},
}

// newClient reads the environment. MARQUEE_VPCE is the endpoint's DNS name where private DNS is off.
func newClient(getenv func(string) string, found aws.Credentials) (*apiclient.Client, error) {
	for _, v := range required {
		if getenv(v.name) == "" {
			return nil, fmt.Errorf("the environment variable %s is missing: %s", v.name, v.meaning)
		}
	}
	endpoint, err := apiclient.ResolveEndpoint(apiclient.EndpointConfig{
		URL:    getenv("MARQUEE_URL"),
		VPCE:   getenv("MARQUEE_VPCE"),
		Region: getenv("AWS_REGION"),
	})
	if err != nil {
		return nil, fmt.Errorf("MARQUEE_URL and MARQUEE_VPCE: %w", err)
	}
	return apiclient.New(apiclient.Config{
		Endpoint:    endpoint,
		Credentials: credentials.StaticCredentialsProvider{Value: found},
		// No more can be returned, and a function's memory is small.
		MaxResponseBytes: maxResult,
	})
}
