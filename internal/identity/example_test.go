package identity_test

import (
	"fmt"
	"log"

	"github.com/marquee-api/marquee/internal/identity"
)

// A role of a template stands under its own name, and a file adds a person.
func Example() {
	directory, err := identity.New(identity.Config{AccountID: "123456789012", Region: "ap-northeast-2"})
	if err != nil {
		log.Fatal(err)
	}
	arn := "arn:aws:iam::123456789012:role/marquee-local-CallerRole"
	if err := directory.Add(identity.Entity{ARN: arn}); err != nil {
		log.Fatal(err)
	}
	if err := directory.Open(identity.Profile{Name: "CallerRole", Entity: arn}); err != nil {
		log.Fatal(err)
	}
	err = directory.Load("identities.yaml", []byte(`
- name: ann
  arn: arn:aws:iam::123456789012:user/team/ann
  tags: {team: audit}
  policies:
    - Version: "2012-10-17"
      Statement: {Effect: Allow, Action: sts:AssumeRole, Resource: "*"}
`))
	if err != nil {
		log.Fatal(err)
	}
	for _, c := range directory.Profiles() {
		fmt.Println(c.Profile, c.ARN)
	}
	fmt.Println(directory.Load("identities.yaml", []byte("- name: bob\n  polices: []\n")))
	// Output:
	// CallerRole arn:aws:sts::123456789012:assumed-role/marquee-local-CallerRole/CallerRole
	// ann arn:aws:iam::123456789012:user/team/ann
	// identities.yaml:2:3: unknown field "polices"; the fields are name, arn, account, policies, permissions_boundary, session_policy, trust, max_session, tags, lifetime
}
