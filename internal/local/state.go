package local

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// State is what others need to find a running stack: scripts, `marquee call`, a person. The file that holds it is written
// when every door is open and removed on exit; its fields are a contract.
type State struct {
	Region          string            `json:"region"`
	AccountID       string            `json:"account_id"`
	APIID           string            `json:"api_id"`
	Stage           string            `json:"stage"`
	InvokeURL       string            `json:"invoke_url"` // this and the two above: of the template's first API
	APIs            map[string]API    `json:"apis"`       // every API by its logical id
	Endpoints       Endpoints         `json:"endpoints"`
	LambdaURL       string            `json:"lambda_url"`
	ConsoleURL      string            `json:"console_url"`
	DynamoDBURL     string            `json:"dynamodb_url"`
	STSURL          string            `json:"sts_url"`
	Functions       map[string]string `json:"functions"` // logical id to name
	Tables          map[string]string `json:"tables"`    // logical id to name
	CredentialsFile string            `json:"credentials_file"`
	Profiles        map[string]string `json:"profiles"` // profile to ARN
}

// API is one of the stack's APIs.
type API struct {
	ID           string `json:"id"`
	Stage        string `json:"stage"`
	EndpointType string `json:"endpoint_type"` // PRIVATE, REGIONAL or EDGE
	InvokeURL    string `json:"invoke_url"`    // at the door that leads to it
	// Host is the API's own name, by which a door tells it from another one with the same stage.
	Host string `json:"host"`
}

// private reports whether VPC endpoints lead to the API, and not the public internet.
func (a API) private() bool { return a.EndpointType == "PRIVATE" }

// Endpoints are the doors.
type Endpoints struct {
	VPCE      Endpoint `json:"vpce"`
	OtherVPCE Endpoint `json:"other_vpce"`
	Public    Endpoint `json:"public"`
}

// Endpoint is one door.
type Endpoint struct {
	ID  string `json:"id,omitempty"`
	URL string `json:"url"`
}

// ErrNotRunning says that there is no state file.
var ErrNotRunning = errors.New("no stack is running here")

// ReadState reads the state file of a running stack; ErrNotRunning if there is none.
func ReadState(path string) (*State, error) {
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s: %w", path, ErrNotRunning)
	}
	if err != nil {
		return nil, err
	}
	var s State
	if err := json.Unmarshal(data, &s); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return &s, nil
}

// files are the paths of one run: the state file and what lies beside it.
type files struct {
	state       string
	credentials string
	samEnv      string
	apiKeys     string // only if the template has API keys
	curl        string // a folder: one curl configuration for each profile
	artifacts   string // a folder: the function binaries
	lock        string
}

// filesOf derives the paths from the state file's. local.json gives the short names, so that the documents can name
// them; another name prefixes them, so that two runs share a folder without sharing a file.
func filesOf(state string) files {
	dir := filepath.Dir(state)
	prefix := strings.TrimSuffix(filepath.Base(state), filepath.Ext(state)) + "."
	if prefix == "local." {
		prefix = ""
	}
	at := func(name string) string { return filepath.Join(dir, prefix+name) }
	return files{
		state: state, credentials: at("credentials"), samEnv: at("sam-env.json"), apiKeys: at("api-keys.json"), curl: at("curl"),
		artifacts: at("build"), lock: state + ".lock",
	}
}

// writeFile replaces a file at once, so that a reader sees all of it or nothing; others may not read it.
func writeFile(path string, data []byte) error {
	tmp, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*") // mode 0600
	if err != nil {
		return err
	}
	_, err = tmp.Write(data)
	err = errors.Join(err, tmp.Close())
	if err == nil {
		err = os.Rename(tmp.Name(), path)
	}
	if err != nil {
		os.Remove(tmp.Name())
	}
	return err
}

func writeJSON(path string, value any) error {
	data, err := json.MarshalIndent(value, "", "  ")
	if err != nil {
		return err
	}
	return writeFile(path, append(data, '\n'))
}
