package sts_test

import (
	"bytes"
	"context"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/credentials"
	awssts "github.com/aws/aws-sdk-go-v2/service/sts"
)

// TestExpiryWords: the message of a late request holds the window, fifteen minutes, as AWS's does.
func TestExpiryWords(t *testing.T) {
	h := newHouse(t, people)
	_, body := h.send(t, call{credentials: h.profile(t, "ann"), body: getCallerIdentity, age: time.Hour})
	if !bytes.Contains(body, []byte(" - 15 min.)")) {
		t.Errorf("got %s, want the window in it", body)
	}
}

// TestSessionEnds: a session is good until its end and expired after it, and its successor is another.
func TestSessionEnds(t *testing.T) {
	h := newHouse(t, "- {name: short, lifetime: 5m}\n")
	before := h.clientOf(h.profile(t, "short"))
	if _, err := before.GetCallerIdentity(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	h.advance(4 * time.Minute)
	if rotated, err := h.Rotate(); err != nil || !rotated {
		t.Fatalf("Rotate = %v, %v", rotated, err)
	}
	after := h.client(t, "short")
	for _, client := range []*awssts.Client{before, after} {
		if _, err := client.GetCallerIdentity(t.Context(), nil); err != nil {
			t.Error(err)
		}
	}
	h.advance(time.Minute + time.Second)
	_, err := before.GetCallerIdentity(t.Context(), nil)
	if got := refusalOf(t, err); got.Code != "ExpiredToken" || got.Status != 403 {
		t.Errorf("old credentials after their end: got %+v, want ExpiredToken", got)
	}
	if _, err := after.GetCallerIdentity(t.Context(), nil); err != nil {
		t.Error(err)
	}
}

// TestDate: clients correct their clocks by the Date header, so it is the server's own clock.
func TestDate(t *testing.T) {
	h := newHouse(t, people)
	h.advance(-time.Hour)
	_, err := awssts.New(awssts.Options{
		BaseEndpoint: &h.url, Region: region, Retryer: retry.NewStandard(func(o *retry.StandardOptions) {
			o.Backoff = retry.BackoffDelayerFunc(func(int, error) (time.Duration, error) { return 0, nil })
		}),
		Credentials: credentials.StaticCredentialsProvider{Value: h.profile(t, "ann")},
	}).GetCallerIdentity(context.WithoutCancel(t.Context()), nil)
	if err != nil {
		t.Errorf("the SDK did not correct its clock: %v", err)
	}
}
