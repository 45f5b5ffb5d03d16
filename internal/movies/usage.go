package movies

import (
	"context"
	"sync"
)

// Usage is what a request cost in the store.
type Usage struct {
	// ReadUnits and WriteUnits are the capacity that DynamoDB says was consumed.
	ReadUnits, WriteUnits float64
	// Calls are the operations, Items the items that they read, Throttles the attempts that were refused for their rate.
	Calls, Items, Throttles int
}

// meter adds up the usage of one request, whose calls may run side by side.
type meter struct {
	mu    sync.Mutex
	usage Usage
}

type meterKey struct{}

// WithUsage returns a context in which the store counts what it uses, and the function that reads the count.
func WithUsage(ctx context.Context) (context.Context, func() Usage) {
	m := new(meter)
	return context.WithValue(ctx, meterKey{}, m), func() Usage {
		m.mu.Lock()
		defer m.mu.Unlock()
		return m.usage
	}
}

// count adds to the usage of the context's request, if somebody counts.
func count(ctx context.Context, add Usage) {
	m, ok := ctx.Value(meterKey{}).(*meter)
	if !ok {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.usage.ReadUnits += add.ReadUnits
	m.usage.WriteUnits += add.WriteUnits
	m.usage.Calls += add.Calls
	m.usage.Items += add.Items
	m.usage.Throttles += add.Throttles
}
