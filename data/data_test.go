package data_test

import (
	"bytes"
	"cmp"
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

type movie struct {
	Year  int    `json:"year"`
	Title string `json:"title"`
	Info  struct {
		Directors   []string `json:"directors"`
		ReleaseDate string   `json:"release_date"`
		Rating      float64  `json:"rating"`
		Genres      []string `json:"genres"`
		Plot        string   `json:"plot"`
		Rank        int      `json:"rank"`
		Running     int      `json:"running_time_secs"`
		Actors      []string `json:"actors"`
	} `json:"info"`
}

func movies(t *testing.T) []movie {
	t.Helper()
	text, err := os.ReadFile("movies.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	var all []movie
	for line := range bytes.Lines(text) {
		decoder := json.NewDecoder(bytes.NewReader(line))
		decoder.DisallowUnknownFields()
		var m movie
		if err := decoder.Decode(&m); err != nil {
			t.Fatalf("line %d: %v", len(all)+1, err)
		}
		all = append(all, m)
	}
	if len(all) < 250 {
		t.Fatalf("got %d movies, want at least 250", len(all))
	}
	return all
}

func TestEachMovieIsComplete(t *testing.T) {
	plots := map[string]string{}
	for i, m := range movies(t) {
		released, err := time.Parse(time.RFC3339, m.Info.ReleaseDate)
		tenths := m.Info.Rating * 10
		switch {
		case m.Year < 1888 || m.Year > 2100 || m.Title == "" || m.Title != strings.TrimSpace(m.Title):
			t.Errorf("line %d: bad key %d %q", i+1, m.Year, m.Title)
		case err != nil || released.Year() != m.Year:
			t.Errorf("line %d: release date %q does not fit the year %d", i+1, m.Info.ReleaseDate, m.Year)
		case m.Info.Rating < 1 || m.Info.Rating > 10 || tenths-float64(int(tenths+0.5)) > 1e-9:
			t.Errorf("line %d: bad rating %v", i+1, m.Info.Rating)
		case m.Info.Running < 15*60 || m.Info.Running > 8*3600 || m.Info.Running%60 != 0:
			t.Errorf("line %d: bad running time %d", i+1, m.Info.Running)
		case len(m.Info.Plot) < 30 || plots[m.Info.Plot] != "":
			t.Errorf("line %d: the plot is too short, or that of %q", i+1, plots[m.Info.Plot])
		}
		for _, list := range [][]string{m.Info.Directors, m.Info.Genres, m.Info.Actors} {
			if len(list) == 0 || slices.Contains(list, "") {
				t.Errorf("line %d: directors, genres and actors are lists of names, got %q", i+1, list)
			}
		}
		plots[m.Info.Plot] = m.Title
	}
}

func TestKeysAreSortedAndRanksAreUnique(t *testing.T) {
	all := movies(t)
	ranks := make([]int, len(all))
	for i, m := range all {
		ranks[i] = m.Info.Rank
		if i == 0 {
			continue
		}
		last := all[i-1]
		if cmp.Or(cmp.Compare(last.Year, m.Year), cmp.Compare(last.Title, m.Title)) >= 0 {
			t.Errorf("line %d: %d %q does not come after %d %q", i+1, m.Year, m.Title, last.Year, last.Title)
		}
	}
	slices.Sort(ranks)
	for i, rank := range ranks {
		if rank != i+1 {
			t.Fatalf("ranks are not 1 to %d, each once: got %d in place %d", len(ranks), rank, i+1)
		}
	}
}

// Clients and path templates break on these; the sample must have them.
func TestHardTitlesAreThere(t *testing.T) {
	titles := ""
	for _, m := range movies(t) {
		titles += m.Title + "\n"
	}
	for _, hard := range []string{"/", "%", "+", "&", "*", "'", "(", "[", "!", ",", ":", "é", "½", "·", "千", "기", "প", "طعم"} {
		if !strings.Contains(titles, hard) {
			t.Errorf("no title has %q in it", hard)
		}
	}
}
