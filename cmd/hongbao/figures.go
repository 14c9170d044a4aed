package main

import "hongbao/adminapi"

// workFigures are what engine and background work count.
func (s *server) workFigures() []adminapi.Figure {
	figures := s.engine.figures()
	for _, f := range s.webhooks.Figures() {
		figures = append(figures, adminapi.Figure{Name: f.Name, Help: f.Help, Labels: f.Labels, Counter: f.Counter, Value: f.Value})
	}
	return figures
}

// figures are what engine, background work, gate and player port count, for the metrics of the admin port.
func (s *server) figures() []adminapi.Figure {
	stats := s.player.Stats()
	figures := append(s.workFigures(), adminapi.Figure{
		Name: "player_connections", Help: "Connections of the player port that are open.", Value: float64(stats.Connections),
	}, adminapi.Figure{
		Name: "player_connections_limit", Help: "Connections that the player port may have.", Value: float64(s.config.shares().requests),
	})
	figures = append(figures, s.liveFigures()...)
	for _, f := range s.gate.Figures() {
		figures = append(figures, adminapi.Figure{Name: f.Name, Help: f.Help, Labels: f.Labels, Counter: f.Counter, Value: f.Value})
	}
	reloads := s.player.KeyReloads()
	for outcome, n := range map[string]uint64{"taken": reloads.Taken, "refused": reloads.Refused} {
		figures = append(figures, adminapi.Figure{
			Name: "player_key_reloads_total", Help: "Changes of the keys for tokens while the server runs, by what became of them.",
			Labels: map[string]string{"outcome": outcome}, Counter: true, Value: float64(n),
		})
	}
	for _, route := range stats.Answers {
		for class, n := range map[string]uint64{"2xx": route.OK, "4xx": route.ClientFault, "5xx": route.ServerFault} {
			figures = append(figures, adminapi.Figure{
				Name: "player_answers_total", Help: "Answers of the player port by route and class of HTTP status.",
				Labels: map[string]string{"route": route.Route, "class": class}, Counter: true, Value: float64(n),
			})
		}
	}
	return append(figures, adminapi.Figure{
		Name: "player_snatch_seconds", Help: "Seconds from a snatch's arrival to its answer.",
		Times: &adminapi.Times{Bounds: stats.Snatch.Bounds, Counts: stats.Snatch.Counts, Sum: stats.Snatch.Sum},
	})
}
