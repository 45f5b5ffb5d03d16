package stack

import (
	"maps"
	"slices"
)

// The lengths of an API key's value (API Gateway developer guide, Usage plans and API keys).
const (
	shortestKey = 20
	longestKey  = 128
)

// readKey reads an API key. Messages never hold its value.
func (b *builder) readKey(res *resource) *APIKey {
	c := b.cursor(res)
	k := &APIKey{
		LogicalID: res.id, ID: b.id(res), Name: c.at("Name").textOr(b.n.name(res.id, 1024)), Position: res.pos,
		Value: c.at("Value").text(), Enabled: c.at("Enabled").flag(),
	}
	if k.Value == "" || slices.Contains(slices.Collect(maps.Values(b.assumed)), k.Value) {
		return k
	}
	if n := len(k.Value); n < shortestKey || n > longestKey {
		c.at("Value").fail("an API key has %d to %d characters, this one has %d", shortestKey, longestKey, n)
	}
	for _, other := range b.stack.APIKeys {
		if other.Value == k.Value {
			c.at("Value").fail("%s has this value, too: AWS refuses the second key", other.LogicalID)
		}
	}
	return k
}

// readUsagePlans reads plans, keys, and which key belongs to which plan.
func (b *builder) readUsagePlans() {
	for _, res := range b.ofType("AWS::ApiGateway::ApiKey") {
		b.stack.APIKeys = append(b.stack.APIKeys, b.readKey(res))
	}
	for _, res := range b.ofType("AWS::ApiGateway::UsagePlan") {
		b.stack.UsagePlans = append(b.stack.UsagePlans, b.readUsagePlan(res))
	}
	for _, res := range b.ofType("AWS::ApiGateway::UsagePlanKey") {
		c := b.cursor(res)
		plan := c.at("UsagePlanId").text()
		found := false
		for _, p := range b.stack.UsagePlans {
			if p.ID == plan {
				p.KeyIDs, found = append(p.KeyIDs, c.at("KeyId").text()), true
			}
		}
		if !found {
			c.at("UsagePlanId").warn("the usage plan is not of this template: the key belongs to none here")
		}
	}
}

func (b *builder) readUsagePlan(res *resource) *UsagePlan {
	c := b.cursor(res)
	p := &UsagePlan{LogicalID: res.id, ID: b.id(res), Name: c.at("UsagePlanName").textOr(b.n.name(res.id, 1024)), Position: res.pos}
	if t := c.at("Throttle"); t.exists() {
		p.Throttle = readThrottle(t.at("RateLimit"), t.at("BurstLimit"))
	}
	if q := c.at("Quota"); q.exists() {
		p.Quota = &Quota{Limit: q.at("Limit").integerOr(0), Offset: q.at("Offset").integerOr(0), Period: q.at("Period").text()}
		switch p.Quota.Period {
		case "DAY", "WEEK", "MONTH":
		default:
			q.at("Period").fail("a quota's period is DAY, WEEK or MONTH")
		}
	}
	for _, at := range c.at("ApiStages").items() {
		stage := UsagePlanStage{APIID: at.at("ApiId").text(), Stage: at.at("Stage").text()}
		for _, e := range at.at("Throttle").entries() {
			if stage.Throttle == nil {
				stage.Throttle = map[string]*Throttle{}
			}
			stage.Throttle[e.key] = readThrottle(e.at("RateLimit"), e.at("BurstLimit"))
			b.checkPlanMethod(stage, e)
		}
		p.Stages = append(p.Stages, stage)
	}
	return p
}

// checkPlanMethod refuses a throttle of a method that the stage does not have: it would hold for nothing.
func (b *builder) checkPlanMethod(stage UsagePlanStage, e entry) {
	for _, api := range b.stack.APIs {
		if api.ID != stage.APIID || api.Stage != stage.Stage {
			continue
		}
		for _, r := range api.Routes {
			if r.Path+"/"+r.Method == e.key {
				return
			}
		}
		e.fail("the stage %s has no method %q, so this throttle would hold for nothing: write the path, a slash and the method, as in /movie_list/GET", stage.Stage, e.key)
		return
	}
}
