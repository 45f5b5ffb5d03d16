package gateway

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/marquee-api/marquee/internal/proxyevent"
)

// Validation is what API Gateway checks of a request before the integration ("Request validation for REST APIs in API
// Gateway").
type Validation struct {
	// Parameters have to be there and not blank. Those that are not are named in this order.
	Parameters []Parameter
	// Models hold the body to a schema by its media type or a range of them, "$default" for any other. A type without a model
	// is not checked.
	Models map[string]Model
}

// Parameter is one of a request; In is "header", "path" or "querystring".
type Parameter struct{ In, Name string }

// Model is the schema of a body.
type Model interface {
	// Validate says what is wrong with a JSON value whose numbers are json.Number.
	Validate(value any) error
}

// validate comes after the API key and before the function.
func (x *exchange) validate() *Refusal {
	v := x.route.Validation
	if v == nil {
		return nil
	}
	var missing []string
	for _, p := range v.Parameters {
		if strings.TrimSpace(x.parameter(p)) == "" {
			missing = append(missing, p.Name)
		}
	}
	if len(missing) > 0 {
		refusal := spaced(http.StatusBadRequest, "BadRequestException", "Missing required request parameters: ["+strings.Join(missing, ", ")+"]").of("BAD_REQUEST_PARAMETERS")
		return x.record.fail("request validation", &refusal)
	}
	if err := x.validateBody(v); err != nil {
		x.invalid = err.Error()
		return x.record.fail("request validation", refuseInvalidBody.because("%.500s", x.invalid))
	}
	x.record.pass("request validation", "")
	return nil
}

// parameter is a request's value of a parameter, empty if there is none. Names are case-sensitive ("Important notes"),
// those of headers as the function sees them.
func (x *exchange) parameter(p Parameter) string {
	switch p.In {
	case "path":
		return x.params[p.Name]
	case "header":
		canonical := http.CanonicalHeaderKey(p.Name)
		if canonical == "Host" {
			return x.r.Host
		}
		if proxyevent.HeaderName(x.spelling, canonical) != p.Name {
			return ""
		}
		return strings.Join(x.r.Header[canonical], ",")
	case "querystring":
		for pair := range strings.SplitSeq(x.query, "&") {
			name, value, _ := strings.Cut(pair, "=")
			if unescape(name) == p.Name && unescape(value) != "" {
				return unescape(value)
			}
		}
	}
	return ""
}

func unescape(s string) string {
	if text, err := url.QueryUnescape(s); err == nil {
		return text
	}
	return s
}

// defaultMediaType is what API Gateway takes a body for that comes without Content-Type.
const defaultMediaType = "application/json"

var errNotJSON = errors.New("the body is not JSON")

// modelsOf are the models that a body has to fit. Documented are a media type's own model, "$default" for every type, and
// that a type without a model is not checked. What a range such as "*/*" does is not: here it holds every type in it, beside
// "$default". A request with two types has to fit the models of both.
func (v *Validation) modelsOf(types []string) []Model {
	if len(types) == 0 {
		types = []string{defaultMediaType}
	}
	var all []Model
	for _, media := range types {
		media = cmp.Or(plainMedia(media), defaultMediaType)
		var own, ranges []Model
		for _, name := range slices.Sorted(maps.Keys(v.Models)) { // so that the same is said of the same body
			model := v.Models[name]
			prefix, isRange := strings.CutSuffix(plainMedia(name), "*")
			switch {
			case plainMedia(name) == media:
				own = append(own, model)
			case name == "$default", prefix == "*/", isRange && strings.HasPrefix(media, prefix):
				ranges = append(ranges, model)
			}
		}
		if len(own) > 0 {
			ranges = own
		}
		all = append(all, ranges...)
	}
	return all
}

// plainMedia is a media type without its parameters.
func plainMedia(media string) string {
	media, _, _ = strings.Cut(media, ";")
	return strings.ToLower(strings.TrimSpace(media))
}

// mostValues bounds what a body under a model takes in memory, where a value of two bytes takes a hundred.
const mostValues = 1_000_000

// countValues counts the values of a JSON text, an empty list or object as two.
func countValues(text []byte) int {
	n, quoted := 1, false
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '"':
			quoted = !quoted
		case '\\':
			i++ // of a string, where alone it may stand
		case ',', '[', '{':
			if !quoted {
				n++
			}
		}
	}
	return n
}

// validateBody holds the body to the models of its media type. No body counts as an empty object.
func (x *exchange) validateBody(v *Validation) error {
	if len(v.Models) == 0 {
		return nil
	}
	models := v.modelsOf(x.r.Header["Content-Type"])
	if len(models) == 0 {
		return nil
	}
	value := any(map[string]any{})
	if len(x.body) > 0 {
		if n := countValues(x.body); n > mostValues {
			return fmt.Errorf("the body has %d values, and %d are the most that are held to a model here", n, mostValues)
		}
		if !utf8.Valid(x.body) {
			return fmt.Errorf("%w: it is not UTF-8", errNotJSON) // RFC 8259, section 8.1, which encoding/json mends in silence
		}
		decoder := json.NewDecoder(bytes.NewReader(x.body))
		decoder.UseNumber()
		if err := decoder.Decode(&value); err != nil {
			return fmt.Errorf("%w: %w", errNotJSON, err)
		}
		if _, err := decoder.Token(); err != io.EOF {
			return fmt.Errorf("%w: something follows it", errNotJSON)
		}
	}
	for _, model := range models {
		if err := model.Validate(value); err != nil {
			return err
		}
	}
	return nil
}
