package sts

import (
	"encoding/xml"
	"net/http"
	"strconv"
	"time"

	"github.com/marquee-api/marquee/internal/identity"
)

const namespace = "https://sts.amazonaws.com/doc/2011-06-15/"

// success and failure are the two envelopes of the Query protocol.
type success struct {
	XMLName   xml.Name
	Result    any
	RequestID string `xml:"ResponseMetadata>RequestId"`
}

type failure struct {
	XMLName   xml.Name `xml:"https://sts.amazonaws.com/doc/2011-06-15/ ErrorResponse"`
	Type      string   `xml:"Error>Type"`
	Code      string   `xml:"Error>Code"`
	Message   string   `xml:"Error>Message"`
	RequestID string   `xml:"RequestId"`
}

type callerIdentity struct {
	XMLName xml.Name `xml:"GetCallerIdentityResult"`
	ARN     string   `xml:"Arn"`
	UserID  string   `xml:"UserId"`
	Account string
}

type sessionToken struct {
	XMLName     xml.Name `xml:"GetSessionTokenResult"`
	Credentials credentials
	tokenUse
}

type assumedRole struct {
	XMLName        xml.Name `xml:"AssumeRoleResult"`
	SourceIdentity string   `xml:",omitempty"`
	ID             string   `xml:"AssumedRoleUser>AssumedRoleId"`
	ARN            string   `xml:"AssumedRoleUser>Arn"`
	Credentials    credentials
	tokenUse
}

type credentials struct {
	AccessKeyID     string `xml:"AccessKeyId"`
	SecretAccessKey string
	SessionToken    string
	Expiration      string
}

func credentialsOf(i *identity.Identity) credentials {
	return credentials{
		AccessKeyID: i.AccessKeyID, SecretAccessKey: i.Key.SecretAccessKey, SessionToken: i.Key.SessionToken,
		Expiration: i.Key.Expires.UTC().Format(time.RFC3339),
	}
}

// tokenUse is how large the session token is, and what percentage of the largest.
type tokenUse struct {
	Size        int `xml:"SessionTokenSize"`
	Utilization int `xml:"SessionTokenUtilization"`
}

func useOf(i *identity.Identity) tokenUse {
	size := len(i.Key.SessionToken)
	return tokenUse{Size: size, Utilization: (size*100 + identity.MaxTokenSize - 1) / identity.MaxTokenSize}
}

// answer sends a result, or what the record says went wrong.
func answer(w http.ResponseWriter, record Record, result any) {
	var envelope any = success{
		XMLName: xml.Name{Space: namespace, Local: record.Action + "Response"}, Result: result, RequestID: record.RequestID,
	}
	if record.Code != "" {
		kind := "Sender"
		if record.Status >= http.StatusInternalServerError {
			kind = "Receiver"
		}
		envelope = failure{Type: kind, Code: record.Code, Message: record.Message, RequestID: record.RequestID}
	}
	body, err := xml.MarshalIndent(envelope, "", "  ")
	if err != nil { // the types above always can be written
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	body = append(body, '\n')
	w.Header().Set("Content-Type", "text/xml")
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(record.Status)
	_, _ = w.Write(body) // a client that is gone needs no answer
}
