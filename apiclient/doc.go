// Package apiclient calls a private API Gateway REST API that asks for AWS_IAM: it signs requests with Signature
// Version 4 and knows every way into such an API.
//
// Start with [ResolveEndpoint], which turns an invoke URL, and a VPC endpoint's name where private DNS is off, into what
// is dialled, what is sent as Host, and what is signed. Then take one of two doors:
//
//   - [Client] speaks in requests and answers: path templates, JSON, typed errors. Services want this one.
//   - [Transport] is an [net/http.RoundTripper] for clients that exist already, generated ones for instance.
//
// Both retry what is safe to retry with a fresh signature, correct a wrong clock, and ask for new credentials when the
// gateway says that a token has ended. Both refuse what would give a signature away: other hosts than the API's, plain
// http off loopback, redirects.
//
// Where credentials come from is the caller's business: any [github.com/aws/aws-sdk-go-v2/aws.CredentialsProvider] will
// do, the default chain of the SDK's config package above all. The package reads no file, and of the environment only
// what net/http reads for a proxy, unless a Base is given, and what the SDK's retry package reads for itself. It signs
// for execute-api only.
package apiclient
