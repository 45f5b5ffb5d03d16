package gobuild

import "context"

// Look gives tests a watch whose looks they make themselves.
func (b *Builder) Look(w Watch) func(context.Context) { return b.newWatcher(w).look }
