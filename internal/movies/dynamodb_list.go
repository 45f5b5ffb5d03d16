package movies

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// List reads one page with one Query, or with one for each shard when the movies of all collections are asked for. It
// returns CodeInvalidParameter for a query that Plan refuses and for a cursor that is not of this query, and the codes of
// a store that does not answer.
func (s *DynamoStore) List(ctx context.Context, q Query) (Page, error) {
	plan, err := q.Plan()
	if err != nil {
		return Page{}, err
	}
	r, err := runOf(plan).after(q.After)
	if err != nil || r.from > r.to {
		return Page{}, err
	}
	parts, err := s.queryAll(ctx, r, q)
	if err != nil {
		return Page{}, err
	}
	return s.merge(r, parts, q.Limit)
}

// part is what one collection gave, in order.
type part struct {
	items []attributes
	// more says that the collection goes on after the items: DynamoDB ended the page at 1 MB or at the limit.
	more bool
}

// queryAll reads the run from each of its collections, side by side.
func (s *DynamoStore) queryAll(ctx context.Context, r run, q Query) ([]part, error) {
	parts := make([]part, len(r.collections))
	if len(parts) == 1 {
		err := s.query(ctx, r, q, 0, &parts[0])
		return parts, err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var (
		group sync.WaitGroup
		once  sync.Once
		first error
	)
	for i := range parts {
		group.Go(func() {
			if err := s.query(ctx, r, q, i, &parts[i]); err != nil {
				once.Do(func() { first = err })
				cancel()
			}
		})
	}
	group.Wait()
	return parts, first
}

// query reads one more item than the page holds: it shows whether another page follows, where DynamoDB would also give a
// last key when the limit falls on the last item.
func (s *DynamoStore) query(ctx context.Context, r run, q Query, i int, into *part) error {
	in := &dynamodb.QueryInput{
		TableName: &s.table, Limit: aws.Int32(int32(q.Limit + 1)), ScanIndexForward: aws.Bool(!r.descending),
		KeyConditionExpression: aws.String("#c = :c AND #p BETWEEN :from AND :to"),
		ExpressionAttributeValues: attributes{
			":c": text(r.collections[i]), ":from": text(r.from), ":to": text(r.to),
		},
		ReturnConsumedCapacity: types.ReturnConsumedCapacityTotal,
	}
	in.ProjectionExpression, in.ExpressionAttributeNames = project(r, q.Fields)
	if r.index != "" {
		in.IndexName = &r.index
	}
	out, err := s.api.Query(ctx, in)
	if err != nil {
		return s.fault(ctx, "Query", err)
	}
	count(ctx, Usage{Calls: 1, Items: int(out.ScannedCount), ReadUnits: units(out.ConsumedCapacity)})
	into.items, into.more = out.Items, len(out.LastEvaluatedKey) > 0
	return nil
}

// project names what is read of an item. Placeholders stand for all names, as some are reserved words (Developer Guide,
// "Reserved words in DynamoDB").
func project(r run, fields []string) (*string, map[string]string) {
	names := map[string]string{"#c": attrCollection, "#p": r.attr, "#year": attrYear, "#title": attrTitle}
	wanted := []string{"#p", "#year", "#title"}
	if fields == nil {
		names["#info"] = attrInfo
		wanted = append(wanted, "#info")
	}
	for i, field := range fields {
		names["#info"] = attrInfo
		name := fmt.Sprintf("#f%d", i)
		names[name] = field
		wanted = append(wanted, "#info."+name)
	}
	return aws.String(strings.Join(wanted, ", ")), names
}

// merge takes the first movies of all parts in order. Only those are decoded.
func (s *DynamoStore) merge(r run, parts []part, limit int) (Page, error) {
	page := Page{Movies: []Movie{}}
	var at string
	for {
		next := -1
		for i := range parts {
			if len(parts[i].items) > 0 && (next < 0 || r.compare(parts[i].items[0], parts[next].items[0]) < 0) {
				next = i
			}
		}
		if next < 0 {
			return page, nil
		}
		if len(page.Movies) == limit {
			page.Next = Cursor(at)
			return page, nil
		}
		var m Movie
		item := parts[next].items[0]
		if err := s.decode(item, &m); err != nil {
			return Page{}, err
		}
		page.Movies = append(page.Movies, m)
		at, parts[next].items = textOf(item, r.attr), parts[next].items[1:]
		if len(parts[next].items) == 0 && parts[next].more {
			// What follows in this collection was not read, so nothing of the others may be taken past it.
			page.Next = Cursor(at)
			return page, nil
		}
	}
}

func (r run) compare(a, b attributes) int {
	order := cmp.Compare(textOf(a, r.attr), textOf(b, r.attr))
	if r.descending {
		return -order
	}
	return order
}
