package sts

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/marquee-api/marquee/internal/policy"
	"github.com/marquee-api/marquee/internal/sigv4"
)

// refusal is an error as AWS sends it, and for the one who runs the server why.
type refusal struct {
	status  int
	code    string
	message string
	why     string // never sent
}

func (r *refusal) because(why string) *refusal {
	r.why = why
	return r
}

// The catalogue. Codes and statuses are those of "Common Errors" of the STS API reference and of its actions, wordings
// those of public reports of AWS's answers, where there are any.

func refuse(status int, code, format string, args ...any) *refusal {
	return &refusal{status: status, code: code, message: fmt.Sprintf(format, args...)}
}

// What no client of AWS ever sees, since AWS has no such reason.

func refuseSender(why string) *refusal {
	return refuse(http.StatusForbidden, "AccessDenied", "%s", why)
}

func refuseRoute() *refusal {
	return refuse(http.StatusNotFound, "UnknownOperationException", "only / is served here, by POST and GET")
}

func refuseSize() *refusal {
	return refuse(http.StatusRequestEntityTooLarge, "RequestEntityTooLarge", "the request is larger than %d bytes", maxBody)
}

func refuseMalformed(why string) *refusal {
	return refuse(http.StatusBadRequest, "MalformedQueryString", "%s", why)
}

func refuseInternal(err error) *refusal {
	return refuse(http.StatusInternalServerError, "InternalFailure",
		"The request processing has failed because of an unknown error, exception or failure.").because(err.Error())
}

// Actions and authentication.

func refuseMissingAction() *refusal {
	return refuse(http.StatusBadRequest, "MissingAction", "Missing Action")
}

func refuseAction(action string) *refusal {
	return refuse(http.StatusBadRequest, "InvalidAction", "Could not find operation %s for version %s", clip(action), version)
}

func refuseVersion(given string) *refusal {
	return refuse(http.StatusBadRequest, "NoSuchVersion", "The requested version (%s) is not valid.", clip(given))
}

// signatureErrors are STS's names for what the verifier found, which are not API Gateway's.
var signatureErrors = map[string]struct {
	status int
	code   string
}{
	sigv4.TypeMissingAuthenticationToken: {http.StatusForbidden, "MissingAuthenticationToken"},
	sigv4.TypeIncompleteSignature:        {http.StatusBadRequest, "IncompleteSignature"},
	sigv4.TypeInvalidSignature:           {http.StatusForbidden, "SignatureDoesNotMatch"},
	sigv4.TypeUnrecognizedClient:         {http.StatusForbidden, "InvalidClientTokenId"},
	sigv4.TypeExpiredToken:               {http.StatusForbidden, "ExpiredToken"},
}

// refuseSignature words a refusal of the verifier. STS shows no canonical string.
func refuseSignature(r *sigv4.Refusal) *refusal {
	known, ok := signatureErrors[r.Type]
	if !ok {
		return refuseInternal(r)
	}
	message, _, _ := strings.Cut(r.Message, "\n")
	if r.Type == sigv4.TypeMissingAuthenticationToken {
		message = "Request is missing Authentication Token"
	}
	return refuse(known.status, known.code, "%s", message)
}

// Authorization.

// deniedBy ends the message of an explicit deny (IAM user guide, "Troubleshoot access denied error messages"). An
// implicit one has no ending in the reports of AssumeRole.
var deniedBy = map[policy.Source]string{
	policy.SourceResource: " with an explicit deny in the role trust policy",
	policy.SourceIdentity: " with an explicit deny in an identity-based policy",
	policy.SourceBoundary: " with an explicit deny in a permissions boundary",
	policy.SourceSession:  " with an explicit deny in a session policy",
}

func refuseAccess(who, action, resource string, v policy.Verdict) *refusal {
	suffix := ""
	if v.Decision == policy.ExplicitDeny {
		suffix = deniedBy[v.Source]
	}
	return refuse(http.StatusForbidden, "AccessDenied", "User: %s is not authorized to perform: %s on resource: %s%s",
		who, action, resource, suffix)
}

func refuseMFA() *refusal {
	return refuse(http.StatusForbidden, "AccessDenied", "MultiFactorAuthentication failed, unable to validate MFA code.  "+
		"Please verify your MFA serial number is valid and associated with this user.").
		because("there are no MFA devices here; leave SerialNumber and TokenCode out")
}

func refuseSessionCredentials() *refusal {
	return refuse(http.StatusForbidden, "AccessDenied", "Cannot call GetSessionToken with session credentials")
}

// Parameters.

func refuseValidation(faults []string) *refusal {
	noun := "error"
	if len(faults) > 1 {
		noun = "errors"
	}
	return refuse(http.StatusBadRequest, "ValidationError", "%d validation %s detected: %s", len(faults), noun, strings.Join(faults, "; "))
}

func refuseRoleARN(arn string) *refusal {
	if !strings.HasPrefix(arn, "arn:") {
		return refuse(http.StatusBadRequest, "ValidationError", "%s is invalid", arn)
	}
	return refuse(http.StatusBadRequest, "ValidationError", "Request ARN is invalid")
}

func refuseDuration() *refusal {
	return refuse(http.StatusBadRequest, "ValidationError", "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.")
}

func refuseChainedDuration() *refusal {
	return refuse(http.StatusBadRequest, "ValidationError",
		"The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.")
}

func refusePolicy(err error) *refusal {
	return refuse(http.StatusBadRequest, "MalformedPolicyDocument", "Syntax errors in policy. (%v)", err)
}

func refuseValue(format string, args ...any) *refusal {
	return refuse(http.StatusBadRequest, "InvalidParameterValue", format, args...)
}

func refuseTransitiveConflict() *refusal {
	return refuseValue("One of the specified transitive tag keys can't be set because it conflicts with a transitive tag key from the calling session.")
}

func refuseTransitiveKey() *refusal {
	return refuseValue("The specified transitive tag key must be included in the requested tags.")
}

func refuseTagTwice() *refusal {
	return refuseValue("Duplicate tag keys found. Please note that Tag keys are case insensitive.")
}

func refuseUnknownParameter(name string) *refusal {
	return refuseValue("%s cannot be honoured by this local endpoint; leave it out", name)
}

func refuseThrottled() *refusal {
	return refuse(http.StatusBadRequest, "Throttling", "Rate exceeded")
}
