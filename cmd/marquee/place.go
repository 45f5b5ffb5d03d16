package main

import "fmt"

// placeOf names one of the times that a flag was given. What it was given may be a secret, or a part of one where quotes are
// missing, so an error says where it stands and not what it is.
func placeOf(flag string, index, count int) string {
	if count == 1 {
		return flag
	}
	return fmt.Sprintf("%s, number %d of %d", flag, index+1, count)
}
