package main

import (
	"strconv"

	"hongbao/adminapi"
)

// figures are what the player port counts, for the metrics of the admin port.
func (s *server) figures() []adminapi.Figure {
	stats := s.player.Stats()
	figures := []adminapi.Figure{{
		Name: "player_connections", Help: "Connections of the player port that are open.", Value: float64(stats.Connections),
	}}
	for _, route := range stats.Answers {
		for class, n := range map[string]uint64{"2xx": route.OK, "4xx": route.ClientFault, "5xx": route.ServerFault} {
			figures = append(figures, adminapi.Figure{
				Name: "player_answers_total", Help: "Answers of the player port by route and class of HTTP status.",
				Labels: map[string]string{"route": route.Route, "class": class}, Counter: true, Value: float64(n),
			})
		}
	}
	var below uint64
	for i, n := range stats.Snatch.Counts {
		below += n
		bound := "+Inf"
		if i < len(stats.Snatch.Bounds) {
			bound = strconv.FormatFloat(stats.Snatch.Bounds[i].Seconds(), 'g', -1, 64)
		}
		figures = append(figures, adminapi.Figure{
			Name: "player_snatch_seconds_bucket", Help: "Snatches that took at most le seconds, to the answer.",
			Labels: map[string]string{"le": bound}, Counter: true, Value: float64(below),
		})
	}
	return append(figures,
		adminapi.Figure{Name: "player_snatch_seconds_count", Help: "Snatches answered.", Counter: true, Value: float64(below)},
		adminapi.Figure{Name: "player_snatch_seconds_sum", Help: "Seconds that snatches took.", Counter: true, Value: stats.Snatch.Sum.Seconds()},
	)
}
