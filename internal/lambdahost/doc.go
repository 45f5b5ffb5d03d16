// Package lambdahost runs a Lambda function's own binary on this machine, as
// Lambda runs it: it serves the Lambda Runtime API, keeps one process for each
// concurrent invocation up to a limit, uses warm processes again, holds every
// invocation to its deadline and replaces processes that crash, hang or leave.
// [InvokeAPI] speaks Lambda's Invoke API for a set of functions.
//
// It knows nothing of API Gateway, of templates or of how a binary is built; it
// sandboxes nothing (a function runs with the rights of its host) and measures
// no memory. Extensions, SnapStart and response streaming towards the caller
// are not there: a streamed answer is collected and handed on whole.
//
// What is as on Lambda and what is not is said where it is decided:
// [Config], [Function.Invoke] and [InvokeAPI].
package lambdahost
