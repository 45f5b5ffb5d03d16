package main

import (
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"
)

// What the documentation shows is what the function takes.
func TestDocumentedEvents(t *testing.T) {
	text, err := os.ReadFile("../../docs/calling.md")
	if err != nil {
		t.Fatal(err)
	}
	events := regexp.MustCompile("(?s)<!-- event -->\n```json\n(.*?)```").FindAllSubmatch(text, -1)
	if len(events) < 2 {
		t.Fatalf("docs/calling.md shows %d events, want 2 at least", len(events))
	}
	for _, event := range events {
		if _, err := parseEvent(event[1]); err != nil {
			t.Errorf("%v:\n%s", err, event[1])
		}
	}
	files, err := filepath.Glob("../../events/caller-*.json")
	if err != nil || len(files) < 3 {
		t.Fatalf("got events %v, %v, want 3 at least", files, err)
	}
	for _, file := range files {
		event, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := parseEvent(event); err != nil {
			t.Errorf("%s: %v", file, err)
		}
	}
	for _, fields := range []reflect.Type{reflect.TypeFor[event](), reflect.TypeFor[call](), reflect.TypeFor[retrySettings](), reflect.TypeFor[result](),
		reflect.TypeFor[results](), reflect.TypeFor[attempt](), reflect.TypeFor[refusal]()} {
		for i := range fields.NumField() {
			name, _, _ := strings.Cut(fields.Field(i).Tag.Get("json"), ",")
			if name != "" && !regexp.MustCompile("[`\"]"+name+"[`\"]").Match(text) {
				t.Errorf("docs/calling.md does not name the field %s of %s", name, fields)
			}
		}
	}
}
