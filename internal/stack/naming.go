package stack

import (
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"slices"
	"strings"
)

// naming makes up what AWS would: ids and names that are the same for the same stack name and logical id, and
// different for different ones.
type naming struct {
	stack, region, account, partition string
}

// hex gives up to 64 hexadecimal digits for a key.
func (n naming) hex(key string, digits int) string {
	sum := sha256.Sum256([]byte(n.stack + "\x00" + key))
	return hex.EncodeToString(sum[:])[:digits]
}

// word gives up to 32 characters of [a-z0-9], the first a letter, as API Gateway's ids are.
func (n naming) word(key string, length int) string {
	const letters, alphabet = 26, "abcdefghijklmnopqrstuvwxyz0123456789"
	sum := sha256.Sum256([]byte(n.stack + "\x00" + key))
	out := make([]byte, length)
	for i := range out {
		span := len(alphabet)
		if i == 0 {
			span = letters
		}
		out[i] = alphabet[int(sum[i])%span]
	}
	return string(out)
}

// uuid gives an id in the form of a version 4 UUID.
func (n naming) uuid(key string) string {
	h := n.hex(key, 32)
	return h[:8] + "-" + h[8:12] + "-4" + h[13:16] + "-a" + h[17:20] + "-" + h[20:32]
}

// suffix is AWS::URLSuffix.
func (n naming) suffix() string {
	if n.partition == "aws-cn" {
		return "amazonaws.com.cn"
	}
	return "amazonaws.com"
}

// name is the name of a resource that the template leaves to CloudFormation, without its random end.
// It is cut to limit characters; a digest then keeps it apart from others.
func (n naming) name(id string, limit int) string {
	name := n.stack + "-" + id
	if len(name) <= limit {
		return name
	}
	return name[:limit-9] + "-" + n.hex(id, 8)
}

// expand fills the placeholders of a pattern of physicalTypes.
func (n naming) expand(pattern, id, name string) string {
	if !strings.Contains(pattern, "{") {
		return pattern
	}
	return strings.NewReplacer(
		"{name}", name, "{lower}", strings.ToLower(name), "{stack}", n.stack, "{logical}", id,
		"{region}", n.region, "{account}", n.account, "{partition}", n.partition, "{suffix}", n.suffix(),
		"{hex8}", n.hex(id, 8), "{hex16}", n.hex(id, 16), "{hex32}", n.hex(id, 32), "{uuid}", n.uuid(id),
		"{word6}", n.word(id, 6), "{word10}", n.word(id, 10), "{ID17}", strings.ToUpper(n.word(id, 17)),
		"{HEX12}", strings.ToUpper(n.hex(id, 12)),
	).Replace(pattern)
}

func sortedKeys[V any](m map[string]V) []string {
	return slices.Sorted(maps.Keys(m))
}
