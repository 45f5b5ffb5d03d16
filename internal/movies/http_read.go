package movies

import (
	"net/http"
	"slices"
	"strings"
)

func (h *Handler) list(r *http.Request, _ []string, a *answer) error {
	values, err := parameters(r)
	if err != nil {
		return err
	}
	q, next, err := ParseQuery(values)
	if err != nil {
		return err
	}
	if next != "" {
		if q.After, err = h.Tokens.Open(r.Context(), next, q); err != nil {
			return err
		}
	}
	page, err := h.Store.List(r.Context(), q)
	if err != nil {
		return err
	}
	token, err := h.Tokens.Seal(r.Context(), q, page.Next)
	if err != nil {
		return err
	}
	type list struct {
		Items     []Movie
		Count     int
		NextToken string `json:",omitempty"`
	}
	if page.Movies == nil {
		page.Movies = []Movie{} // an empty list is [], never null
	}
	a.items = len(page.Movies)
	a.text, err = encodeJSON(list{page.Movies, len(page.Movies), token})
	return err
}

func (h *Handler) get(r *http.Request, params []string, a *answer) error {
	key, err := keyOf(r, params)
	if err != nil {
		return err
	}
	m, err := h.Store.Get(r.Context(), key)
	if err != nil {
		return err
	}
	if a.text, err = encodeJSON(m); err != nil {
		return err
	}
	tag := tagOf(a.text)
	a.header.Set("ETag", tag)
	// A list of tags may come in several headers, too (RFC 9110, section 5.3).
	if given := strings.Join(r.Header.Values("If-None-Match"), ","); given != "" {
		tags, any, err := parseTags("If-None-Match", given)
		if err != nil {
			return err
		}
		if any || slices.ContainsFunc(tags, func(t string) bool { return strings.TrimPrefix(t, "W/") == tag }) {
			a.status, a.text = http.StatusNotModified, nil
		}
	}
	return nil
}
