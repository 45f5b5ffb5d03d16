// Package secrets takes secrets out of texts, in whichever form they stand there: escaped, quoted, in base64.
//
// It knows the secrets that it was told of and looks for nothing else: no names of headers, no shapes of tokens. It finds
// no secret that was cut, turned round, compressed or written in hexadecimal.
package secrets

import (
	"encoding/binary"
	"slices"
	"strings"
	"sync"
)

// Redacted is what stands in a secret's place.
const Redacted = "[redacted]"

// Shortest is the least length of a secret: removing shorter texts would garble others.
const Shortest = 8

// longestMark is enough to tell a secret from other texts.
const longestMark = 24

// markOf is the longest run of letters and digits of a text, or the beginning of a long one. No way of escaping changes it.
func markOf(text string) string {
	best, start := "", 0
	for i := 0; i <= len(text); i++ {
		if i < len(text) && isAlphanumeric(text[i]) && i-start < longestMark {
			continue
		}
		if i-start > len(best) {
			best = text[start:i]
		}
		if len(best) == longestMark {
			break
		}
		start = i + 1
	}
	return best
}

func isAlphanumeric(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
}

// Remove returns the text without the secrets. Those that are shorter than [Shortest] are left.
func Remove(text string, secrets ...string) string {
	var forms []string
	for _, secret := range secrets {
		if len(secret) >= Shortest && mayHold(text, secret) {
			forms = append(forms, Forms(secret)...)
		}
	}
	if forms == nil {
		return text
	}
	// Where one form begins with another, the longer one goes whole.
	slices.SortStableFunc(forms, func(a, b string) int { return len(b) - len(a) })
	pairs := make([]string, 0, 2*len(forms))
	for _, form := range forms {
		pairs = append(pairs, form, Redacted)
	}
	return strings.NewReplacer(pairs...).Replace(text)
}

// mayHold is a look that costs far less than looking for every form does.
func mayHold(text, secret string) bool {
	if len(text) < len(secret) { // no form is shorter
		return false
	}
	return strings.Contains(text, markOf(secret)) || slices.ContainsFunc(encoded(secret[:min(len(secret), longestMark)]), func(mark string) bool {
		return strings.Contains(text, mark)
	})
}

// filterBits is how many bits tell where in a text a secret may begin: 16 KiB of them, nearly all of them zero.
const filterBits = 17

// Set is a set of secrets to take out of texts, ten thousand of them at the cost of a few. It is safe for concurrent use;
// the zero value is an empty set.
type Set struct {
	mu     sync.RWMutex
	filter [1 << (filterBits - 6)]uint64
	marks  map[uint32][]mark // by their first four bytes
	plain  map[string]int    // secrets without a mark of four bytes
}

// mark is what a text holds that holds a secret.
type mark struct{ text, secret string }

const wordSize = 4

func bit(word uint32) (at, mask uint32) {
	hash := word * 2654435761 >> (32 - filterBits) // Knuth's multiplicative hashing
	return hash >> 6, hash & 63
}

// Add adds secrets. One that is shorter than [Shortest] is none.
func (s *Set) Add(secrets ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.marks == nil {
		s.marks, s.plain = map[uint32][]mark{}, map[string]int{}
	}
	for _, secret := range secrets {
		if len(secret) < Shortest {
			continue
		}
		marks, plain := marksOf(secret)
		if plain {
			s.plain[secret]++
		}
		for _, m := range marks {
			word := binary.LittleEndian.Uint32([]byte(m.text))
			at, mask := bit(word)
			s.filter[at] |= 1 << mask
			s.marks[word] = append(s.marks[word], m)
		}
	}
}

// Remove takes secrets out of the set that were added, each as often as it was added.
func (s *Set) Remove(secrets ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.marks == nil {
		return
	}
	for _, secret := range secrets {
		if s.plain[secret]--; s.plain[secret] <= 0 {
			delete(s.plain, secret)
		}
		marks, _ := marksOf(secret)
		for _, m := range marks {
			word := binary.LittleEndian.Uint32([]byte(m.text))
			if i := slices.Index(s.marks[word], m); i >= 0 {
				s.marks[word] = slices.Delete(s.marks[word], i, i+1)
			}
			if len(s.marks[word]) == 0 {
				delete(s.marks, word) // its bit stays: it costs a look
			}
		}
	}
}

// marksOf lists the marks of a secret. A secret of few letters and digits has none that all its escaped forms hold: that
// one is plain.
func marksOf(secret string) (marks []mark, plain bool) {
	run := markOf(secret)
	if plain = len(run) < wordSize; !plain {
		marks = append(marks, mark{run, secret})
	}
	for _, form := range encoded(secret[:min(len(secret), longestMark)]) {
		if m := (mark{form, secret}); !slices.Contains(marks, m) {
			marks = append(marks, m)
		}
	}
	return marks, plain
}

// Text returns the text without the secrets of the set, and without some more. A nil set is empty.
func (s *Set) Text(text string, more ...string) string {
	return Remove(text, append(s.find(text), more...)...)
}

// find lists the secrets that the text may hold.
func (s *Set) find(text string) []string {
	if s == nil {
		return nil
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	var found []string
	for secret := range s.plain {
		found = append(found, secret)
	}
	for i := 0; i+wordSize <= len(text); i++ {
		word := uint32(text[i]) | uint32(text[i+1])<<8 | uint32(text[i+2])<<16 | uint32(text[i+3])<<24
		if at, mask := bit(word); s.filter[at]>>mask&1 == 0 {
			continue
		}
		for _, m := range s.marks[word] {
			if strings.HasPrefix(text[i:], m.text) && !slices.Contains(found, m.secret) {
				found = append(found, m.secret)
			}
		}
	}
	return found
}
