package movies_test

import (
	"strings"
	"testing"

	"github.com/marquee-api/marquee/internal/movies"
)

// The tokens were made with Python: base64url(b"\x01" + sha256(selection)[:8] + cursor), without padding. They hold the
// layout fast: a token must live through an update of the function.
const (
	token2013 = "AROgYOVddfvfMjAxMy9SdXNo" // year=2013, cursor 2013/Rush
	tokenAll  = "AWf05Swq61HuMTk5OS9BL0I"  // year=0, cursor 1999/A/B
)

func TestTokens(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		query  movies.Query
		cursor movies.Cursor
		token  string
	}{
		"one year":   {movies.Query{Year: 2013}, "2013/Rush", token2013},
		"every year": {movies.Query{Limit: 9}, "1999/A/B", tokenAll},
		"the end":    {movies.Query{Year: 2013}, "", ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := (movies.Tokens{}).Seal(tt.query, tt.cursor); got != tt.token {
				t.Errorf("sealed: got %q, want %q", got, tt.token)
			}
			if tt.token == "" {
				return
			}
			got, err := movies.Tokens{}.Open(tt.token, tt.query)
			if err != nil || got != tt.cursor {
				t.Errorf("opened: got %q, %v, want %q", got, err, tt.cursor)
			}
		})
	}
}

func TestTokensRefuse(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		token string
		fault string
	}{
		"empty":                 {"", "next is empty"},
		"no base64":             {"%%%", "next is not a page token"},
		"padded":                {token2013 + "=", "next is not a page token"},
		"line end inside":       {token2013[:8] + "\n" + token2013[8:], "next is not a page token"},
		"space before":          {" " + token2013, "next is not a page token"},
		"standard alphabet":     {"+/+/", "next is not a page token"},
		"loose last bits":       {tokenAll[:len(tokenAll)-1] + "J", "next is not a page token"},
		"head only":             {token2013[:12], "next is not a page token"},
		"too long":              {strings.Repeat("A", 2052), "next is not a page token"},
		"version 2":             {"Ah" + token2013[2:], "next was made by another version"},
		"of every year":         {tokenAll, "next belongs to another query"},
		"another selection":     {"AROgYOVddfvg" + token2013[12:], "next belongs to another query"},
		"the token of DynamoDB": {"eyJ5ZWFyIjoiMjAxMyJ9", "next was made by another version"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cursor, err := movies.Tokens{}.Open(tt.token, movies.Query{Year: 2013})
			if movies.CodeOf(err) != movies.CodeInvalidParameter || !strings.Contains(movies.MessageOf(err), tt.fault) {
				t.Errorf("got %q, error %v, want invalid_parameter with %q", cursor, err, tt.fault)
			}
		})
	}
}

func FuzzTokens(f *testing.F) {
	f.Add(2013, "2013/Rush", token2013)
	f.Add(0, "1999/A/B", tokenAll)
	f.Add(1999, "\x00\xff", "garbage")
	f.Fuzz(func(t *testing.T, year int, at, foreign string) {
		tokens, q := movies.Tokens{}, movies.Query{Year: year}
		if at != "" && len(at) <= 1500 {
			token := tokens.Seal(q, movies.Cursor(at))
			if got, err := tokens.Open(token, q); err != nil || string(got) != at {
				t.Errorf("opened %q: got %q, %v, want %q", token, got, err, at)
			}
			if _, err := tokens.Open(token, movies.Query{Year: year + 1}); err == nil {
				t.Errorf("%q of year %d was accepted for year %d", token, year, year+1)
			}
		}
		// What opens has one spelling: the one that Seal gives.
		if got, err := tokens.Open(foreign, q); err == nil && tokens.Seal(q, got) != foreign {
			t.Errorf("%q opens as %q, which seals as %q", foreign, got, tokens.Seal(q, got))
		}
	})
}
