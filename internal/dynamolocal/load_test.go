package dynamolocal_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"
	"github.com/google/go-cmp/cmp"

	"github.com/marquee-api/marquee/internal/dynamolocal"
)

func moviesTable(name string) *dynamodb.CreateTableInput {
	return &dynamodb.CreateTableInput{
		TableName: aws.String(name), BillingMode: types.BillingModePayPerRequest,
		AttributeDefinitions: []types.AttributeDefinition{
			{AttributeName: aws.String("year"), AttributeType: types.ScalarAttributeTypeN},
			{AttributeName: aws.String("title"), AttributeType: types.ScalarAttributeTypeS},
		},
		KeySchema: []types.KeySchemaElement{
			{AttributeName: aws.String("year"), KeyType: types.KeyTypeHash},
			{AttributeName: aws.String("title"), KeyType: types.KeyTypeRange},
		},
	}
}

// fakeTable is a table with the keys year and title that does what a test wants.
type fakeTable struct {
	batches [][]string // the titles of each call
	// answer, if set, is asked for each call: what it returns first stays unprocessed.
	answer func(call int, requests []types.WriteRequest) ([]types.WriteRequest, error)
	// wrote, if set, is called after each call.
	wrote func()
}

func (f *fakeTable) DescribeTable(_ context.Context, in *dynamodb.DescribeTableInput, _ ...func(*dynamodb.Options)) (*dynamodb.DescribeTableOutput, error) {
	return &dynamodb.DescribeTableOutput{Table: &types.TableDescription{
		TableName: in.TableName, KeySchema: moviesTable("").KeySchema,
	}}, nil
}

func (f *fakeTable) BatchWriteItem(_ context.Context, in *dynamodb.BatchWriteItemInput, _ ...func(*dynamodb.Options)) (*dynamodb.BatchWriteItemOutput, error) {
	requests := in.RequestItems["movies"]
	var titles []string
	for _, r := range requests {
		switch title := r.PutRequest.Item["title"].(type) {
		case *types.AttributeValueMemberS:
			titles = append(titles, title.Value)
		case *types.AttributeValueMemberN:
			titles = append(titles, title.Value)
		}
	}
	f.batches = append(f.batches, titles)
	if f.wrote != nil {
		f.wrote()
	}
	out := &dynamodb.BatchWriteItemOutput{}
	if f.answer != nil {
		left, err := f.answer(len(f.batches), requests)
		if err != nil {
			return nil, err
		}
		if len(left) > 0 {
			out.UnprocessedItems = map[string][]types.WriteRequest{"movies": left}
		}
	}
	return out, nil
}

// titled is a line with a movie: 25 bytes and those of the title.
func titled(title string) string { return fmt.Sprintf(`{"year":1999,"title":%q}`+"\n", title) }

func TestLoadBadInput(t *testing.T) {
	// Two good lines of 28 bytes, so that the third begins at byte 56.
	good := `{"year":1999,"title":"One"}` + "\n" + `{"year":1999,"title":"Two"}` + "\n"
	long := `{"year":1,"title":"` + strings.Repeat("x", 4<<20) + `"}`
	tests := map[string]struct {
		input string
		n     int
		want  string
	}{
		"neither layout":        {"year,title\n", 0, `line 1 (byte offset 0): want a JSON object on each line, or one JSON array of objects, not 'y'`},
		"text after empty":      {"\n \nyear", 0, `line 3 (byte offset 3): want a JSON object on each line`},
		"cut off line":          {good + `{"year":1999,` + "\n", 2, `line 3 (byte offset 70): the JSON object does not end here`},
		"object over two lines": {good + "{\n\"year\":1}\n", 2, `line 3 (byte offset 58): the JSON object does not end here`},
		"not JSON":              {good + `{"year":x}` + "\n", 2, `line 3 (byte offset 64): invalid character 'x'`},
		"line is no object":     {good + "42\n", 2, `line 3 (byte offset 56): want a JSON object, not '4'`},
		"two on a line":         {good + `{"year":1,"title":"a"} {}` + "\n", 2, `line 3 (byte offset 79): '{' follows the JSON object`},
		"after empty lines":     {good + "\n\r\n  {]\n", 2, `line 5 (byte offset 62): invalid character ']'`},
		"no key":                {good + `{"year":1}`, 2, `line 3 (byte offset 56): it has no "title", which is a key of the table`},
		"key of no key's type":  {good + `{"year":1,"title":true}`, 2, `line 3 (byte offset 56): "title" is a key of the table and must be a string or a number`},
		"key is null":           {good + `{"year":null,"title":"a"}`, 2, `line 3 (byte offset 56): "year" is a key`},
		"not UTF-8":             {good + `{"year":1,"title":"` + "caf\xe9" + `"}`, 2, `line 3 (byte offset 78): byte 0xe9 is not UTF-8`},
		"line too long":         {good + long, 2, `line 3 (byte offset 56): longer than 4 MiB`},

		"element is no object":       {`[{"year":1,"title":"a"},[]]`, 1, `element 2 (byte offset 24): want a JSON object, not '['`},
		"element is not JSON":        {`[{"year":1,"title":"a"}, {"year":x}]`, 1, `element 2 (byte offset 33): invalid character 'x'`},
		"element of the wrong end":   {`[{"year":1]`, 0, `element 1 (byte offset 10): invalid character ']'`},
		"array does not end":         {`[{"year":1,"title":"a"}`, 1, `line 1 (byte offset 23): the input ends before the array does`},
		"array ends after a comma":   {`[{"year":1,"title":"a"},`, 1, `line 1 (byte offset 24): the input ends before the array does`},
		"element does not end":       {`[{"year":1,"title":"a`, 0, `element 1 (byte offset 1): the input ends before the object does`},
		"comma before the end":       {"[{\"year\":1,\"title\":\"a\"},\n]", 1, `line 2 (byte offset 25): a comma before the end of the array`},
		"no comma":                   {`[{"year":1,"title":"a"} {}]`, 1, `line 1 (byte offset 24): want a comma or the end of the array, not '{'`},
		"comma first":                {`[,{}]`, 0, `element 1 (byte offset 1): want a JSON object, not ','`},
		"something after the array":  {`[{"year":1,"title":"a"}] []`, 1, `line 1 (byte offset 25): '[' follows the array`},
		"element without key":        {`[{"year":1,"title":"a"},{"title":"b"}]`, 1, `element 2 (byte offset 24): it has no "year"`},
		"element too long":           {"[" + long + "]", 0, `element 1 (byte offset 1): longer than 4 MiB`},
		"only the array's beginning": {`[`, 0, `line 1 (byte offset 1): the input ends before the array does`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			table := &fakeTable{}
			n, err := dynamolocal.Load(t.Context(), table, "movies", strings.NewReader(tt.input))
			if err == nil || !strings.HasPrefix(err.Error(), "table movies: "+tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
			// What comes before the bad one is put, and counted.
			put := 0
			for _, b := range table.batches {
				put += len(b)
			}
			if n != tt.n || put != tt.n {
				t.Errorf("got n %d and %d items in the table, want %d", n, put, tt.n)
			}
		})
	}
}

func TestLoadLayouts(t *testing.T) {
	tests := map[string]struct {
		input string
		want  []string
	}{
		"nothing":                   {"", nil},
		"white space":               {" \r\n\t", nil},
		"empty array":               {" [ ] \n", nil},
		"lines":                     {titled("a") + titled("b"), []string{"a", "b"}},
		"last line without an end":  {titled("a") + strings.TrimSpace(titled("b")), []string{"a", "b"}},
		"lines of Windows":          {"\ufeff" + strings.ReplaceAll(titled("a")+titled("b"), "\n", "\r\n"), []string{"a", "b"}},
		"empty and indented lines":  {"\n\n  " + titled("a") + "\n\t\n" + titled("b") + "\n", []string{"a", "b"}},
		"array on one line":         {`[{"title":"a","year":1},{"title":"b","year":1}]`, []string{"a", "b"}},
		"array on many lines":       {"\n[\n  {\n    \"title\": \"a\",\n \"year\": 1\n  }\n,\n{\"title\":\"b\",\"year\":1}\n]\n", []string{"a", "b"}},
		"array with a mark":         {"\ufeff" + `[{"title":"a","year":1}]`, []string{"a"}},
		"brackets in strings":       {`[{"title":"a]}[{","year":1},{"title":"\"}\\","year":1}]`, []string{"a]}[{", `"}\`}},
		"nested":                    {`[{"title":"a","year":1,"info":{"x":[{"y":[]}]}}]`, []string{"a"}},
		"characters of other codes": {`{"year":1,"title":"caf\u00e9 ` + "\u96c5" + `"}`, []string{"caf\u00e9 \u96c5"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			table := &fakeTable{}
			n, err := dynamolocal.Load(t.Context(), table, "movies", strings.NewReader(tt.input))
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, b := range table.batches {
				got = append(got, b...)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" || n != len(tt.want) {
				t.Errorf("got n %d, want %d; titles (-want +got):\n%s", n, len(tt.want), diff)
			}
		})
	}
}

// manyTitles are n movies, titled 0 to n-1.
func manyTitles(n int) string {
	var lines strings.Builder
	for i := range n {
		lines.WriteString(titled(fmt.Sprint(i)))
	}
	return lines.String()
}

func TestLoadInBatchesOf25(t *testing.T) {
	tests := map[int][]int{1: {1}, 24: {24}, 25: {25}, 26: {25, 1}, 75: {25, 25, 25}}
	for items, want := range tests {
		t.Run(fmt.Sprint(items), func(t *testing.T) {
			table := &fakeTable{}
			n, err := dynamolocal.Load(t.Context(), table, "movies", strings.NewReader(manyTitles(items)))
			if err != nil || n != items {
				t.Fatalf("got %d, %v, want %d", n, err, items)
			}
			var got []int
			for _, b := range table.batches {
				got = append(got, len(b))
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("sizes (-want +got):\n%s", diff)
			}
		})
	}
}

// The second batch is sent only after the first has arrived: if the input were read to its end
// before, this would never end.
func TestLoadStreams(t *testing.T) {
	arrived := make(chan struct{}, 1)
	table := &fakeTable{wrote: func() { arrived <- struct{}{} }}
	r, w := io.Pipe()
	go func() {
		for range 4 {
			_, _ = io.WriteString(w, manyTitles(25))
			select {
			case <-arrived:
			case <-t.Context().Done():
			}
		}
		_ = w.Close()
	}()
	n, err := dynamolocal.Load(t.Context(), table, "movies", r)
	if err != nil || n != 100 {
		t.Errorf("got %d, %v, want 100", n, err)
	}
}

// endless is a string that never ends. It notes how much of it was read.
type endless struct{ read int }

func (e *endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'x'
	}
	e.read += len(p)
	return len(p), nil
}

func TestLoadBoundsMemory(t *testing.T) {
	for name, beginning := range map[string]string{"line": `{"a":"`, "element": `[{"a":"`} {
		t.Run(name, func(t *testing.T) {
			rest := &endless{}
			_, err := dynamolocal.Load(t.Context(), &fakeTable{}, "movies", io.MultiReader(strings.NewReader(beginning), rest))
			if err == nil || !strings.Contains(err.Error(), name+" 1 ") {
				t.Errorf("got %v, want an error about %s 1", err, name)
			}
			if limit := 5 << 20; rest.read > limit {
				t.Errorf("read %d bytes, want no more than %d", rest.read, limit)
			}
		})
	}
}

func TestLoadLastOfAKeyWins(t *testing.T) {
	table := &fakeTable{}
	var years []string
	table.answer = func(_ int, requests []types.WriteRequest) ([]types.WriteRequest, error) {
		for _, r := range requests {
			years = append(years, r.PutRequest.Item["seen"].(*types.AttributeValueMemberN).Value)
		}
		return nil, nil
	}
	input := `{"year":1,"title":"a","seen":1}
{"year":1,"title":"b","seen":2}
{"year":2,"title":"a","seen":3}
{"year":1,"title":"a","seen":4}
{"year":"1","title":"a","seen":5}
`
	n, err := dynamolocal.Load(t.Context(), table, "movies", strings.NewReader(input))
	if err != nil || n != 5 {
		t.Errorf("got %d, %v, want 5: each item counts", n, err)
	}
	if diff := cmp.Diff([]string{"4", "2", "3", "5"}, years); diff != "" {
		t.Errorf("items (-want +got):\n%s", diff)
	}
}

func TestLoadSendsUnprocessedAgain(t *testing.T) {
	table := &fakeTable{}
	table.answer = func(call int, requests []types.WriteRequest) ([]types.WriteRequest, error) {
		return requests[min(call, len(requests)):], nil // one more each time
	}
	var waits []time.Duration
	loader := dynamolocal.Loader{Client: table, Table: "movies", Wait: func(_ context.Context, d time.Duration) error {
		waits = append(waits, d)
		return nil
	}}
	n, err := loader.Load(t.Context(), strings.NewReader(manyTitles(6)))
	if err != nil || n != 6 {
		t.Errorf("got %d, %v, want 6", n, err)
	}
	if diff := cmp.Diff([][]string{{"0", "1", "2", "3", "4", "5"}, {"1", "2", "3", "4", "5"}, {"3", "4", "5"}}, table.batches); diff != "" {
		t.Errorf("calls (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]time.Duration{50 * time.Millisecond, 100 * time.Millisecond}, waits); diff != "" {
		t.Errorf("waits (-want +got):\n%s", diff)
	}
}

func TestLoadGivesUpOnUnprocessed(t *testing.T) {
	table := &fakeTable{}
	table.answer = func(call int, requests []types.WriteRequest) ([]types.WriteRequest, error) {
		if call == 1 {
			return nil, nil
		}
		return requests[:2], nil
	}
	var waited time.Duration
	loader := dynamolocal.Loader{Client: table, Table: "movies", Wait: func(_ context.Context, d time.Duration) error {
		waited += d
		return nil
	}}
	n, err := loader.Load(t.Context(), strings.NewReader(manyTitles(30)))
	// Ten lines of 26 bytes and fifteen of 27 come before, and four more of 27 before the last.
	want := "table movies: line 26 (byte offset 665) to line 30 (byte offset 773): 2 of 5 items are still unprocessed after 10 tries"
	if n != 25 || err == nil || err.Error() != want {
		t.Errorf("got %d, %v, want 25 and %q", n, err, want)
	}
	// 50, 100, 200, 400, 800, 1600 ms and three times 2 s.
	if want := 9150 * time.Millisecond; waited != want {
		t.Errorf("waited %s, want %s", waited, want)
	}
}

func TestLoadEndsWithItsContext(t *testing.T) {
	table := &fakeTable{answer: func(_ int, requests []types.WriteRequest) ([]types.WriteRequest, error) { return requests, nil }}
	// The loader's own clock: an ended context must end the wait.
	ctx, cancel := context.WithCancel(t.Context())
	table.wrote = cancel
	n, err := dynamolocal.Load(ctx, table, "movies", strings.NewReader(manyTitles(1)))
	if n != 0 || !errors.Is(err, context.Canceled) || len(table.batches) != 1 {
		t.Errorf("got %d, %v after %d calls, want 0 and %v after one", n, err, len(table.batches), context.Canceled)
	}
}

func TestLoadKeepsErrors(t *testing.T) {
	gone := &types.ResourceNotFoundException{Message: aws.String("gone")}
	broken := errors.New("disk on fire")
	table := &fakeTable{answer: func(int, []types.WriteRequest) ([]types.WriteRequest, error) { return nil, gone }}
	if n, err := dynamolocal.Load(t.Context(), table, "movies", strings.NewReader(manyTitles(1))); n != 0 || !errors.Is(err, gone) {
		t.Errorf("got %d, %v, want 0 and %v", n, err, gone)
	}
	in := io.MultiReader(strings.NewReader(manyTitles(2)), errorReader{broken})
	if n, err := dynamolocal.Load(t.Context(), &fakeTable{}, "movies", in); n != 2 || !errors.Is(err, broken) {
		t.Errorf("got %d, %v, want 2 and %v", n, err, broken)
	}
	in = io.MultiReader(strings.NewReader(`{"year":1`), errorReader{broken})
	if n, err := dynamolocal.Load(t.Context(), &fakeTable{}, "movies", in); n != 0 || !errors.Is(err, broken) {
		t.Errorf("in the middle of a line: got %d, %v, want 0 and %v", n, err, broken)
	}
}

type errorReader struct{ err error }

func (r errorReader) Read([]byte) (int, error) { return 0, r.err }

// A batch is refused as a whole; the error must name the one item that is the reason.
func TestLoadNamesTheRefusedItem(t *testing.T) {
	refused := &smithy.GenericAPIError{Code: "ValidationException", Message: "no such number"}
	table := &fakeTable{answer: func(_ int, requests []types.WriteRequest) ([]types.WriteRequest, error) {
		for _, r := range requests {
			if r.PutRequest.Item["title"].(*types.AttributeValueMemberS).Value == "27" {
				return nil, &smithy.OperationError{ServiceID: "DynamoDB", OperationName: "BatchWriteItem", Err: refused}
			}
		}
		return nil, nil
	}}
	n, err := dynamolocal.Load(t.Context(), table, "movies", strings.NewReader(manyTitles(30)))
	if n != 27 || !errors.Is(err, refused) {
		t.Fatalf("got %d, %v, want 27 and %v", n, err, refused)
	}
	// Ten lines of 26 bytes and seventeen of 27 come before.
	if want := "table movies: line 28 (byte offset 719): "; !strings.HasPrefix(err.Error(), want) || strings.Contains(err.Error(), "operation error") {
		t.Errorf("got %q, want it to begin with %q and no more of the SDK's words than needed", err, want)
	}
}
