package movies_test

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/marquee-api/marquee/internal/movies"
)

var (
	tokenKey = bytes.Repeat([]byte{7}, movies.TokenKeyBytes)
	otherKey = bytes.Repeat([]byte{8}, movies.TokenKeyBytes)
	tokenNow = time.Unix(1_795_424_400, 0)
	// tokens are those of most tests.
	tokens = tokensOf(tokenKey)
)

func tokensOf(keys ...[]byte) movies.Tokens {
	return movies.Tokens{
		Keys: func(context.Context, bool) ([][]byte, error) { return keys, nil },
		Now:  func() time.Time { return tokenNow },
	}
}

func seal(t testing.TB, q movies.Query, at movies.Cursor) string {
	t.Helper()
	token, err := tokens.Seal(t.Context(), q, at)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// byHand makes a token as the layout says: it holds the layout fast, since a token must live through an update of the
// function.
func byHand(version byte, key []byte, expiry time.Time, selection, cursor string) string {
	sum := func(text []byte) []byte {
		h := hmac.New(sha256.New, key)
		h.Write(text)
		return h.Sum(nil)
	}
	hash := sha256.Sum256([]byte(selection))
	raw := append([]byte{version}, sum([]byte("key id"))[:4]...)
	raw = binary.BigEndian.AppendUint32(raw, uint32(expiry.Unix()))
	raw = append(append(raw, hash[:8]...), cursor...)
	return base64.RawURLEncoding.EncodeToString(append(raw, sum(raw)[:16]...))
}

const (
	of2013 = "actor=&director=&from=0&genre=&prefix=&rating=0&sort=&to=0&year=2013"
	ofAll  = "actor=&director=&from=0&genre=&prefix=&rating=0&sort=&to=0&year=0"
)

func TestTokens(t *testing.T) {
	t.Parallel()
	day := tokenNow.Add(24 * time.Hour)
	tests := map[string]struct {
		query  movies.Query
		cursor movies.Cursor
		token  string
	}{
		"one year":                  {movies.Query{Year: 2013}, "Rush\x012013", byHand(2, tokenKey, day, of2013, "Rush\x012013")},
		"every year, another limit": {movies.Query{Limit: 9, Fields: []string{"plot"}}, "1999#A/B\x01", byHand(2, tokenKey, day, ofAll, "1999#A/B\x01")},
		"the end":                   {movies.Query{Year: 2013}, "", ""},
		"everything": {movies.Query{Genre: "a&b", TitlePrefix: "x", MinRating: 8.5, Sort: "-title", FromYear: 1, ToYear: 2, Director: "d", Actor: "é"}, "x",
			byHand(2, tokenKey, day, "actor=%C3%A9&director=d&from=1&genre=a%26b&prefix=x&rating=850&sort=-title&to=2&year=0", "x")},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := seal(t, tt.query, tt.cursor); got != tt.token {
				t.Errorf("sealed: got %q, want %q", got, tt.token)
			}
			if tt.token == "" {
				return
			}
			got, err := tokens.Open(t.Context(), tt.token, tt.query)
			if err != nil || got != tt.cursor {
				t.Errorf("opened: got %q, %v, want %q", got, err, tt.cursor)
			}
		})
	}
}

func TestTokensRefuse(t *testing.T) {
	t.Parallel()
	const foreign, another = "next is not a page token", "next belongs to another query"
	good := byHand(2, tokenKey, tokenNow.Add(time.Second), of2013, "x")
	flipped, _ := base64.RawURLEncoding.DecodeString(good)
	flipped[17] ^= 1 // the cursor
	tests := map[string]struct {
		token string
		fault string
	}{
		"empty":             {"", "next is empty"},
		"no base64":         {"%%%", foreign},
		"padded":            {good + "==", foreign},
		"line end inside":   {good[:8] + "\n" + good[8:], foreign},
		"space before":      {" " + good, foreign},
		"standard alphabet": {"+/+/", foreign},
		"head only":         {good[:22], foreign},
		"too long":          {strings.Repeat("A", 2052), foreign},
		"version 1":         {"AROgYOVddfvfMjAxMy9SdXNo", "next was made by another version"},
		"version 3":         {byHand(3, tokenKey, tokenNow.Add(time.Second), of2013, "x"), "next was made by another version"},
		"another key":       {byHand(2, otherKey, tokenNow.Add(time.Second), of2013, "x"), foreign},
		"a changed cursor":  {base64.RawURLEncoding.EncodeToString(flipped), foreign},
		"no cursor":         {byHand(2, tokenKey, tokenNow.Add(time.Second), of2013, ""), foreign},
		"expired":           {byHand(2, tokenKey, tokenNow, of2013, "x"), "next has expired"},
		"of every year":     {byHand(2, tokenKey, tokenNow.Add(time.Second), ofAll, "x"), another},
		"of DynamoDB":       {"eyJ5ZWFyIjoiMjAxMyJ9", "next was made by another version"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cursor, err := tokens.Open(t.Context(), tt.token, movies.Query{Year: 2013})
			if movies.CodeOf(err) != movies.CodeInvalidParameter || !strings.Contains(movies.MessageOf(err), tt.fault) {
				t.Errorf("got %q, error %v, want invalid_parameter with %q", cursor, err, tt.fault)
			}
		})
	}
	if at, err := tokens.Open(t.Context(), good, movies.Query{Year: 2013}); err != nil || at != "x" {
		t.Errorf("the good one: got %q, %v", at, err)
	}
}

// While a key is changed, tokens of the old one go on, and a process that has not seen the new one looks for it.
func TestTokensKeyChange(t *testing.T) {
	t.Parallel()
	q := movies.Query{Year: 2013}
	old := seal(t, q, "x")
	if at, err := tokensOf(otherKey, tokenKey).Open(t.Context(), old, q); err != nil || at != "x" {
		t.Errorf("a token of the old key: got %q, %v", at, err)
	}
	fresh, err := tokensOf(otherKey, tokenKey).Seal(t.Context(), q, "y")
	if err != nil {
		t.Fatal(err)
	}
	stale := movies.Tokens{Now: tokens.Now, Keys: func(_ context.Context, reload bool) ([][]byte, error) {
		if reload {
			return [][]byte{otherKey, tokenKey}, nil
		}
		return [][]byte{tokenKey}, nil
	}}
	if at, err := stale.Open(t.Context(), fresh, q); err != nil || at != "y" {
		t.Errorf("a token of the new key: got %q, %v", at, err)
	}
	fail := &movies.Error{Code: movies.CodeUnavailable}
	broken := movies.Tokens{Keys: func(context.Context, bool) ([][]byte, error) { return nil, fail }}
	if _, err := broken.Open(t.Context(), fresh, q); !errors.Is(err, fail) {
		t.Errorf("without keys: got %v, want %v", err, fail)
	}
	if _, err := broken.Seal(t.Context(), q, "x"); !errors.Is(err, fail) {
		t.Errorf("without keys: got %v, want %v", err, fail)
	}
}

func FuzzTokens(f *testing.F) {
	f.Add(2013, "2013/Rush", byHand(2, tokenKey, tokenNow.Add(time.Hour), of2013, "x"), 3)
	f.Add(0, "1999/A/B", "AWf05Swq61HuMTk5OS9BL0I", 20)
	f.Add(1999, "\x00\xff", "garbage", 0)
	f.Fuzz(func(t *testing.T, year int, at, foreign string, flip int) {
		q := movies.Query{Year: year}
		if at != "" && len(at) <= 1400 {
			token := seal(t, q, movies.Cursor(at))
			if got, err := tokens.Open(t.Context(), token, q); err != nil || string(got) != at {
				t.Errorf("opened %q: got %q, %v, want %q", token, got, err, at)
			}
			if _, err := tokens.Open(t.Context(), token, movies.Query{Year: year + 1}); err == nil {
				t.Errorf("%q of year %d was accepted for year %d", token, year, year+1)
			}
			raw, _ := base64.RawURLEncoding.DecodeString(token)
			if flip >= 0 {
				raw[flip/8%len(raw)] ^= 1 << (flip % 8)
				if got, err := tokens.Open(t.Context(), base64.RawURLEncoding.EncodeToString(raw), q); err == nil {
					t.Errorf("bit %d of %q was flipped, and it opens as %q", flip, token, got)
				}
			}
		}
		if got, err := tokens.Open(t.Context(), foreign, q); err == nil {
			// Nobody else has the key; the first seed is of this test.
			if got != "x" || year != 2013 {
				t.Errorf("%q was forged: it opens as %q", foreign, got)
			}
		}
	})
}
