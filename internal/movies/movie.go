// Package movies is the movie list: the domain, the store it is read from and the HTTP API it is served by.
//
// The domain (movie.go, query.go, plan.go, token.go, write.go, usage.go, errors.go) imports the standard library only and
// knows no technology. The AWS SDK is seen by the files dynamodb*.go alone, net/http by the files http*.go alone. The
// package does not read the environment, and authenticates nobody: the gateway in front has done so.
package movies

import (
	"fmt"
	"math"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

const (
	// MinYear is the year of the oldest film that survives; an earlier one is a typing error.
	MinYear = 1888
	// MaxYear keeps a year at four digits.
	MaxYear = 9999
	// MaxTitleBytes leaves room in a sort key of DynamoDB, which may have 1,024 bytes (Developer Guide, "Service, account,
	// and table quotas"), for a year or a rating beside the title.
	MaxTitleBytes = 1000
	// MaxRating is the upper end of the rating scale.
	MaxRating = 10
	// MaxPlotBytes and MaxURLBytes, with the limits of the lists, keep a movie below MaxItemBytes.
	MaxPlotBytes = 8000
	MaxURLBytes  = 2000
	// MaxNameBytes bounds a genre's or a person's name: it is part of a key.
	MaxNameBytes = 200
	// A movie stands in one collection for each genre, director and actor, and a change of a movie changes all of them in
	// one transaction: those of before, those of after, the movie and its year, at most 100 items.
	MaxGenres    = 10
	MaxDirectors = 10
	MaxActors    = 25
	// maxCount bounds the whole numbers.
	maxCount = 1_000_000_000
)

// Movie is one film, in the layout of the sample data set that AWS ships with DynamoDB (moviedata.json). The JSON
// names are those of the API's answers, of the data files and of the attributes in the table alike.
type Movie struct {
	Year  int    `json:"year"`
	Title string `json:"title"`
	Info  Info   `json:"info"`
}

// Info is all that is known of a movie beyond its key. Every field may be missing and is then left out of the JSON.
// Fields that are not listed here are dropped when a movie is read.
type Info struct {
	Directors []string `json:"directors,omitempty"`
	// ReleaseDate is an RFC 3339 time, kept as text so that what was stored is what is answered.
	ReleaseDate string `json:"release_date,omitempty"`
	// Rating is above 0 and at most MaxRating, with at most two decimals; 0 means not rated.
	Rating float64  `json:"rating,omitempty"`
	Genres []string `json:"genres,omitempty"`
	// ImageURL is an http or https address. This project's own data has none, AWS's data set has; it is kept.
	ImageURL        string   `json:"image_url,omitempty"`
	Plot            string   `json:"plot,omitempty"`
	Rank            int      `json:"rank,omitempty"`
	RunningTimeSecs int      `json:"running_time_secs,omitempty"`
	Actors          []string `json:"actors,omitempty"`
}

// Key names one movie: two films of a year never share a title.
type Key struct {
	Year  int
	Title string
}

// Key returns the movie's own key.
func (m Movie) Key() Key { return Key{Year: m.Year, Title: m.Title} }

// Validate checks the key: a CodeInvalidParameter error names year, title or both.
func (k Key) Validate() error { return refuse(CodeInvalidParameter, k.faults()) }

// Validate checks the whole movie. A CodeInvalidMovie error names every fault at once.
func (m Movie) Validate() error {
	return refuse(CodeInvalidMovie, slices.Concat(m.Key().faults(), m.Info.faults()))
}

func refuse(code Code, faults []string) error {
	if len(faults) == 0 {
		return nil
	}
	return &Error{Code: code, Message: strings.Join(faults, "; "), Faults: faults}
}

func (k Key) faults() []string {
	var faults []string
	if k.Year < MinYear || k.Year > MaxYear {
		faults = append(faults, fmt.Sprintf("year must be from %d to %d, got %d", MinYear, MaxYear, k.Year))
	}
	if k.Title == "" {
		return append(faults, "title is empty")
	}
	return append(faults, textFaults("title", k.Title, MaxTitleBytes)...)
}

// textFaults checks one text. The characters that it refuses mean nothing in a text, and the keys of the table need some
// that no text holds.
func textFaults(name, text string, most int) []string {
	switch {
	case len(text) > most:
		return []string{fmt.Sprintf("%s may have %d bytes, got %d", name, most, len(text))}
	case !utf8.ValidString(text):
		return []string{name + " is not valid UTF-8"}
	case strings.ContainsFunc(text, meaningless):
		return []string{name + " holds a control character other than a tab or a line end"}
	}
	return nil
}

func meaningless(r rune) bool {
	return r < ' ' && r != '\t' && r != '\n' && r != '\r' || r == utf8.MaxRune
}

func (i Info) faults() []string {
	var faults []string
	if i.ReleaseDate != "" {
		if _, err := time.Parse(time.RFC3339, i.ReleaseDate); err != nil {
			faults = append(faults, fmt.Sprintf("info.release_date must look like 2013-09-02T00:00:00Z, got %s", quote(i.ReleaseDate)))
		}
	}
	if math.IsNaN(i.Rating) || i.Rating < 0 || i.Rating > MaxRating {
		faults = append(faults, fmt.Sprintf("info.rating must be from 0 to %d, got %v", MaxRating, i.Rating))
	} else if float64(hundredths(i.Rating))/100 != i.Rating {
		faults = append(faults, fmt.Sprintf("info.rating may have two decimals, got %v", i.Rating))
	}
	for _, n := range []struct {
		name  string
		value int
	}{{"rank", i.Rank}, {"running_time_secs", i.RunningTimeSecs}} {
		if n.value < 0 {
			faults = append(faults, fmt.Sprintf("info.%s must not be negative, got %d", n.name, n.value))
		} else if n.value > maxCount {
			faults = append(faults, fmt.Sprintf("info.%s must be at most %d, got %d", n.name, maxCount, n.value))
		}
	}
	faults = append(faults, textFaults("info.plot", i.Plot, MaxPlotBytes)...)
	// Clients put it into pages as it is, so no other scheme (javascript:) may come through.
	if u, err := url.Parse(i.ImageURL); i.ImageURL != "" && (err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https") {
		faults = append(faults, fmt.Sprintf("info.image_url must be an http or https address, got %s", quote(i.ImageURL)))
	} else {
		faults = append(faults, textFaults("info.image_url", i.ImageURL, MaxURLBytes)...)
	}
	faults = append(faults, nameFaults("directors", i.Directors, MaxDirectors)...)
	faults = append(faults, nameFaults("genres", i.Genres, MaxGenres)...)
	return append(faults, nameFaults("actors", i.Actors, MaxActors)...)
}

// nameFaults checks one list. A name twice would be one place in a collection.
func nameFaults(list string, names []string, most int) []string {
	if len(names) > most {
		return []string{fmt.Sprintf("info.%s may have %d names, got %d", list, most, len(names))}
	}
	var faults []string
	for i, name := range names {
		switch {
		case name == "":
			faults = append(faults, fmt.Sprintf("info.%s holds an empty name", list))
		case slices.Contains(names[:i], name):
			faults = append(faults, fmt.Sprintf("info.%s holds %s twice", list, quote(name)))
		default:
			faults = append(faults, textFaults(fmt.Sprintf("info.%s[%d]", list, i), name, MaxNameBytes)...)
		}
	}
	return faults
}

// hundredths is a rating in whole steps, as the keys hold it.
func hundredths(rating float64) int { return int(math.Round(rating * 100)) }

// quote repeats a value inside a message, cut so that an answer stays small whatever was sent.
func quote(s string) string {
	const most = 40
	if len(s) <= most {
		return fmt.Sprintf("%q", s)
	}
	cut := most
	for cut > 0 && !utf8.RuneStart(s[cut]) {
		cut--
	}
	return fmt.Sprintf("%q…", s[:cut])
}
