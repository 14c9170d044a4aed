package audit

import "hongbao"

// player is what the journal says of a player beyond campaigns.
type player struct {
	uid        uint64
	balanceFen int64
	days       [2]dayWins // rain, bomb
	campaign   uint32     // that the player last won in
	wins       uint32     // and how often there
}

// dayWins counts wins on the last day on which there was one.
type dayWins struct {
	day  int32
	wins uint32
}

func (p *player) dayWins(kind hongbao.Kind) *dayWins {
	if kind == hongbao.Bomb {
		return &p.days[1]
	}
	return &p.days[0]
}

// wins counts the player's wins in a campaign. The count of the campaign last won in is with the player, where it costs
// nothing to find; a campaign keeps those of players who have won elsewhere since.
func (a *auditor) wins(c *campaign, holder uint32) *uint32 {
	p := a.players.at(holder)
	if p.campaign != c.ID {
		if before := a.campaign(p.campaign); before != nil && before.Seal == nil {
			before.wins[holder] = p.wins
		}
		p.campaign, p.wins = c.ID, c.wins[holder]
	}
	return &p.wins
}

// players are all players by index, in the order in which the journal first names them. An index has 32 bits and stands
// for the player everywhere else.
//
// The table from uids to indexes is open-addressed with linear probing: 8 bytes a slot, where a map takes three times
// as much. A slot has the index plus 1 below and bits of the hash above, so that a look-up rarely touches another player.
type players struct {
	all   chunks[player]
	slots []uint64
}

// index finds a player's index; the first time, it gives one.
func (p *players) index(uid uint64) uint32 {
	if 3*p.all.count >= 2*uint64(len(p.slots)) {
		p.grow()
	}
	index, slot := p.find(uid)
	if slot != nil {
		index = uint32(p.all.count)
		*slot = mix(uid)>>32<<32 | uint64(index+1)
		p.all.extend(uint64(index)).uid = uid
	}
	return index
}

// known is the player of that uid, or nil.
func (p *players) known(uid uint64) *player {
	if len(p.slots) == 0 {
		return nil
	}
	index, slot := p.find(uid)
	if slot != nil {
		return nil
	}
	return p.at(index)
}

func (p *players) at(index uint32) *player { return p.all.at(uint64(index)) }

// find is the index of a known player, or the slot for a new one.
func (p *players) find(uid uint64) (index uint32, free *uint64) {
	hash, mask := mix(uid), uint64(len(p.slots)-1)
	for i := hash & mask; ; i = (i + 1) & mask {
		slot := p.slots[i]
		if slot == 0 {
			return 0, &p.slots[i]
		}
		if index := uint32(slot) - 1; slot>>32 == hash>>32 && p.at(index).uid == uid {
			return index, nil
		}
	}
}

func (p *players) grow() {
	p.slots = make([]uint64, max(1024, 2*len(p.slots)))
	for index := range p.all.count {
		uid := p.at(uint32(index)).uid
		_, slot := p.find(uid)
		*slot = mix(uid)>>32<<32 | (index + 1)
	}
}

// mix spreads a number over 64 bits (the finalizer of MurmurHash3).
func mix(n uint64) uint64 {
	n ^= n >> 33
	n *= 0xff51afd7ed558ccd
	n ^= n >> 33
	n *= 0xc4ceb9fe1a85ec53
	return n ^ n>>33
}
