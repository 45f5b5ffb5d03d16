package local

import "github.com/marquee-api/marquee/internal/deployment"

// announce writes the files by which others find the stack.
func (s *Stack) announce(ways deployment.Doors) error {
	t := s.template
	apis := s.apis()
	first := apis[t.APIs[0].LogicalID]
	s.state = State{
		Region: t.Region, AccountID: t.AccountID, APIID: first.ID, Stage: first.Stage, InvokeURL: first.InvokeURL, APIs: apis,
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

// apis describes every API of the template, by its logical id.
func (s *Stack) apis() map[string]API {
	apis := make(map[string]API, len(s.template.APIs))
	for _, a := range s.template.APIs {
		api := API{ID: a.ID, Stage: a.Stage, EndpointType: a.EndpointType, Host: a.ID + ".execute-api." + s.template.Region + ".amazonaws.com"}
		door := s.doors[doorPublic]
		if api.private() {
			door = s.doors[doorVPCE]
		}
		api.InvokeURL = door.url() + "/" + api.Stage
		apis[a.LogicalID] = api
	}
	return apis
}
