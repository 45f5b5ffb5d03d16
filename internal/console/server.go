package console

import (
	"bytes"
	"crypto/subtle"
	"embed"
	"encoding/json"
	"io/fs"
	"maps"
	"net"
	"net/http"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"
)

//go:embed web
var web embed.FS

// asset is a file of the page.
type asset struct {
	kind string
	text []byte
}

var kindOf = map[string]string{
	".html": "text/html; charset=utf-8", ".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml",
}

// assets are the files of the page by their paths; the page itself is "/".
func assets() map[string]asset {
	all := map[string]asset{}
	files, _ := fs.Sub(web, "web") // an error would be one of the build
	_ = fs.WalkDir(files, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := fs.ReadFile(files, name)
		all["/"+name] = asset{kindOf[path.Ext(name)], text}
		return err
	})
	all["/"] = all["/index.html"]
	delete(all, "/index.html")
	return all
}

// Handler serves the page and what it asks for.
func (c *Console) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /api/run", c.serveRun)
	mux.HandleFunc("GET /api/requests", c.serveRequests)
	mux.HandleFunc("GET /api/requests/{number}", c.serveRequest)
	mux.HandleFunc("GET /api/stream", c.serveStream)
	mux.HandleFunc("GET /api/figures", c.serveFigures)
	mux.HandleFunc("GET /api/matrix", c.serveMatrix)
	mux.HandleFunc("POST /api/try", c.serveTry)
	mux.HandleFunc("GET /", c.serveFile)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		protect(w.Header())
		if why := c.foreign(r); why != "" {
			http.Error(w, why, http.StatusForbidden)
			return
		}
		mux.ServeHTTP(w, r)
	})
}

// protect sets what every answer carries. The page runs its own files and nothing else, talks to its own origin, and is
// shown in no frame.
func protect(h http.Header) {
	h.Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "+
		"base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
}

// foreign says why a request is not one of this page, or of a person who opens it.
func (c *Console) foreign(r *http.Request) string {
	if !slices.Contains(c.cfg.Hosts, hostname(r.Host)) {
		return "this page is served on loopback names only"
	}
	if origin := r.Header.Get("Origin"); origin != "" && !strings.EqualFold(origin, "http://"+r.Host) {
		return "the request comes from another page"
	}
	// Fetch metadata, which all browsers send: a link from elsewhere may open the page, and nothing else may be asked for.
	site := r.Header.Get("Sec-Fetch-Site")
	if (site == "cross-site" || site == "same-site") && r.Header.Get("Sec-Fetch-Mode") != "navigate" {
		return "the request comes from another page"
	}
	return ""
}

func hostname(host string) string {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	return strings.ToLower(strings.Trim(host, "[]"))
}

func (c *Console) serveFile(w http.ResponseWriter, r *http.Request) {
	file, ok := c.web[r.URL.Path]
	if text, document := c.cfg.Documents[r.URL.Path]; document {
		file, ok = asset{"text/plain; charset=utf-8", text}, true // a browser shows it, and runs nothing
	}
	if !ok {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", file.kind)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(file.text))
}

// serveRun says what the page can show, and gives it the token of the run: no other origin can read it.
func (c *Console) serveRun(w http.ResponseWriter, _ *http.Request) {
	run := c.cfg.Run
	run.Documents = slices.Sorted(maps.Keys(c.cfg.Documents))
	writeJSON(w, http.StatusOK, struct {
		Run
		Name   string `json:"name"`
		Token  string `json:"token"`
		Try    bool   `json:"try"`
		Matrix bool   `json:"matrix"`
	}{run, c.name, c.token, c.cfg.Trier != nil, c.cfg.Matrix != nil})
}

// most is how many summaries are handed out at once.
const most = 500

// serveRequests lists the latest requests, for scripts: the page reads the stream.
func (c *Console) serveRequests(w http.ResponseWriter, r *http.Request) {
	limit := most
	if n, err := strconv.Atoi(r.URL.Query().Get("limit")); err == nil && n > 0 {
		limit = min(n, c.cfg.Capacity)
	}
	all, _ := c.ring.after(0, c.cfg.Capacity)
	latest := slices.Clone(all[max(0, len(all)-limit):])
	slices.Reverse(latest)
	writeJSON(w, http.StatusOK, struct {
		Requests []Summary `json:"requests"`
	}{append([]Summary{}, latest...)})
}

// serveRequest shows one request.
func (c *Console) serveRequest(w http.ResponseWriter, r *http.Request) {
	number, err := strconv.ParseUint(r.PathValue("number"), 10, 64)
	e, ok := c.ring.find(number)
	if err != nil || !ok {
		writeError(w, http.StatusNotFound, "this request is not kept any more, or never was: the console keeps the latest "+strconv.Itoa(c.cfg.Capacity))
		return
	}
	record := e.detailed()
	copies := c.copies(&record)
	writeJSON(w, http.StatusOK, struct {
		Summary Summary `json:"summary"`
		Record  any     `json:"record"`
		Way     []Step  `json:"way"`
		Copies  Copies  `json:"copies"`
		Trimmed bool    `json:"trimmed,omitempty"`
	}{e.summary, record, way(&record), copies, e.trimmed})
}

func (c *Console) serveFigures(w http.ResponseWriter, r *http.Request) {
	seconds, err := strconv.Atoi(r.URL.Query().Get("seconds"))
	if text := r.URL.Query().Get("seconds"); text != "" && (err != nil || seconds < 0 || seconds > 1e8) {
		writeError(w, http.StatusBadRequest, "seconds is a number; 0 is all of the run")
		return
	}
	all, _ := c.ring.after(0, c.cfg.Capacity)
	end := c.cfg.Now()
	if c.cfg.Run.Recorded != "" && len(all) > 0 {
		end = all[len(all)-1].Time
	}
	writeJSON(w, http.StatusOK, figuresOf(all, time.Duration(seconds)*time.Second, end))
}

func (c *Console) serveMatrix(w http.ResponseWriter, r *http.Request) {
	if c.cfg.Matrix == nil {
		writeError(w, http.StatusNotFound, "a recorded run does not say who may call what: `marquee check --who` does")
		return
	}
	matrix, err := c.cfg.Matrix.Matrix(r.Context())
	if err != nil {
		writeError(w, http.StatusInternalServerError, err.Error())
		return
	}
	writeJSON(w, http.StatusOK, matrix)
}

// mostBody bounds what a page may send: API Gateway's own limit of a body, and the rest of an attempt.
const mostBody = 11 << 20

// serveTry makes a call. It is the one request that changes something, so it needs the token of the run (CSRF).
func (c *Console) serveTry(w http.ResponseWriter, r *http.Request) {
	switch {
	case c.cfg.Trier == nil:
		writeError(w, http.StatusNotFound, "nothing can be tried in a recorded run")
		return
	case subtle.ConstantTimeCompare([]byte(r.Header.Get("X-Marquee-Token")), []byte(c.token)) != 1:
		writeError(w, http.StatusForbidden, "the token of this run is missing: reload the page")
		return
	}
	var attempt Attempt
	d := json.NewDecoder(http.MaxBytesReader(w, r.Body, mostBody))
	d.DisallowUnknownFields()
	if err := d.Decode(&attempt); err != nil {
		writeError(w, http.StatusBadRequest, "the attempt: "+err.Error())
		return
	}
	outcome, err := c.cfg.Trier.Try(r.Context(), attempt)
	if err != nil {
		writeError(w, http.StatusUnprocessableEntity, err.Error())
		return
	}
	number := c.ring.numberOf(outcome.RequestID)
	c.ring.explain(number, outcome.Mismatch)
	writeJSON(w, http.StatusOK, struct {
		*Outcome
		Number uint64 `json:"n,omitempty"`
	}{outcome, number})
}

func writeError(w http.ResponseWriter, status int, message string) {
	writeJSON(w, status, map[string]string{"error": message})
}

func writeJSON(w http.ResponseWriter, status int, value any) {
	text, err := json.Marshal(value)
	if err != nil {
		status, text = http.StatusInternalServerError, []byte(`{"error":"the answer cannot be written as JSON"}`)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(append(text, '\n')) // the reader went away: nobody is left to tell
}
