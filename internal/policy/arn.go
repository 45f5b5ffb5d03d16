package policy

import "strings"

// arnFields is an ARN cut at its first five colons: arn, partition, service, region, account, resource. Colons of the
// resource stay in it.
type arnFields [6]string

// splitARN cuts s at its first five colons. It fails if there are fewer.
func splitARN(s string) (arnFields, bool) {
	var f arnFields
	for i := range 5 {
		var ok bool
		f[i], s, ok = strings.Cut(s, ":")
		if !ok {
			return f, false
		}
	}
	f[5] = s
	return f, true
}
