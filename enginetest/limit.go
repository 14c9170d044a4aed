package enginetest

import (
	"sync/atomic"
	"testing"

	"hongbao"
)

// crowdSize is how many goroutines rush at one thing.
const crowdSize = 64

// checkLimit hammers one uid: exactly as many wins as the limit, and every other answer says why. Keeps G3.
func checkLimit(t testing.TB, open Open) {
	s := newScene(t, open)
	for _, limit := range []int{1, 2, 5, 0} {
		c := s.campaign(hongbao.Rain, 1000, func(spec *hongbao.Spec) { spec.WinsMax = &limit })
		var told [hongbao.Statuses]atomic.Int64
		crowd(crowdSize, func(int) {
			for range 4 {
				told[s.snatch(c, hongbao.UIDMax, start).Status].Add(1)
			}
		})
		want := int64(limit)
		if limit == 0 {
			want = 4 * crowdSize
		}
		if won := told[hongbao.Won].Load(); won != want || told[hongbao.LimitReached].Load() != 4*crowdSize-want {
			t.Errorf("under a limit of %d the player won %d times", limit, won)
		}
	}
	s.check()
}

// checkDailyLimit hammers one uid over several bombs of one day. Keeps G3.
func checkDailyLimit(t testing.TB, open Open) {
	s := newScene(t, open)
	limit := 3
	var bombs []*hongbao.Campaign
	for range 4 {
		bombs = append(bombs, s.campaign(hongbao.Bomb, 1000, func(spec *hongbao.Spec) { spec.DailyWinsMax = &limit }))
	}
	rain := s.rain(1000)
	var won, refused, rains atomic.Int64
	crowd(crowdSize, func(i int) {
		switch s.snatch(bombs[i%len(bombs)], 7, start).Status {
		case hongbao.Won:
			won.Add(1)
		case hongbao.DailyLimitReached:
			refused.Add(1)
		}
		if s.snatch(rain, 7, start).Status == hongbao.Won {
			rains.Add(1)
		}
	})
	if won.Load() != int64(limit) || refused.Load() != crowdSize-int64(limit) {
		t.Errorf("under a limit of %d a day the player won %d bombs and was refused %d", limit, won.Load(), refused.Load())
	}
	if rains.Load() != crowdSize {
		t.Errorf("of %d in the rain, which has no limit, the player won %d", crowdSize, rains.Load())
	}
	s.check()
}

// checkMidnight wins up to the limit on either side of a restart and of midnight in the calendar's zone.
func checkMidnight(t testing.TB, open Open) {
	s := newScene(t, open)
	limit := 2
	bombs := map[string]*hongbao.Campaign{}
	for _, name := range []string{"first", "second"} {
		bombs[name] = s.campaign(hongbao.Bomb, 100, func(spec *hongbao.Spec) {
			spec.Name, spec.DailyWinsMax, spec.Lasts = name, &limit, hongbao.Duration(48*3600e9)
		})
	}
	midnight := start
	for today := s.Calendar.Day(start); s.Calendar.Day(midnight) == today; {
		midnight += minute
	}
	s.win(bombs["first"], 7, midnight-hour)
	s.Engine = s.Restart(midnight - hour)
	s.win(bombs["second"], 7, midnight-minute)
	s.refused(hongbao.DailyLimitReached, bombs["first"], 7, midnight-1)
	s.Engine = s.Restart(midnight - 1)
	s.refused(hongbao.DailyLimitReached, bombs["second"], 7, midnight-1)
	s.win(bombs["second"], 7, midnight)
	if won := s.win(bombs["second"], 8, midnight-minute); won.WonAt < midnight {
		t.Errorf("by a clock that stepped back it was won at %s, on the day before", won.WonAt)
	}
	s.Engine = s.Restart(midnight)
	s.win(bombs["first"], 7, midnight+hour)
	s.refused(hongbao.DailyLimitReached, bombs["first"], 7, midnight+hour)
	s.check()
}
