package sigv4_test

import (
	"bufio"
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/marquee-api/marquee/internal/sigv4"
)

// vector is a request that a foreign signer signed. The programs that made them
// stand beside the files in testdata/vectors.
type vector struct {
	Name, Signer            string
	Deviation               string
	ID, Secret, Token       string
	Region, Service         string
	Time                    time.Time
	Presigned               bool
	Wire                    wireRequest
	CanonicalRequest        string `json:"canonical_request"`
	StringToSign, Signature string
}

type wireRequest struct {
	Method, Target, Host, Body string
	Headers                    [][2]string
}

func (v *vector) UnmarshalJSON(data []byte) error {
	type plain vector
	other := struct {
		*plain
		StringToSign string `json:"string_to_sign"`
	}{plain: (*plain)(v)}
	err := json.Unmarshal(data, &other)
	v.StringToSign = other.StringToSign
	return err
}

func loadVectors(t *testing.T) []vector {
	t.Helper()
	names, err := filepath.Glob("testdata/vectors/*.jsonl")
	if err != nil || len(names) != 2 {
		t.Fatalf("got vector files %v (%v), want those of two signers", names, err)
	}
	var all []vector
	for _, name := range names {
		file, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		lines, before := bufio.NewScanner(file), len(all)
		lines.Buffer(nil, 1<<20)
		for lines.Scan() {
			var v vector
			if err := json.Unmarshal(lines.Bytes(), &v); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			all = append(all, v)
		}
		if err := lines.Err(); err != nil || len(all) == before {
			t.Fatalf("%s: %d vectors, %v", name, len(all)-before, err)
		}
		file.Close()
	}
	return all
}

func (v *vector) header() http.Header {
	header := http.Header{}
	for _, h := range v.Wire.Headers {
		header.Add(h[0], h[1])
	}
	return header
}

func (v *vector) verifyInput() *sigv4.VerifyInput {
	return &sigv4.VerifyInput{
		Method: v.Wire.Method, Target: v.Wire.Target, Host: v.Wire.Host, Header: v.header(),
		PayloadHash: sigv4.HashBody([]byte(v.Wire.Body)), Region: v.Region, Service: v.Service, Now: v.Time,
		Lookup: func(id string) (sigv4.Key, bool) {
			return sigv4.Key{SecretAccessKey: v.Secret, SessionToken: v.Token}, id == v.ID
		},
	}
}

func (v *vector) want() sigv4.Transcript {
	return sigv4.Transcript{CanonicalRequest: v.CanonicalRequest, StringToSign: v.StringToSign, Signature: v.Signature}
}

// TestVectorsVerify holds the verifier to what foreign signers sign, byte by byte,
// and to refusing the deviations that it does not allow by default.
func TestVectorsVerify(t *testing.T) {
	for _, v := range loadVectors(t) {
		t.Run(v.Signer+"/"+v.Name, func(t *testing.T) {
			var verifier sigv4.Verifier
			in := v.verifyInput()
			got, err := verifier.Verify(in)
			if v.Deviation != "" {
				if err == nil {
					t.Fatalf("accepted without the leniency %q", v.Deviation)
				}
				in.UnnormalizedPath, in.KeptTabs = v.Deviation == "unnormalized path", v.Deviation == "kept tabs"
				got, err = verifier.Verify(in)
			}
			if v.Deviation == "refused" {
				if err == nil {
					t.Fatal("accepted, but the signature does not describe the wire")
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(v.want(), got.Transcript()); diff != "" {
				t.Errorf("transcript (-want +got):\n%s", diff)
			}
			if got.AccessKeyID != v.ID || got.Presigned != v.Presigned || !got.Date.Equal(v.Time) {
				t.Errorf("got id %q, presigned %v, date %v", got.AccessKeyID, got.Presigned, got.Date)
			}
		})
	}
}

// TestVectorsSign signs the same wire requests with the same headers and wants the
// same texts. What a foreign signer does its own way (another date header, a path
// that is not normalised) is left out by name.
func TestVectorsSign(t *testing.T) {
	signed := 0
	for _, v := range loadVectors(t) {
		if v.Deviation != "" || v.Presigned || strings.HasPrefix(v.Name, "date:") {
			continue
		}
		signed++
		t.Run(v.Signer+"/"+v.Name, func(t *testing.T) {
			var signer sigv4.Signer
			in := v.signInput(t)
			got, err := signer.Transcript(in)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(v.want(), got); diff != "" {
				t.Errorf("transcript (-want +got):\n%s", diff)
			}
			if err := signer.Sign(in); err != nil {
				t.Fatal(err)
			}
			for _, name := range []string{"Authorization", "X-Amz-Date", "X-Amz-Security-Token"} {
				if got, want := in.Request.Header.Get(name), v.header().Get(name); got != want {
					t.Errorf("%s: got %q, want %q", name, got, want)
				}
			}
		})
	}
	if signed < 90 {
		t.Errorf("only %d vectors were signed", signed)
	}
}

// signInput is the vector's wire request before it was signed.
func (v *vector) signInput(t *testing.T) *sigv4.SignInput {
	t.Helper()
	path, query, _ := strings.Cut(v.Wire.Target, "?")
	lines := strings.Split(v.CanonicalRequest, "\n")
	names := strings.Split(lines[len(lines)-2], ";")
	if !slices.Contains(names, "host") {
		t.Fatalf("host is not among the signed headers %q", names)
	}
	header := v.header()
	for _, name := range []string{"Authorization", "X-Amz-Date", "X-Amz-Security-Token"} {
		header.Del(name)
	}
	return &sigv4.SignInput{
		Request: &http.Request{
			Method: v.Wire.Method, Host: v.Wire.Host, Header: header,
			URL: &url.URL{Opaque: "http://" + v.Wire.Host + path, RawQuery: query},
		},
		Body:        []byte(v.Wire.Body),
		Credentials: sigv4.Credentials{AccessKeyID: v.ID, SecretAccessKey: v.Secret, SessionToken: v.Token},
		Region:      v.Region, Service: v.Service, Time: v.Time,
		SignHeader: func(name string) bool { return slices.Contains(names, name) },
	}
}
