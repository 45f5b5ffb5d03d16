//go:build unix

package dynamolocal_test

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"

	"github.com/marquee-api/marquee/internal/dynamolocal"
	"github.com/marquee-api/marquee/internal/dynamolocal/dynamotest"
)

// film is the nth of the test's films, as JSON and as the item that it must become.
func film(n int) (text string, want map[string]types.AttributeValue) {
	text = fmt.Sprintf(`{"year":%d,"title":"Film %d","info":{"rating":%d.%d,"genres":["Drama","\u00c9tude"],"seen":%t,"plot":"","sequel":null,`+
		`"exact":12345678901234567890123456789012345678,"small":0.00000000000000000001,"actors":[]}}`, 1900+n%100, n, n%9+1, n%9+1, n%2 == 0)
	number := func(format string, args ...any) types.AttributeValue {
		return &types.AttributeValueMemberN{Value: fmt.Sprintf(format, args...)}
	}
	str := func(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }
	return text, map[string]types.AttributeValue{
		"year": number("%d", 1900+n%100), "title": str(fmt.Sprintf("Film %d", n)),
		"info": &types.AttributeValueMemberM{Value: map[string]types.AttributeValue{
			"rating": number("%d.%d", n%9+1, n%9+1), "plot": str(""),
			"genres": &types.AttributeValueMemberL{Value: []types.AttributeValue{str("Drama"), str("\u00c9tude")}},
			"actors": &types.AttributeValueMemberL{Value: []types.AttributeValue{}},
			"seen":   &types.AttributeValueMemberBOOL{Value: n%2 == 0}, "sequel": &types.AttributeValueMemberNULL{Value: true},
			"exact": number("12345678901234567890123456789012345678"), "small": number("0.00000000000000000001"),
		}},
	}
}

func TestLoadedItemsReadBackExactly(t *testing.T) {
	const films = 300
	var texts []string
	want := map[string]map[string]types.AttributeValue{}
	for n := range films {
		text, item := film(n)
		texts = append(texts, text)
		want[fmt.Sprintf("Film %d", n)] = item
	}
	layouts := map[string]string{
		"JSON Lines": strings.Join(texts, "\n"),
		"array":      "[\n" + strings.Join(texts, ",\n") + "\n]\n",
	}
	client := dynamotest.Client(t)
	for name, input := range layouts {
		t.Run(name, func(t *testing.T) {
			table := dynamotest.Table(t, client, moviesTable(""))
			n, err := dynamolocal.Load(t.Context(), client, table, strings.NewReader(input))
			if err != nil || n != films {
				t.Fatalf("got %d, %v, want %d", n, err, films)
			}
			got := scan(t, client, table)
			if len(got) != films {
				t.Errorf("got %d items, want %d", len(got), films)
			}
			for title, item := range want {
				if !reflect.DeepEqual(item, got[title]) {
					t.Errorf("%s: got %v, want %v", title, got[title], item)
				}
			}
		})
	}
}

// scan reads a whole table and returns its items by their titles.
func scan(t *testing.T, client *dynamodb.Client, table string) map[string]map[string]types.AttributeValue {
	t.Helper()
	items := map[string]map[string]types.AttributeValue{}
	pages := dynamodb.NewScanPaginator(client, &dynamodb.ScanInput{TableName: aws.String(table)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, item := range page.Items {
			items[item["title"].(*types.AttributeValueMemberS).Value] = item
		}
	}
	return items
}

func TestRealTableRefusals(t *testing.T) {
	client := dynamotest.Client(t)
	table := dynamotest.Table(t, client, moviesTable(""))
	many := strings.TrimSuffix(strings.ReplaceAll(manyTitles(30), "\n", ",\n"), ",\n")
	tests := map[string]struct {
		element string
		want    string
	}{
		"39 digits":          {`{"year":1,"title":"x","n":123456789012345678901234567890123456789}`, "38 digits"},
		"too large a number": {`{"year":1,"title":"x","n":1e126}`, "overflow"},
		"year is a string":   {`{"year":"1999","title":"x"}`, "Type mismatch for key"},
		"empty key":          {`{"year":1,"title":""}`, "empty string value"},
		"over 400 KB":        {`{"year":1,"title":"x","plot":"` + strings.Repeat("x", 400<<10) + `"}`, "exceeded the maximum allowed size"},
		"too deep":           {`{"year":1,"title":"x","l":` + strings.Repeat("[", 33) + strings.Repeat("]", 33) + `}`, "Nesting Levels"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			n, err := dynamolocal.Load(t.Context(), client, table, strings.NewReader("["+many+","+tt.element+",\n"+many+"]"))
			refused := smithy.APIError(nil)
			if n != 30 || !errors.As(err, &refused) || refused.ErrorCode() != "ValidationException" {
				t.Fatalf("got %d, %v, want 30 and a ValidationException", n, err)
			}
			if !strings.Contains(err.Error(), "element 31 (") || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %q, want it to name element 31 and say %q", err, tt.want)
			}
		})
	}
}

// The escapes make this line six times as long as the item, which is just within DynamoDB's limit.
func TestRealTableTakesTheLongestLine(t *testing.T) {
	client := dynamotest.Client(t)
	table := dynamotest.Table(t, client, moviesTable(""))
	const size = 400<<10 - 100
	line := `{"year":1,"title":"x","plot":"` + strings.Repeat(`\u0041`, size) + `"}`
	if n, err := dynamolocal.Load(t.Context(), client, table, strings.NewReader(line)); err != nil || n != 1 {
		t.Fatalf("got %d, %v, want 1", n, err)
	}
	want := &types.AttributeValueMemberS{Value: strings.Repeat("A", size)}
	if got := scan(t, client, table)["x"]["plot"]; !reflect.DeepEqual(got, want) {
		t.Errorf("got another plot than the %d letters", size)
	}
}

// 1, 1.0 and 10e-1 are one key for DynamoDB, which refuses it twice in a batch.
func TestRealTableLastOfAKeyWins(t *testing.T) {
	client := dynamotest.Client(t)
	table := dynamotest.Table(t, client, moviesTable(""))
	var lines strings.Builder
	for i, year := range []string{"1", "1", "1.0", "10e-1"} {
		fmt.Fprintf(&lines, `{"year":%s,"title":"x","seen":%d}`+"\n", year, i)
		lines.WriteString(manyTitles(3 * i)) // so that some are in other batches
	}
	n, err := dynamolocal.Load(t.Context(), client, table, strings.NewReader(lines.String()))
	if want := 4 + 3 + 6 + 9; err != nil || n != want {
		t.Fatalf("got %d, %v, want %d", n, err, want)
	}
	items := scan(t, client, table)
	if got, want := items["x"]["seen"], (&types.AttributeValueMemberN{Value: "3"}); !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want the last, %v", got, want)
	}
	if want := 1 + 9; len(items) != want {
		t.Errorf("got %d items, want %d", len(items), want)
	}
}

func TestLoadIntoNoTable(t *testing.T) {
	client := dynamotest.Client(t)
	n, err := dynamolocal.Load(t.Context(), client, "no-such-table", strings.NewReader(manyTitles(1)))
	if missing := (*types.ResourceNotFoundException)(nil); n != 0 || !errors.As(err, &missing) || !strings.Contains(err.Error(), "no-such-table") {
		t.Errorf("got %d, %v, want a ResourceNotFoundException that names the table", n, err)
	}
}
