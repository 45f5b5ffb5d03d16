package identity

import (
	"encoding/json"
	"fmt"
	"time"
)

// foreignAccounts own the profile "foreign": the first that is not the stack's own.
var foreignAccounts = [...]string{"210987654321", "111122223333"}

// OpenStandard adds the profiles that are there for any template, for APIs given by their ARNs without a path, such as
// arn:aws:execute-api:ap-northeast-2:123456789012:a1b2c3d4e5:
//
//	reader    may GET every path of every API
//	writer    may do everything on them
//	stranger  is of the account and has no policy
//	foreign   is of another account, with an Allow on its own side
//	expired   is a reader whose session has ended
func (d *Directory) OpenStandard(apis ...string) error {
	account := d.config.AccountID
	foreign := foreignAccounts[0]
	if foreign == account {
		foreign = foreignAccounts[1]
	}
	for _, p := range []struct {
		name, account, resources string
		lifetime                 time.Duration
	}{
		{"reader", account, "/*/GET/*", 0},
		{"writer", account, "/*/*", 0},
		{"stranger", account, "", 0},
		{"foreign", foreign, "/*/*", 0},
		{"expired", account, "/*/GET/*", -time.Minute},
	} {
		e := Entity{ARN: fmt.Sprintf("arn:%s:iam::%s:role/marquee-%s", d.config.Partition, p.account, p.name)}
		if p.resources != "" && len(apis) > 0 {
			document, err := invokePolicy(apis, p.resources)
			if err != nil {
				return err
			}
			e.Policies = []Policy{{Name: "invoke", Document: document}}
		}
		if err := d.Add(e); err != nil {
			return err
		}
		if err := d.Open(Profile{Name: p.name, Entity: e.ARN, Lifetime: p.lifetime}); err != nil {
			return err
		}
	}
	return nil
}

// invokePolicy allows to call what lies under the APIs' ARNs.
func invokePolicy(apis []string, suffix string) (json.RawMessage, error) {
	resources := make([]string, len(apis))
	for i, api := range apis {
		resources[i] = api + suffix
	}
	return json.Marshal(map[string]any{
		"Version":   "2012-10-17",
		"Statement": []any{map[string]any{"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": resources}},
	})
}
