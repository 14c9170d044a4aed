package main

import (
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"slices"
	"time"

	"hongbao"
)

// order is how the order of winning compares with the lot's, which anyone can recompute once the seed is revealed.
type order struct {
	InLot       int     `json:"in_lot"`       // uids whose first request came while the lot was open, and was not turned away
	LotWinners  int     `json:"lot_winners"`  // winners among them
	LowestShare float64 `json:"lowest_share"` // of these winners, in hundredths: who is among that many lowest lots
	Correlation float64 `json:"correlation"`  // Spearman's, of lot and order of winning
	PassedOver  []over  `json:"passed_over,omitempty"`
}

// over is somebody with one of the lowest lots who did not win. Times are from the bell, in milliseconds.
type over struct {
	UID        uint64  `json:"uid"`
	Lot        float64 `json:"lot"` // in [0, 1)
	SentMS     float64 `json:"sent_ms"`
	AnsweredMS float64 `json:"answered_ms"`
	Answer     string  `json:"answer"`
}

// lot is u of a player, as the rules have it: the first 64 bits of HMAC-SHA256(seed, "lot" ‖ campaign ‖ uid). It is computed
// anew here, and not by the function that the server uses.
func lot(seed hongbao.Seed, campaign uint32, uid uint64) uint64 {
	m := hmac.New(sha256.New, seed[:])
	message := binary.BigEndian.AppendUint32([]byte("lot"), campaign)
	m.Write(binary.BigEndian.AppendUint64(message, uid))
	return binary.BigEndian.Uint64(m.Sum(nil))
}

// compareOrder holds the winners, in the order in which they won, against the lot.
func compareOrder(seed hongbao.Seed, campaign uint32, crowd *crowd, winners []winner, end time.Duration, place func(winner) float64) order {
	inLot := lotted(crowd, end)
	var lots, places []float64
	var won []uint64
	for _, w := range winners {
		if inLot[w.uid] {
			lots = append(lots, float64(lot(seed, campaign, w.uid)))
			places = append(places, place(w))
			won = append(won, lot(seed, campaign, w.uid))
		}
	}
	o := order{InLot: len(inLot), LotWinners: len(won)}
	if len(won) == 0 {
		return o
	}
	all := make([]uint64, 0, len(inLot))
	for uid := range inLot {
		all = append(all, lot(seed, campaign, uid))
	}
	slices.SortFunc(all, cmp.Compare[uint64])
	last, lowest := all[len(won)-1], 0
	for _, u := range won {
		if u <= last {
			lowest++
		}
	}
	o.LowestShare = 100 * float64(lowest) / float64(len(won))
	o.Correlation = rankCorrelation(lots, places)
	for _, s := range crowd.all() {
		if u := lot(seed, campaign, s.uid); inLot[s.uid] && u <= last && !slices.Contains(won, u) && s.label != "too_fast" {
			o.PassedOver = append(o.PassedOver, over{s.uid, float64(u) / (1 << 63) / 2, inMS(s.sent), inMS(s.answered), s.label})
		}
	}
	return o
}

// lotted are the uids who came while the lot was open.
func lotted(crowd *crowd, end time.Duration) map[uint64]bool {
	first := map[uint64]time.Duration{}
	for _, s := range crowd.all() {
		if !s.told || s.label == "busy" || s.label == "ticket_required" || s.label == "ticket_invalid" || s.label == "not_open" {
			continue
		}
		if at, known := first[s.uid]; !known || s.sent < at {
			first[s.uid] = s.sent
		}
	}
	in := map[uint64]bool{}
	for uid, at := range first {
		if at < end {
			in[uid] = true
		}
	}
	return in
}
