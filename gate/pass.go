package gate

import (
	"context"

	"hongbao"
)

// changes refuses whatever would change something while the gate is read-only.
func (g *Gate) changes() error {
	if g.force.Load().settings.ReadOnly {
		return g.refuse(byReadOnly, hongbao.ErrReadOnly)
	}
	return nil
}

// takeGlobal takes a request from the bucket of all.
func (g *Gate) takeGlobal() error {
	f := g.force.Load()
	if f.global == nil {
		return nil
	}
	_, err := g.counted(byGlobal, f.all.take(f.global, g.now()))
	return err
}

// engine lets a call into the engine that may change something, when there is room for it and the engine answers at all. The
// call reports whether the time it took says something about the engine.
func (g *Gate) engine(ctx context.Context, call func() (measured bool, err error)) error {
	place, err := g.inFlight.enter(ctx, playing)
	if err != nil {
		return g.refuse(byInFlight, err)
	}
	if err := g.breaker.allow(); err != nil {
		place.leave(false)
		return g.refuse(byBreaker, err)
	}
	measured, err := false, hongbao.ErrUnknown
	defer func() { // after a panic too
		g.breaker.record(err)
		place.leave(measured && err == nil)
	}()
	measured, err = call()
	return err
}

// Open credits an envelope to its holder; see [hongbao.Service.Open].
func (g *Gate) Open(ctx context.Context, uid uint64, envelope hongbao.EnvelopeID) (result hongbao.OpenResult, err error) {
	if err := g.change(); err != nil {
		return result, err
	}
	err = g.engine(ctx, func() (bool, error) {
		result, err = g.service.Open(ctx, uid, envelope)
		return true, err
	})
	return result, err
}

// SignUp registers a player for a campaign; see [hongbao.Service.SignUp].
func (g *Gate) SignUp(ctx context.Context, campaign uint32, uid uint64) (status hongbao.SignUpStatus, err error) {
	if err := g.change(); err != nil {
		return "", err
	}
	err = g.engine(ctx, func() (bool, error) {
		status, err = g.service.SignUp(ctx, campaign, uid)
		return true, err
	})
	return status, err
}

func (g *Gate) change() error {
	if err := g.changes(); err != nil {
		return err
	}
	return g.takeGlobal()
}

// Wallet reads a page of a wallet; see [hongbao.Service.Wallet]. It goes past the breaker: a cluster has its books where what
// decides is down.
func (g *Gate) Wallet(ctx context.Context, r hongbao.WalletRequest) (hongbao.Wallet, error) {
	if err := g.takeGlobal(); err != nil {
		return hongbao.Wallet{}, err
	}
	place, err := g.inFlight.enter(ctx, reading)
	if err != nil {
		return hongbao.Wallet{}, g.refuse(byInFlight, err)
	}
	defer place.leave(false)
	return g.service.Wallet(ctx, r)
}

// List lets a read of the campaigns in, which need nothing but the processor; leave must be called when it is done.
func (g *Gate) List(ctx context.Context) (leave func(), err error) {
	place, err := g.inFlight.enter(ctx, listing)
	if err != nil {
		return nil, g.refuse(byInFlight, err)
	}
	return func() { place.leave(false) }, nil
}
