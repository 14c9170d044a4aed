package main

import (
	"fmt"
	"strings"
	"time"
)

// kind is one way of flooding.
type kind struct {
	name string
	rate func(o *floodOptions) int // requests a second by itself; nil: it shares the rate of the flood
	make func(g *ground, n int) []byte
	open func(g *ground, f *flooding) // in place of requests at a rate
}

const madeUpUIDs = 1 << 40 // nobody honest is up there

var (
	madeUp = kind{name: "made-up uids", make: func(g *ground, n int) []byte {
		return snatchOf(g, playerHeader(madeUpUIDs+uint64(n)), floodAddress(g, n))
	}}
	oneUID = kind{name: "one uid", make: func(g *ground, n int) []byte {
		return snatchOf(g, g.identity(7), floodAddress(g, n))
	}}
	oneAddress = kind{name: "one address", make: func(g *ground, n int) []byte {
		return snatchOf(g, g.identity(madeUpUIDs+uint64(n)), addressHeader(1))
	}}
	// Each is another token: the right form, and a signature by another key.
	forged = kind{name: "forged tokens", make: func(g *ground, n int) []byte {
		bearer := "Authorization: Bearer " + token([]byte("not the company's key, but as long"), madeUpUIDs+uint64(n), time.Now())
		return snatchOf(g, bearer, floodAddress(g, n))
	}}
	giants = kind{name: "giant bodies", rate: func(o *floodOptions) int { return o.giants }, make: func(g *ground, n int) []byte {
		if n%2 == 0 {
			return request("POST", snatchPath(g.campaign), strings.Repeat("x", 64<<10), g.identity(madeUpUIDs), floodAddress(g, n))
		}
		return fmt.Appendf(nil, "POST %s HTTP/1.1\r\nHost: bench\r\n%s\r\n%s\r\nContent-Length: %d\r\n\r\n%s",
			snatchPath(g.campaign), g.identity(madeUpUIDs), floodAddress(g, n), 10<<20, strings.Repeat("x", 4<<10))
	}}
	slowReaders = kind{name: "slow readers", open: (*ground).readSlowly}
	halfOpen    = kind{name: "half-open connections", open: (*ground).openHalf}
)

func snatchOf(g *ground, who, from string) []byte {
	return request("POST", snatchPath(g.campaign), "", who, from)
}

func floodAddress(g *ground, n int) string { return addressHeader(2<<20 + n%g.options.floodAddresses) }
