package movies

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"
)

// ParseMovie reads the JSON of one movie strictly: names are compared letter by letter, and what is not known is refused
// rather than dropped. A null is the same as nothing. With a key, year and title may be missing from the text, and must
// equal the key's if they are there; with the zero Key they are read from it.
//
// A CodeInvalidJSON error says that the text is no JSON object; a CodeInvalidMovie error names every fault at once.
func ParseMovie(text []byte, key Key) (Movie, error) {
	// encoding/json would put U+FFFD for what is not UTF-8, and the caller would find another text than was sent.
	if !utf8.Valid(text) {
		return Movie{}, &Error{Code: CodeInvalidJSON, Message: "the body is not valid UTF-8"}
	}
	var top map[string]json.RawMessage
	if err := json.Unmarshal(text, &top); err != nil || top == nil {
		return Movie{}, notJSON(text, err)
	}
	p := movieParser{}
	m := Movie{Year: key.Year, Title: key.Title}
	var year int
	var title string
	take(&p, top, "", "year", "a whole number", &year)
	take(&p, top, "", "title", "a text", &title)
	switch {
	case key == Key{}:
		m.Year, m.Title = year, title
	case year != 0 && year != key.Year:
		p.faults = append(p.faults, fmt.Sprintf("year is %d, but the path says %d", year, key.Year))
	}
	if key != (Key{}) && title != "" && title != key.Title {
		p.faults = append(p.faults, fmt.Sprintf("title is %s, but the path says %s", quote(title), quote(key.Title)))
	}
	var info map[string]json.RawMessage
	take(&p, top, "", "info", "an object", &info)
	p.info(info, &m.Info)
	p.rest(top, "", "year, title and info")
	// A field whose value could not be read is not complained about twice: it is as if it were not there.
	faults := m.Info.faults()
	if !p.bad["year"] && !p.bad["title"] {
		faults = append(m.Key().faults(), faults...)
	}
	return m, refuse(CodeInvalidMovie, append(p.faults, faults...))
}

func notJSON(text []byte, err error) error {
	message := "the body is not a JSON object"
	if len(bytes.TrimSpace(text)) == 0 {
		message = "the body is empty, want a movie as a JSON object"
	} else if syntax, ok := err.(*json.SyntaxError); ok {
		message = fmt.Sprintf("the body is not JSON at byte %d: %s", syntax.Offset, syntax.Error())
	}
	return &Error{Code: CodeInvalidJSON, Message: message, Err: err}
}

// movieParser collects faults.
type movieParser struct {
	faults []string
	bad    map[string]bool
}

func (p *movieParser) info(fields map[string]json.RawMessage, i *Info) {
	const number, text, texts = "a whole number", "a text", "a list of texts"
	take(p, fields, "info.", "directors", texts, &i.Directors)
	take(p, fields, "info.", "release_date", text, &i.ReleaseDate)
	take(p, fields, "info.", "rating", "a number", &i.Rating)
	take(p, fields, "info.", "genres", texts, &i.Genres)
	take(p, fields, "info.", "image_url", text, &i.ImageURL)
	take(p, fields, "info.", "plot", text, &i.Plot)
	take(p, fields, "info.", "rank", number, &i.Rank)
	take(p, fields, "info.", "running_time_secs", number, &i.RunningTimeSecs)
	take(p, fields, "info.", "actors", texts, &i.Actors)
	p.rest(fields, "info.", strings.Join(infoFields, ", "))
	// An empty list is the same as none, so that one movie has one form.
	for _, list := range []*[]string{&i.Directors, &i.Genres, &i.Actors} {
		if len(*list) == 0 {
			*list = nil
		}
	}
}

// take reads one field and removes it from the rest.
func take[T any](p *movieParser, fields map[string]json.RawMessage, path, name, want string, into *T) {
	raw, ok := fields[name]
	delete(fields, name)
	if !ok {
		return
	}
	var value T
	err := json.Unmarshal(raw, &value)
	if err == nil {
		*into = value
	} else {
		if p.bad == nil {
			p.bad = map[string]bool{}
		}
		p.bad[path+name] = true
		p.faults = append(p.faults, fmt.Sprintf("%s%s must be %s, got %s", path, name, want, quote(string(raw))))
	}
}

func (p *movieParser) rest(fields map[string]json.RawMessage, path, known string) {
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		p.faults = append(p.faults, fmt.Sprintf("%s%s is not known: it may be one of %s", path, strings.Trim(quote(name), `"`), known))
	}
}
