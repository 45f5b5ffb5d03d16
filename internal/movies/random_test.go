package movies_test

import (
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/marquee-api/marquee/internal/movies"
	"github.com/marquee-api/marquee/internal/movies/moviestest"
)

var (
	steps = flag.Int("steps", 2000, "how many random reads and writes TestRandomReadsAndWrites does")
	seed  = flag.Uint64("seed", 0, "the seed of the random tests; 0 takes one of the clock")
)

var ignoreState = cmpopts.IgnoreUnexported(types.AttributeValueMemberS{}, types.AttributeValueMemberN{}, types.AttributeValueMemberL{}, types.AttributeValueMemberM{})

func random(t *testing.T) *rand.Rand {
	t.Helper()
	s := *seed
	if s == 0 {
		s = uint64(time.Now().UnixNano())
	}
	t.Logf("run again with -seed=%d", s)
	return rand.New(rand.NewPCG(s, 0))
}

// Random reads and writes give what they give in a model that is a map and a sort; at the end the table holds the items of
// the model's movies and nothing else.
func TestRandomReadsAndWrites(t *testing.T) {
	t.Parallel()
	r := random(t)
	client, table := moviestest.Client(t), moviestest.Table(t)
	real, want := movies.NewDynamoStore(client, table), newModel()
	all, did := queries(), map[string]int{}
	for step := range *steps {
		var name string
		var a, b any
		var errA, errB error
		k := movies.Key{Year: years[r.IntN(3)], Title: words[r.IntN(6)]}
		switch kind := r.IntN(10); {
		case kind < 4:
			m := movies.Movie{Year: k.Year, Title: k.Title, Info: randomInfo(r)}
			c, q := randomCondition(r, want, k), randomRequest(r, "put", m)
			name = fmt.Sprintf("put %+v %+v %+v", m, c, q)
			a, errA = real.Put(t.Context(), m, c, q)
			b, errB = want.Put(t.Context(), m, c, q)
		case kind < 6:
			c, q := randomCondition(r, want, k), randomRequest(r, "delete", movies.Movie{Year: k.Year, Title: k.Title})
			name = fmt.Sprintf("delete %+v %+v %+v", k, c, q)
			a, errA = real.Delete(t.Context(), k, c, q)
			b, errB = want.Delete(t.Context(), k, c, q)
		case kind < 7:
			name = fmt.Sprintf("get %+v", k)
			a, errA = real.Get(t.Context(), k)
			b, errB = want.Get(t.Context(), k)
		default:
			q := all[r.IntN(len(all))]
			q.Limit = 1 + r.IntN(100)
			name = fmt.Sprintf("list %+v", q)
			pageA, err := real.List(t.Context(), q)
			pageB, _ := want.List(t.Context(), q)
			a, b, errA = append([]movies.Movie{}, pageA.Movies...), append([]movies.Movie{}, pageB.Movies...), err
			if (pageA.Next == "") != (pageB.Next == "") {
				t.Fatalf("step %d: %s: got next %q, want %q", step, name, pageA.Next, pageB.Next)
			}
		}
		if diff := cmp.Diff(b, a); movies.CodeOf(errA) != movies.CodeOf(errB) || diff != "" {
			t.Fatalf("step %d: %s: got error %v, want %v (-want +got):\n%s", step, name, errA, errB, diff)
		}
		did[fmt.Sprint(name[:3], " ", movies.CodeOf(errA))]++
	}
	t.Logf("did: %v", did)
	for _, needed := range []string{"put ", "put precondition_failed", "put precondition_required", "put idempotency_key_reused", "del ", "del not_found", "get ", "get not_found", "lis "} {
		if did[needed] == 0 {
			t.Errorf("none of the steps was %q", needed)
		}
	}
	consistent(t, client, table, slices.Collect(maps.Values(want.all)))
}

func randomCondition(r *rand.Rand, m *model, k movies.Key) movies.Condition {
	switch r.IntN(6) {
	case 0:
		return movies.Condition{}
	case 1:
		return movies.Condition{None: true}
	case 2:
		return movies.Condition{Match: []string{`"another"`}}
	case 3, 4:
		if old, ok := m.all[k]; ok {
			return movies.Condition{Match: []string{`"another"`, old.ETag()}}
		}
	}
	return movies.Condition{Any: r.IntN(2) == 0}
}

// randomRequest names every third request, by few names.
func randomRequest(r *rand.Rand, what string, m movies.Movie) movies.Request {
	if r.IntN(3) > 0 {
		return movies.Request{}
	}
	name := fmt.Sprint(r.IntN(8))
	if r.IntN(10) > 0 {
		name += fmt.Sprintf("%s %d %s", what, m.Year, m.ETag()) // its own
	}
	return movies.Request{Caller: people[r.IntN(2)], IdempotencyKey: name, Fingerprint: what + m.ETag()}
}
