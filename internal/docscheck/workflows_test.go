package docscheck_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

var pinned = regexp.MustCompile(`^[\w.-]+/[\w./-]+@[0-9a-f]{40}$`)

type workflow struct {
	Permissions *yaml.Node `yaml:"permissions"`
	Jobs        map[string]struct {
		Permissions map[string]string `yaml:"permissions"`
		Steps       []struct {
			Uses string         `yaml:"uses"`
			With map[string]any `yaml:"with"`
			Run  string         `yaml:"run"`
		} `yaml:"steps"`
	} `yaml:"jobs"`
}

// Every action is a commit that cannot move, rights are few, no key is stored, and nothing of an event's text is put into
// a shell.
func TestSecurityWorkflows(t *testing.T) {
	paths, err := filepath.Glob(filepath.Join(root, ".github", "workflows", "*.yml"))
	if err != nil {
		t.Fatal(err)
	}
	if len(paths) < 3 {
		t.Fatalf("%v: the test looks at nothing", paths)
	}
	for _, path := range paths {
		t.Run(filepath.Base(path), func(t *testing.T) {
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			var w workflow
			if err := yaml.Unmarshal(text, &w); err != nil {
				t.Fatal(err)
			}
			if w.Permissions == nil {
				t.Error("no permissions: every job gets what the repository's default is")
			}
			for _, word := range []string{"AWS_SECRET_ACCESS_KEY", "aws-secret-access-key", "write-all"} {
				if strings.Contains(string(text), word) {
					t.Errorf("%s is in it", word)
				}
			}
			for name, job := range w.Jobs {
				for right, level := range job.Permissions {
					if level == "write" && right != "id-token" && right != "attestations" && right != "contents" {
						t.Errorf("job %s may write %s", name, right)
					}
				}
				for _, step := range job.Steps {
					if step.Uses != "" && !pinned.MatchString(step.Uses) {
						t.Errorf("job %s uses %s, which is no commit", name, step.Uses)
					}
					if strings.HasPrefix(step.Uses, "actions/checkout@") && step.With["persist-credentials"] != false {
						t.Errorf("job %s leaves the token in the checkout", name)
					}
					if strings.Contains(step.Run, "${{") {
						t.Errorf("job %s puts an expression into a shell: hand it over in env", name)
					}
				}
			}
		})
	}
}

// The version after the # is what a person reads; one commit is one version everywhere.
func TestPinsAreNamedOnce(t *testing.T) {
	pin := regexp.MustCompile(`uses: (\S+)@([0-9a-f]{40}) # (v\d+\.\d+\.\d+)\n`)
	paths, err := filepath.Glob(filepath.Join(root, ".github", "workflows", "*.yml"))
	if err != nil {
		t.Fatal(err)
	}
	seen, count := map[string]string{}, 0
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		count += strings.Count(string(text), "uses: ")
		for _, found := range pin.FindAllStringSubmatch(string(text), -1) {
			count--
			what := found[2] + " " + found[3]
			if before, ok := seen[found[1]]; ok && before != what {
				t.Errorf("%s is %s here and %s there", found[1], before, what)
			}
			seen[found[1]] = what
		}
	}
	if count != 0 || len(seen) < 5 {
		t.Errorf("%d uses without a commit and a version; the actions are %v", count, seen)
	}
}

// The files that only GitHub and editors read are at least well-formed, and name versions.
func TestFilesThatOthersRead(t *testing.T) {
	text := regexp.MustCompile(`(?m)^\s*//.*$`).ReplaceAllString(read(t, ".devcontainer/devcontainer.json"), "")
	var container struct {
		Image    string
		Features map[string]map[string]any
	}
	if err := json.Unmarshal([]byte(text), &container); err != nil {
		t.Fatalf("devcontainer.json: %v", err)
	}
	if !regexp.MustCompile(`:\d`).MatchString(container.Image) || len(container.Features) == 0 {
		t.Errorf("the image %q and %d features: want versions", container.Image, len(container.Features))
	}
	for feature := range container.Features {
		if !regexp.MustCompile(`:\d+(\.\d+)*$`).MatchString(feature) {
			t.Errorf("the feature %s has no version", feature)
		}
	}
	paths, err := filepath.Glob(filepath.Join(root, ".github", "ISSUE_TEMPLATE", "*.yml"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no issue templates: %v", err)
	}
	for _, path := range append(paths, filepath.Join(root, ".github", "dependabot.yml")) {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		var content map[string]any
		if err := yaml.Unmarshal(text, &content); err != nil || len(content) == 0 {
			t.Errorf("%s: %v, %d members", path, err, len(content))
		}
	}
}
