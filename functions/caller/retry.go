package main

import (
	"fmt"
	"slices"
	"time"

	"github.com/marquee-api/marquee/apiclient"
)

// maxAttempts bounds what an event may ask for: more is a storm, and no invocation is long enough for it.
const maxAttempts = 10

// retrySettings say when a request is sent again. What is left out is as the client has it: three attempts, throttling,
// server errors and lost connections, up to two seconds before the second attempt; other methods than the idempotent ones
// only where nothing can have run.
type retrySettings struct {
	MaxAttempts *int  `json:"max_attempts"`  // the first one included
	Statuses    []int `json:"statuses"`      // answers that are worth another attempt, besides lost connections
	BaseDelayMS *int  `json:"base_delay_ms"` // the most before the second attempt; it doubles from one to the next
	MaxDelayMS  *int  `json:"max_delay_ms"`  // the most before any attempt
	AllMethods  bool  `json:"all_methods"`   // POST and PATCH also where something may have run
}

// policy checks the settings.
func (s retrySettings) policy() (*apiclient.Retry, *BadEventError) {
	policy := &apiclient.Retry{AllMethods: s.AllMethods}
	for _, field := range []struct {
		name  string
		value *int
		most  int
		set   func(int)
	}{
		{"max_attempts", s.MaxAttempts, maxAttempts, func(n int) { policy.MaxAttempts = n }},
		{"base_delay_ms", s.BaseDelayMS, 60_000, func(n int) { policy.BaseDelay = time.Duration(n) * time.Millisecond }},
		{"max_delay_ms", s.MaxDelayMS, 60_000, func(n int) { policy.MaxBackoff = time.Duration(n) * time.Millisecond }},
	} {
		if field.value == nil {
			continue
		}
		if *field.value < 1 || *field.value > field.most {
			return nil, &BadEventError{fmt.Sprintf(`field "retry.%s" is %d: it must be from 1 to %d`, field.name, *field.value, field.most)}
		}
		field.set(*field.value)
	}
	for _, status := range s.Statuses {
		if status < 400 || status > 599 {
			return nil, &BadEventError{fmt.Sprintf(`field "retry.statuses" holds %d: only errors, 400 to 599, are worth another attempt`, status)}
		}
	}
	if s.Statuses != nil {
		policy.Condition = s.wants
	}
	return policy, nil
}

// wants keeps one rule whatever the event says: a quota that is used up stays so for longer than any invocation.
func (s retrySettings) wants(a apiclient.Attempt) bool {
	if a.Err != nil {
		return apiclient.RetryTransient(a)
	}
	return slices.Contains(s.Statuses, a.StatusCode) && a.ErrorType() != apiclient.TypeLimitExceeded
}
