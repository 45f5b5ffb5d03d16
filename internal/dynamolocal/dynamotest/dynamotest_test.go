package dynamotest_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/marquee-api/marquee/internal/dynamolocal/dynamotest"
)

func TestMain(m *testing.M) { os.Exit(dynamotest.Run(m)) }

func TestTableIsOfItsTestOnly(t *testing.T) {
	client := dynamotest.Client(t)
	input := &dynamodb.CreateTableInput{
		TableName: aws.String("ignored"), BillingMode: types.BillingModePayPerRequest,
		AttributeDefinitions: []types.AttributeDefinition{{AttributeName: aws.String("id"), AttributeType: types.ScalarAttributeTypeS}},
		KeySchema:            []types.KeySchemaElement{{AttributeName: aws.String("id"), KeyType: types.KeyTypeHash}},
	}
	var names []string
	t.Run("with tables", func(t *testing.T) {
		for range 2 {
			name := dynamotest.Table(t, client, input)
			if _, err := client.PutItem(t.Context(), &dynamodb.PutItemInput{
				TableName: aws.String(name), Item: map[string]types.AttributeValue{"id": &types.AttributeValueMemberS{Value: "x"}},
			}); err != nil {
				t.Errorf("put into %s: %v", name, err)
			}
			names = append(names, name)
		}
	})
	if names[0] == names[1] || names[0] == "ignored" || aws.ToString(input.TableName) != "ignored" {
		t.Errorf("got the names %q and left %q in the input", names, aws.ToString(input.TableName))
	}
	for _, name := range names {
		_, err := client.DescribeTable(t.Context(), &dynamodb.DescribeTableInput{TableName: aws.String(name)})
		if gone := (*types.ResourceNotFoundException)(nil); !errors.As(err, &gone) {
			t.Errorf("%s after its test: got %v, want a ResourceNotFoundException", name, err)
		}
	}
}

func TestServerIsShared(t *testing.T) {
	if one, two := dynamotest.URL(t), dynamotest.URL(t); one != two {
		t.Errorf("got %s and %s, want one server", one, two)
	}
}

// TestOnOtherMachines runs this test in a process whose environment is that of another machine.
func TestOnOtherMachines(t *testing.T) {
	const inside = "DYNAMOTEST_INSIDE"
	if os.Getenv(inside) != "" {
		t.Logf("the URL is %s", dynamotest.URL(t))
		return
	}
	running := httptest.NewServer(http.NotFoundHandler())
	defer running.Close()
	empty := "PATH=" + t.TempDir()
	tests := map[string]struct {
		env  []string
		fail bool
		want []string
	}{
		"nothing there":          {[]string{empty}, false, []string{"--- SKIP: TestOnOtherMachines", "Java", "Maven", dynamotest.EnvURL}},
		"nothing, others needed": {[]string{empty, "MARQUEE_REQUIRE=docker,dynamodb2"}, false, []string{"--- SKIP"}},
		"nothing, but needed":    {[]string{empty, "MARQUEE_REQUIRE=docker, dynamodb"}, true, []string{"--- FAIL: TestOnOtherMachines", "MARQUEE_REQUIRE", "java"}},
		"one that runs":          {[]string{empty, "MARQUEE_DYNAMODB_URL=" + running.URL}, false, []string{"--- PASS", "the URL is " + running.URL}},
		"one that does not run":  {[]string{empty, "MARQUEE_DYNAMODB_URL=http://127.0.0.1:1"}, true, []string{"--- FAIL", "http://127.0.0.1:1"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestOnOtherMachines$", "-test.v")
			cmd.Env = append(os.Environ(), "MARQUEE_REQUIRE=", "MARQUEE_DYNAMODB_URL=", inside+"=1", "GORACE=atexit_sleep_ms=0")
			cmd.Env = append(cmd.Env, tt.env...)
			out, err := cmd.CombinedOutput()
			if failed := err != nil; failed != tt.fail {
				t.Errorf("failed: got %t (%v), want %t", failed, err, tt.fail)
			}
			for _, want := range tt.want {
				if !strings.Contains(string(out), want) {
					t.Errorf("got %q, want it to contain %q", out, want)
				}
			}
		})
	}
}
