package local

import "github.com/marquee-api/marquee/internal/deployment"

// announce writes the files by which others find the stack.
func (s *Stack) announce(ways deployment.Doors) error {
	t := s.template
	api := t.APIs[0]
	door := s.doors[doorVPCE]
	if api.EndpointType != "PRIVATE" {
		door = s.doors[doorPublic]
	}
	s.state = State{
		Region: t.Region, AccountID: t.AccountID, APIID: api.ID, Stage: api.Stage,
		InvokeURL: door.url() + "/" + api.Stage,
		Endpoints: Endpoints{
			VPCE:      Endpoint{ID: ways.VPCE.VPCEndpointID, URL: s.doors[doorVPCE].url()},
			OtherVPCE: Endpoint{ID: ways.OtherVPCE.VPCEndpointID, URL: s.doors[doorOtherVPCE].url()},
			Public:    Endpoint{URL: s.doors[doorPublic].url()},
		},
		LambdaURL: s.doors[doorLambda].url(), ConsoleURL: s.doors[doorConsole].url() + "/", STSURL: s.doors[doorSTS].url(),
		Functions: map[string]string{}, Tables: map[string]string{}, Profiles: map[string]string{},
		CredentialsFile: s.files.credentials,
	}
	if s.db != nil {
		s.state.DynamoDBURL = s.db.URL
	}
	for _, f := range t.Functions {
		s.state.Functions[f.LogicalID] = f.Name
	}
	for _, table := range t.Tables {
		s.state.Tables[table.LogicalID] = table.Name
	}
	for _, p := range s.ids.Profiles() {
		s.state.Profiles[p.Profile] = p.ARN
	}
	if err := writeCredentials(s.ids, s.files); err != nil {
		return err
	}
	if len(s.keys) > 0 {
		values := make(map[string]string, len(s.keys))
		for _, key := range s.keys {
			values[key.Name] = key.Value
		}
		if err := writeJSON(s.files.apiKeys, values); err != nil {
			return err
		}
	}
	if err := writeJSON(s.files.samEnv, s.samEnvironment()); err != nil {
		return err
	}
	return writeJSON(s.files.state, &s.state)
}
