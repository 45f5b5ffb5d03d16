package stack_test

import (
	"encoding/json"
	"testing"

	"github.com/marquee-api/marquee/internal/stack"
)

func TestTry(t *testing.T) {
	s, err := stack.Load("../../template.yaml", stack.Options{Name: "marquee-local", Region: "ap-northeast-2", AccountID: "123456789012"})
	if err != nil {
		t.Fatal(err)
	}
	out, _ := json.MarshalIndent(s, "", " ")
	t.Log(string(out))
	for _, w := range s.Warnings {
		t.Log(w)
	}
}
