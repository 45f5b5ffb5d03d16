package movies

import (
	"errors"
	"maps"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// MaxItemBytes bounds the size of a movie's item. It follows from the limits of the fields, and keeps the two things that
// DynamoDB and Lambda bound: a transaction over all items of a movie below 4 MB, and a page of 100 movies below 6 MB
// whatever characters JSON has to escape.
const MaxItemBytes = 26_000

type attributes = map[string]types.AttributeValue

// Items returns the items that hold a movie in the table: first the movie itself, then its places in collections. All are
// whole movies, so that a page costs no second read.
func Items(m Movie) []map[string]types.AttributeValue {
	info := &types.AttributeValueMemberM{Value: encodeInfo(m.Info)}
	shared := attributes{
		attrYear: number(m.Year), attrTitle: text(m.Title), attrInfo: info, attrRevision: text(m.ETag()),
	}
	all := places(m)
	items := make([]attributes, len(all))
	for i, p := range all {
		items[i] = make(attributes, len(shared)+4)
		maps.Copy(items[i], shared)
		items[i][attrCollection], items[i][attrByTitle] = text(p.collection), text(p.byTitle)
		items[i][attrByYear], items[i][attrByRating] = text(p.byYear), text(p.byRating)
	}
	return items
}

// ItemBytes is the size of an item as DynamoDB counts it: names and values, three bytes for a list or a map and one for
// each of their elements (Developer Guide, "DynamoDB item sizes and formats").
func ItemBytes(item map[string]types.AttributeValue) int {
	size := 0
	for name, value := range item {
		size += len(name) + valueBytes(value)
	}
	return size
}

func valueBytes(value types.AttributeValue) int {
	switch v := value.(type) {
	case *types.AttributeValueMemberS:
		return len(v.Value)
	case *types.AttributeValueMemberN:
		digits := strings.Trim(strings.NewReplacer(".", "", "-", "").Replace(v.Value), "0")
		return (len(digits)+1)/2 + 1
	case *types.AttributeValueMemberL:
		size := 3
		for _, element := range v.Value {
			size += 1 + valueBytes(element)
		}
		return size
	case *types.AttributeValueMemberM:
		return 3 + len(v.Value) + ItemBytes(v.Value)
	}
	return 1
}

// encodeInfo leaves out what is not known, as the JSON does. It is written out since it cannot fail, and the SDK's mapping
// would make every writer handle an error that never comes.
func encodeInfo(i Info) attributes {
	info := make(attributes, len(infoFields))
	for name, value := range map[string]string{"release_date": i.ReleaseDate, "image_url": i.ImageURL, "plot": i.Plot} {
		if value != "" {
			info[name] = text(value)
		}
	}
	for name, value := range map[string]int{"rank": i.Rank, "running_time_secs": i.RunningTimeSecs} {
		if value != 0 {
			info[name] = number(value)
		}
	}
	if i.Rating != 0 {
		info["rating"] = &types.AttributeValueMemberN{Value: strconv.FormatFloat(i.Rating, 'f', -1, 64)}
	}
	for name, values := range map[string][]string{"directors": i.Directors, "genres": i.Genres, "actors": i.Actors} {
		if len(values) == 0 {
			continue
		}
		list := &types.AttributeValueMemberL{Value: make([]types.AttributeValue, len(values))}
		for j, value := range values {
			list.Value[j] = text(value)
		}
		info[name] = list
	}
	return info
}

// decodeMovie reads an item by the JSON tags: the attributes have the names of the API's answers. Attributes that are not
// known are skipped.
func decodeMovie(item attributes, m *Movie) error {
	err := attributevalue.UnmarshalMapWithOptions(item, m, func(o *attributevalue.DecoderOptions) { o.TagKey = "json" })
	if err == nil && (m.Year == 0 || m.Title == "") {
		err = errors.New("year or title is missing")
	}
	return err
}

func text(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }

func number(n int) types.AttributeValue {
	return &types.AttributeValueMemberN{Value: strconv.Itoa(n)}
}

func textOf(item attributes, name string) string {
	if v, ok := item[name].(*types.AttributeValueMemberS); ok {
		return v.Value
	}
	return ""
}

// ItemKey is the key of the item that is the movie itself.
func ItemKey(k Key) map[string]types.AttributeValue {
	return attributes{attrCollection: text(home(k)), attrByTitle: text(titleKey(k))}
}

// FromItem reads a movie from any of its items.
func FromItem(item map[string]types.AttributeValue) (Movie, error) {
	var m Movie
	return m, decodeMovie(item, &m)
}

// StaleKeys are the keys of the items that a movie had before and has no more.
func StaleKeys(before, now Movie) []map[string]types.AttributeValue {
	stays := map[string]bool{}
	for _, p := range places(now) {
		stays[p.collection] = true
	}
	var gone []map[string]types.AttributeValue
	for _, p := range places(before) {
		if !stays[p.collection] {
			gone = append(gone, attributes{attrCollection: text(p.collection), attrByTitle: text(p.byTitle)})
		}
	}
	return gone
}
