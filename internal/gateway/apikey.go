package gateway

import (
	"crypto/sha256"
	"strings"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// APIKey is a key that callers send as x-api-key.
type APIKey struct {
	ID, Name, Value string
	Enabled         bool
}

// UsagePlan opens stages to the holders of keys and bounds what each of them may send.
type UsagePlan struct {
	ID       string
	Stages   []PlanStage
	Throttle *Throttle // of each key; nil: none
	Quota    *Quota    // of each key; nil: none
	KeyIDs   []string
}

// PlanStage is a stage that a plan opens. Throttles are by method, "/movie_list/GET", and of each key.
type PlanStage struct {
	APIID, Stage string
	Throttles    map[string]*Throttle
}

// Quota is a number of requests in each period: DAY, WEEK (from Sunday) or MONTH, in UTC.
type Quota struct {
	Limit  int
	Offset int // fewer in the first period
	Period string
}

// keyRing knows the keys and what their holders have used. Keys are found by their hash: a comparison that ends at the
// first wrong byte would tell how far a guess is right.
type keyRing struct {
	keys  map[[sha256.Size]byte]*APIKey
	plans []UsagePlan

	mu   sync.Mutex
	uses map[planKey]*use
}

type planKey struct{ plan, key string }

// use is what one key has used of one plan.
type use struct {
	limiter *rate.Limiter
	methods map[string]*rate.Limiter
	period  time.Time // start of the current one
	count   int
}

func newKeyRing(keys []APIKey, plans []UsagePlan) *keyRing {
	ring := &keyRing{keys: make(map[[sha256.Size]byte]*APIKey, len(keys)), plans: plans, uses: map[planKey]*use{}}
	for _, key := range keys {
		if key.Enabled && key.Value != "" {
			ring.keys[sha256.Sum256([]byte(key.Value))] = &key
		}
	}
	return ring
}

// find returns the key of a value and the plan by which it opens the stage.
func (k *keyRing) find(value, api, stage string) (*APIKey, *UsagePlan, *PlanStage) {
	key := k.keys[sha256.Sum256([]byte(value))]
	if key == nil {
		return nil, nil, nil
	}
	for i := range k.plans {
		plan := &k.plans[i]
		for j := range plan.Stages {
			s := &plan.Stages[j]
			if s.APIID != api || s.Stage != stage {
				continue
			}
			for _, id := range plan.KeyIDs {
				if id == key.ID {
					return key, plan, s
				}
			}
		}
	}
	return key, nil, nil
}

// checkKey asks for an API key where the method needs one, and takes the request off its holder's plan. It comes after
// authorization: a key identifies, it does not authorise.
func (x *exchange) checkKey() *Refusal {
	if !x.route.APIKeyRequired {
		return nil
	}
	value := x.r.Header.Get("X-Api-Key")
	if value == "" {
		return x.record.fail("api key", refuseAPIKey.because("the method needs an API key, and x-api-key is missing"))
	}
	api := x.target.api
	key, plan, stage := x.g.keys.find(value, api.ID, api.Stage)
	switch {
	case key == nil:
		return x.record.fail("api key", refuseAPIKey.because("x-api-key is no enabled API key"))
	case plan == nil:
		return x.record.fail("api key", refuseAPIKey.because("no usage plan opens stage %s to the API key %s", api.Stage, key.Name))
	}
	x.apiKey = key
	if refusal := x.g.keys.take(key, plan, stage, x.route, x.now); refusal != nil {
		return x.record.fail("usage plan", refusal)
	}
	x.record.pass("api key", key.Name)
	return nil
}

// take counts a request: the plan's throttles first, then its quota ("Throttle API requests for better throughput").
func (k *keyRing) take(key *APIKey, plan *UsagePlan, stage *PlanStage, route *Route, now time.Time) *Refusal {
	k.mu.Lock()
	defer k.mu.Unlock()
	id := planKey{plan.ID, key.ID}
	u := k.uses[id]
	if u == nil {
		u = &use{limiter: plan.Throttle.limiter(), methods: map[string]*rate.Limiter{}}
		if plan.Quota != nil {
			u.period, u.count = plan.Quota.start(now), plan.Quota.Offset
		}
		k.uses[id] = u
	}
	method := route.Path + "/" + route.Method
	if _, known := u.methods[method]; !known {
		u.methods[method] = stage.Throttles[method].limiter()
	}
	for _, limiter := range []*rate.Limiter{u.methods[method], u.limiter} {
		if limiter != nil && !limiter.AllowN(now, 1) {
			return refuseThrottled.because("the usage plan's limit for the API key %s", key.Name)
		}
	}
	if plan.Quota == nil {
		return nil
	}
	if period := plan.Quota.start(now); !period.Equal(u.period) {
		u.period, u.count = period, 0
	}
	if u.count >= plan.Quota.Limit {
		return refuseQuota.because("the API key %s has used its %d requests a %s", key.Name, plan.Quota.Limit, strings.ToLower(plan.Quota.Period))
	}
	u.count++
	return nil
}

// start is the beginning of the period that holds t.
func (q *Quota) start(t time.Time) time.Time {
	y, m, d := t.UTC().Date()
	switch q.Period {
	case "MONTH":
		d = 1
	case "WEEK":
		d -= int(t.UTC().Weekday())
	}
	return time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
}
