package cluster

import (
	"crypto/sha1"
	"embed"
	"encoding/hex"
	"strings"
)

//go:embed scripts/*.lua
var scriptFiles embed.FS

// script is one transition in Lua, known to Redis by its SHA-1.
type script struct {
	name string
	body string
	sha  string
	// writes is set for what changes the money or rights of players: when its outcome is not confirmed it is unknown. Of
	// the others it is enough to say that nothing happened: what they did does not matter, or is found and finished later.
	writes bool
	bare   bool // not fenced: of the fence's arguments it takes only the run id
}

// The scripts; the heads of their files name every key, argument and reply.
var (
	scriptSnatch = loadScript("snatch", true)
	scriptOpen   = loadScript("open", true)
	scriptRefund = loadScript("refund", true)
	scriptSignUp = loadScript("signup", true)
	scriptCreate = loadScript("create", true)
	scriptChange = loadScript("change", true)
	scriptRecord = loadScript("record", true)

	scriptWallet   = loadScript("wallet", false)
	scriptCampaign = loadScript("campaign", false)
	scriptRegistry = loadScript("registry", false)
	scriptApply    = loadScript("apply", false)
	scriptSeal     = loadScript("seal", false)
	scriptStop     = loadScript("stop", false)
	scriptStopping = loadScript("stopping", false)
	scriptRecorded = loadScript("recorded", false)

	scriptBank    = loadScript("bank", false)
	scriptMark    = loadScript("mark", false)
	scriptLease   = loadScript("lease", false)
	scriptReceive = loadScript("receive", false)
	scriptGive    = loadScript("give", false)
	scriptTake    = loadScript("take", false)
	scriptGiven   = loadScript("given", false)
	scriptDry     = loadScript("dry", false)

	scriptOutbox = loadScript("outbox", false)
	scriptTrim   = loadScript("trim", false)

	scriptAdopt = loadBare("adopt")
	scriptInit  = loadBare("init")
	scriptHold  = loadBare("hold")
	scriptFree  = loadBare("free")
	scriptPeek  = loadBare("peek")
)

// allScripts are loaded into each server that is connected to.
var allScripts = []*script{
	scriptSnatch, scriptOpen, scriptRefund, scriptSignUp, scriptCreate, scriptChange, scriptRecord,
	scriptWallet, scriptCampaign, scriptRegistry, scriptApply, scriptSeal, scriptStop, scriptStopping, scriptRecorded,
	scriptBank, scriptMark, scriptLease, scriptReceive, scriptGive, scriptTake, scriptGiven, scriptDry,
	scriptOutbox, scriptTrim, scriptAdopt, scriptInit, scriptHold, scriptFree, scriptPeek,
}

// loadScript reads a script and lays the fence before it.
func loadScript(name string, writes bool) *script {
	return newScript(name, readScript("fence")+readScript(name), writes)
}

// loadBare reads a script that is not fenced.
func loadBare(name string) *script {
	s := newScript(name, readScript(name), false)
	s.bare = true
	return s
}

func newScript(name, body string, writes bool) *script {
	sum := sha1.Sum([]byte(body))
	return &script{name: name, body: body, sha: hex.EncodeToString(sum[:]), writes: writes}
}

// readScript is a script's text without its comments, which would only travel.
func readScript(name string) string {
	text, err := scriptFiles.ReadFile("scripts/" + name + ".lua")
	if err != nil {
		panic("cluster: a script is not embedded: " + err.Error())
	}
	var code strings.Builder
	for line := range strings.Lines(string(text)) {
		if !strings.HasPrefix(strings.TrimSpace(line), "--") {
			code.WriteString(line)
		}
	}
	return code.String()
}
