package gateway

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"io"
	"maps"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/marquee-api/marquee/internal/proxyevent"
)

// requestIDs are the names of one request: x-amzn-RequestId, x-amz-apigw-id and X-Amzn-Trace-Id.
type requestIDs struct {
	request, extended, trace string
}

var uuidForm = regexp.MustCompile(`^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`)

// newRequestIDs makes them up. A caller's own request id is kept if it is a UUID ("Set up logging"), and so is the root
// of a trace.
func (g *Gateway) newRequestIDs(r *http.Request, now time.Time) requestIDs {
	var random [47]byte
	_, _ = io.ReadFull(g.random, random[:]) // names, not secrets: short randomness makes them plain, not wrong
	id := random[:16]
	id[6], id[8] = id[6]&0x0f|0x40, id[8]&0x3f|0x80 // RFC 9562, version 4
	var uuid [36]byte
	hex.Encode(uuid[:8], id[:4])
	for i, at := range [...]int{9, 14, 19} { // three groups of four digits, then one of twelve
		uuid[at-1] = '-'
		hex.Encode(uuid[at:at+4], id[4+2*i:6+2*i])
	}
	uuid[23] = '-'
	hex.Encode(uuid[24:], id[10:])
	var trace [len("Root=1-") + 8 + 1 + 24 + len(";Parent=") + 16 + len(";Sampled=0")]byte
	copy(trace[:], "Root=1-")
	hex.Encode(trace[7:15], binary.BigEndian.AppendUint32(nil, uint32(now.Unix())))
	trace[15] = '-'
	hex.Encode(trace[16:], random[27:39])
	copy(trace[40:], ";Parent=")
	hex.Encode(trace[48:], random[39:])
	copy(trace[64:], ";Sampled=0")
	ids := requestIDs{
		request: string(uuid[:]), extended: base64.StdEncoding.EncodeToString(random[16:27]), trace: string(trace[:]),
	}
	if own := r.Header.Get("X-Amzn-Requestid"); own != "" && uuidForm.MatchString(own) {
		ids.request = own
	}
	if own := r.Header.Get("X-Amzn-Trace-Id"); own != "" {
		ids.trace = fullTrace(own, ids.trace)
	}
	return ids
}

// fullTrace is a trace id of three parts. A caller's own Root and Parent are kept, and what is missing is taken from the
// one that was made; whoever names a parent is taken to sample.
func fullTrace(own, made string) string {
	root, rest, _ := strings.Cut(made, ";Parent=")
	parent, sampled, _ := strings.Cut(rest, ";")
	given := ""
	for part := range strings.SplitSeq(own, ";") {
		switch name, value, _ := strings.Cut(strings.TrimSpace(part), "="); {
		case value == "" || len(value) > maxTracePart:
		case strings.EqualFold(name, "Root"):
			root = "Root=" + value
		case strings.EqualFold(name, "Parent"):
			parent, sampled = value, "Sampled=1"
		case strings.EqualFold(name, "Sampled"):
			given = "Sampled=" + value
		}
	}
	if given != "" {
		sampled = given
	}
	return root + ";Parent=" + parent + ";" + sampled
}

// maxTracePart bounds what is repeated of a caller's trace id.
const maxTracePart = 128

// refuse is an answer of the gateway's own.
func (x *exchange) refuse(refusal *Refusal) proxyevent.Response {
	h := make(http.Header, 5)
	if refusal.Type == "" {
		h.Set("Content-Type", "text; charset=utf-8") // as it was seen
	} else {
		h.Set("Content-Type", "application/json")
		h["x-amzn-RequestId"] = []string{x.ids.request}
		h["x-amz-apigw-id"] = []string{x.ids.extended}
		h["x-amzn-ErrorType"] = []string{refusal.Type}
	}
	if refusal.Status == http.StatusGatewayTimeout {
		h["X-Amzn-Trace-Id"] = []string{x.ids.trace}
	}
	response := proxyevent.Response{Status: refusal.Status, Header: h, Body: []byte(refusal.Body)}
	x.customise(&response, refusal)
	return response
}

// answer sets the headers of a response: the gateway's own as they are, and of a function's those that it may set.
func (x *exchange) answer(h http.Header, response proxyevent.Response, refusal *Refusal) {
	if refusal != nil {
		maps.Copy(h, response.Header)
		return
	}
	for name, values := range response.Header {
		switch strings.ToLower(name) {
		case "x-amzn-requestid", "x-amz-apigw-id", "x-amzn-trace-id":
		default:
			h[name] = values
		}
	}
	h["x-amzn-RequestId"] = []string{x.ids.request}
	h["x-amz-apigw-id"] = []string{x.ids.extended}
	if x.route.Mock == nil { // which invokes nothing that could be traced
		h["X-Amzn-Trace-Id"] = []string{x.ids.trace}
	}
}

// keepAlive is a header's values, which nobody changes.
var keepAlive = []string{"keep-alive"}

// writeBody sends status and body; a caller that went away is nobody's error.
func writeBody(w http.ResponseWriter, status int, body []byte) {
	if status != http.StatusNoContent && status != http.StatusNotModified {
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	}
	w.Header()["Connection"] = keepAlive // net/http says close where it closes
	w.WriteHeader(status)
	_, _ = w.Write(body)
}
