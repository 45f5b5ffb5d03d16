package load

import (
	"fmt"
	"io"
	"math/rand/v2"
	"strings"

	"github.com/marquee-api/marquee/internal/movies"
)

// generatedBytes is the size of every generated movie's item: pages of equally many are then equally large, whatever is in
// them, and figures can be compared.
const generatedBytes = 420

// Generator makes up movies. The same seed gives the same movies, and a larger count the same ones first.
type Generator struct {
	// Bare leaves people out: three items a movie instead of five, for figures about large catalogues.
	Bare bool

	seed        uint64
	count, next int
}

// NewGenerator returns a Generator of that many movies.
func NewGenerator(count int, seed uint64) *Generator { return &Generator{seed: seed, count: count} }

var (
	adjectives = strings.Fields("Silent Crimson Broken Endless Hidden Golden Frozen Burning Distant Secret Savage Gentle Electric Hollow Velvet Iron")
	nouns      = strings.Fields("River Garden Empire Mirror Harbor Winter Engine Letter Orchard Signal Shadow Voyage Castle Island Summer Lantern")
	genres     = strings.Fields("Drama Comedy Action Thriller Romance Horror Mystery Western Musical War Crime Fantasy Family History Sport Noir")
	given      = strings.Fields("Anna Boris Carla David Elena Felix Greta Hugo Irene Jonas Karin Louis Maria Nils Olga Pavel")
	family     = strings.Fields("Adler Bauer Costa Dumas Evans Fuchs Green Hansen Ito Jensen Keller Lopez Meyer Novak Olsen Park")
	plotWords  = strings.Fields("a the old stranger returns to town and finds letters that nobody sent while winter comes and the road is closed")
)

// Next makes the next movie: one genre of 16, a director and an actor of some thousand each, a year of a hundred. Genres
// and years are dealt out evenly, so that even a small catalogue has some of each.
func (g *Generator) Next() (Record, error) {
	if g.next >= g.count {
		return Record{}, io.EOF
	}
	i := g.next
	g.next++
	r := rand.New(rand.NewPCG(g.seed, uint64(i)))
	pick := func(words []string) string { return words[r.IntN(len(words))] }
	person := func(people int) string { return fmt.Sprintf("%s %s %03d", pick(given), pick(family), r.IntN(people)) }
	m := movies.Movie{
		Year: 1925 + i%100, Title: fmt.Sprintf("The %s %s %07d", pick(adjectives), pick(nouns), i),
		Info: movies.Info{
			Directors: []string{person(8)}, Genres: []string{genres[(i/100+i)%len(genres)]}, Actors: []string{person(32)},
			Rating: float64(100+r.IntN(900)) / 100, RunningTimeSecs: 60 * (70 + r.IntN(120)),
		},
	}
	if g.Bare {
		m.Info.Directors, m.Info.Actors = nil, nil
	}
	m.Info.ReleaseDate = fmt.Sprintf("%d-%02d-%02dT00:00:00Z", m.Year, 1+r.IntN(12), 1+r.IntN(28))
	m.Info.Plot = g.plot(r, m)
	return Record{Line: i + 1, Movie: m}, nil
}

// plot fills the movie up to its size.
func (g *Generator) plot(r *rand.Rand, m movies.Movie) string {
	m.Info.Plot = "x"
	room := generatedBytes - movies.ItemBytes(movies.Items(m)[0]) + 1
	var b strings.Builder
	for b.Len() < room {
		b.WriteString(plotWords[r.IntN(len(plotWords))] + " ")
	}
	if room < 1 {
		return ""
	}
	return strings.TrimRight(b.String()[:room-1], " ") + strings.Repeat(".", room-len(strings.TrimRight(b.String()[:room-1], " ")))
}
