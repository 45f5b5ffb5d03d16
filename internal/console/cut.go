package console

import (
	"encoding/json"
	"reflect"
	"strings"

	"github.com/marquee-api/marquee/internal/gateway"
)

// What is read of a record of a log. The gateway writes less; a log may come from anywhere.
const (
	mostText      = 2 << 10         // bytes of a text
	mostLongText  = 5 * DetailBytes // of one that holds bodies, requests or policies: an event names headers twice
	mostElements  = 3000            // of a list: more headers than the gateway takes
	mostOfRecord  = 1 << 20         // bytes of all its texts
	mostUncounted = 32 << 10        // of those that the ring does not count
	elementSize   = 48              // of an element without its text, roughly
	leftOutMark   = "… (more was left out)"
)

// longTexts are the fields that may be long.
var longTexts = map[string]bool{
	"Host": true, "Path": true, "Target": true, "Message": true, "CanonicalRequest": true, "StringToSign": true, "Client": true,
	"Text": true, "Event": true, "Document": true, "RequestHeader": true, "ResponseHeader": true,
}

// cut shortens a record of a log to what the gateway writes at most, and reports whether it held more.
func cut(r *gateway.Record) bool {
	c := cutter{left: mostOfRecord}
	c.value(reflect.ValueOf(r).Elem(), mostText)
	if mostOfRecord-c.left-sizeOf(r) > mostUncounted {
		r.Detail, c.cut = nil, true
	}
	return c.cut
}

// cutter shortens the texts and lists of a value, whatever fields a record gets.
type cutter struct {
	left int // bytes
	cut  bool
}

var rawType = reflect.TypeFor[json.RawMessage]()

func (c *cutter) value(v reflect.Value, most int) {
	switch {
	case v.Type() == rawType:
		if c.tooLong(v.Len(), most) {
			v.SetZero() // a piece of JSON is none
		}
	case v.Kind() == reflect.String:
		if text := v.String(); c.tooLong(len(text), most) {
			// A piece would keep the whole of it.
			v.SetString(strings.Clone(strings.ToValidUTF8(text[:min(len(text), most, max(c.left, 0))], "")) + leftOutMark)
		}
	case v.Kind() == reflect.Pointer && !v.IsNil():
		c.value(v.Elem(), most)
	case v.Kind() == reflect.Struct:
		c.fields(v)
	case v.Kind() == reflect.Slice:
		c.list(v, most)
	case v.Kind() == reflect.Map:
		c.members(v, most)
	}
}

// tooLong takes a text off what is left, and reports whether it has to be cut.
func (c *cutter) tooLong(length, most int) bool {
	long := length > most || length > c.left
	c.left -= min(length, most)
	c.cut = c.cut || long
	return long
}

func (c *cutter) fields(v reflect.Value) {
	for i := range v.NumField() {
		field := v.Type().Field(i)
		if !field.IsExported() {
			continue // no log sets it
		}
		most := mostText
		if longTexts[field.Name] {
			most = mostLongText
		}
		c.value(v.Field(i), most)
	}
}

func (c *cutter) list(v reflect.Value, most int) {
	if v.Len() > mostElements {
		v.Set(reflect.AppendSlice(reflect.MakeSlice(v.Type(), 0, mostElements), v.Slice(0, mostElements)))
		c.cut = true
	}
	for i := range v.Len() {
		c.left -= elementSize
		c.value(v.Index(i), most)
	}
}

// members cuts a map's values; a member with a name that is too long, or one too many, is left out.
func (c *cutter) members(v reflect.Value, most int) {
	if v.IsNil() {
		return
	}
	kept := reflect.MakeMap(v.Type())
	for each := v.MapRange(); each.Next(); {
		if kept.Len() == mostElements || c.tooLong(each.Key().Len()+elementSize, most) {
			c.cut = true
			continue
		}
		value := reflect.New(v.Type().Elem()).Elem()
		value.Set(each.Value())
		c.value(value, most)
		kept.SetMapIndex(each.Key(), value)
	}
	v.Set(kept)
}
