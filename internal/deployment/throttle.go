package deployment

import (
	"slices"

	"github.com/marquee-api/marquee/internal/gateway"
)

// newerRegions have a quarter of the others' quota ("Amazon API Gateway quotas").
var newerRegions = []string{
	"af-south-1", "ap-south-2", "ap-southeast-3", "ap-southeast-4", "ap-southeast-5", "ap-southeast-7", "ca-west-1", "eu-central-2", "eu-south-1",
	"eu-south-2", "il-central-1", "me-central-1", "mx-central-1",
}

// AccountThrottle is the quota of all APIs of an account in a region.
func AccountThrottle(region string) *gateway.Throttle {
	if slices.Contains(newerRegions, region) {
		return &gateway.Throttle{Rate: 2500, Burst: 1250}
	}
	return &gateway.Throttle{Rate: 10_000, Burst: 5000}
}
