// Package movies is the movie list: the domain, the store it is read from and the HTTP API it is served by.
//
// The domain (movie.go, query.go, token.go, errors.go) imports the standard library only and knows no technology.
// dynamodb.go is the one file that sees the AWS SDK, http.go the one file that sees net/http. The package does not
// read the environment (but for NewDynamoClient, which leaves that to the SDK), authenticates nobody (the gateway in
// front has done so) and does not write movies.
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
	// MaxTitleBytes is DynamoDB's limit for a sort key (Developer Guide, "Service, account, and table quotas").
	MaxTitleBytes = 1024
	// MaxRating is the upper end of the rating scale.
	MaxRating = 10
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
	// Rating is above 0 and at most MaxRating; 0 means not rated.
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
	return &Error{Code: code, Message: strings.Join(faults, "; ")}
}

func (k Key) faults() []string {
	var faults []string
	if k.Year < MinYear || k.Year > MaxYear {
		faults = append(faults, fmt.Sprintf("year must be from %d to %d, got %d", MinYear, MaxYear, k.Year))
	}
	switch {
	case k.Title == "":
		faults = append(faults, "title is empty")
	case len(k.Title) > MaxTitleBytes:
		faults = append(faults, fmt.Sprintf("title may have %d bytes, got %d", MaxTitleBytes, len(k.Title)))
	case !utf8.ValidString(k.Title):
		faults = append(faults, "title is not valid UTF-8")
	}
	return faults
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
	}
	if i.Rank < 0 {
		faults = append(faults, fmt.Sprintf("info.rank must not be negative, got %d", i.Rank))
	}
	if i.RunningTimeSecs < 0 {
		faults = append(faults, fmt.Sprintf("info.running_time_secs must not be negative, got %d", i.RunningTimeSecs))
	}
	// Clients put it into pages as it is, so no other scheme (javascript:) may come through.
	if u, err := url.Parse(i.ImageURL); i.ImageURL != "" && (err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https") {
		faults = append(faults, fmt.Sprintf("info.image_url must be an http or https address, got %s", quote(i.ImageURL)))
	}
	for _, list := range []struct {
		name   string
		values []string
	}{{"directors", i.Directors}, {"genres", i.Genres}, {"actors", i.Actors}} {
		if slices.Contains(list.values, "") {
			faults = append(faults, fmt.Sprintf("info.%s holds an empty name", list.name))
		}
	}
	return faults
}

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
