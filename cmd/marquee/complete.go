package main

import (
	"bufio"
	"cmp"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/marquee-api/marquee/internal/local"
	"github.com/marquee-api/marquee/internal/stack"
)

// completion offers values of one flag; what the person has typed so far is matched by the shell's script.
type completion func(cmd *cobra.Command, env environment) []string

// completions are by the flag's name, which means the same in every command that has it.
var completions = map[string]completion{
	"profile":  profileNames,
	"identity": profileNames,
	"as":       profileNames,
	"function": functionNames,
	"table":    tableNames,
	"region":   regionNames,
	"dynamodb": func(*cobra.Command, environment) []string { return []string{"auto", "java", "docker"} },
	"url":      doorURLs,
	"fault": func(*cobra.Command, environment) []string {
		return []string{"status=500:5%", "status=429:5%", "latency=200ms:10%", "skew=+7m", "reset=1%"}
	},
}

// completeFlags gives the flags of a command their completions, but for those that have one of their own. Nothing here
// opens a connection: a key that is pressed must not wait.
func completeFlags(cmd *cobra.Command, env environment) {
	if cmd.ValidArgsFunction == nil && !strings.Contains(cmd.Use, " ") {
		cmd.ValidArgsFunction = cobra.NoFileCompletions // it takes no arguments, so no file is one
	}
	for name, offer := range completions {
		if cmd.Flags().Lookup(name) == nil {
			continue
		}
		if _, exists := cmd.GetFlagCompletionFunc(name); exists {
			continue
		}
		complete := func(cmd *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
			return offer(cmd, env), cobra.ShellCompDirectiveNoFileComp
		}
		if err := cmd.RegisterFlagCompletionFunc(name, complete); err != nil {
			panic(err) // the flag was looked up above
		}
	}
}

// completeRequest offers what stands in METHOD and PATH: the methods and paths of the template in this folder.
func completeRequest(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	config, err := stack.LoadConfig("samconfig.toml", "local")
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	template, err := stack.Load("template.yaml", stack.Options{
		Name: "marquee-local", Region: cmp.Or(config.Region, "us-east-1"), AccountID: "123456789012", Parameters: config.Parameters,
	})
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var methods, paths []string
	for _, api := range template.APIs {
		for _, route := range api.Routes {
			methods = append(methods, route.Method)
			if len(args) == 0 || strings.EqualFold(route.Method, args[0]) {
				paths = append(paths, route.Path)
			}
		}
	}
	offers := paths
	if len(args) == 0 {
		offers = append(offers, methods...)
	}
	if len(args) > 1 || len(args) == 1 && strings.HasPrefix(args[0], "/") {
		return nil, cobra.ShellCompDirectiveNoFileComp // the path is there
	}
	slices.Sort(offers)
	return slices.Compact(offers), cobra.ShellCompDirectiveNoFileComp
}

// stateOf is what the local stack that is running here says of itself; empty if none is.
func stateOf(cmd *cobra.Command) local.State {
	path := local.DefaultState
	if flag := cmd.Flags().Lookup("state"); flag != nil {
		path = cmp.Or(flag.Value.String(), path)
	}
	state, err := local.ReadState(path)
	if err != nil {
		return local.State{}
	}
	return *state
}

// profileNames are those of the local stack, then those of the AWS files.
func profileNames(cmd *cobra.Command, env environment) []string {
	state := stateOf(cmd)
	var names []string
	for _, name := range slices.Sorted(maps.Keys(state.Profiles)) {
		names = append(names, name+"\t"+state.Profiles[name])
	}
	home := env.Getenv("HOME")
	files := []string{env.Getenv("AWS_SHARED_CREDENTIALS_FILE"), env.Getenv("AWS_CONFIG_FILE")}
	if home != "" {
		files = []string{cmp.Or(files[0], filepath.Join(home, ".aws", "credentials")), cmp.Or(files[1], filepath.Join(home, ".aws", "config"))}
	}
	for _, name := range awsProfiles(files) {
		if _, local := state.Profiles[name]; !local {
			names = append(names, name)
		}
	}
	return names
}

// awsProfiles are the sections of AWS's credentials and configuration files: "[name]" in one, "[profile name]" in the other.
func awsProfiles(paths []string) []string {
	var names []string
	for _, path := range paths {
		file, err := os.Open(path)
		if err != nil {
			continue
		}
		lines := bufio.NewScanner(file)
		for lines.Scan() {
			section, ok := strings.CutPrefix(strings.TrimSpace(lines.Text()), "[")
			section, closed := strings.CutSuffix(section, "]")
			if !ok || !closed || strings.HasPrefix(section, "sso-session ") || strings.HasPrefix(section, "services ") {
				continue
			}
			names = append(names, strings.TrimSpace(strings.TrimPrefix(section, "profile ")))
		}
		file.Close()
	}
	slices.Sort(names)
	return slices.Compact(names)
}

func functionNames(cmd *cobra.Command, _ environment) []string {
	return slices.Sorted(maps.Keys(stateOf(cmd).Functions))
}

func tableNames(cmd *cobra.Command, _ environment) []string {
	return slices.Sorted(maps.Values(stateOf(cmd).Tables))
}

func regionNames(cmd *cobra.Command, env environment) []string {
	var names []string
	for _, name := range []string{stateOf(cmd).Region, env.Getenv("AWS_REGION"), env.Getenv("AWS_DEFAULT_REGION")} {
		if name != "" && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// doorURLs are the ways into the local stack.
func doorURLs(cmd *cobra.Command, _ environment) []string {
	state := stateOf(cmd)
	var urls []string
	for _, way := range [][2]string{
		{state.Endpoints.VPCE.URL, "the VPC endpoint"}, {state.Endpoints.OtherVPCE.URL, "another VPC's endpoint"}, {state.Endpoints.Public.URL, "the public internet"},
	} {
		if way[0] != "" {
			urls = append(urls, way[0]+"/"+state.Stage+"\t"+way[1])
		}
	}
	return urls
}
