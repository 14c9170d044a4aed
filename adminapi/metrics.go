package adminapi

import (
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"hongbao"
)

// Figure is one number that another part of the process counts. Figures of one name have the same labels.
type Figure struct {
	Name    string            // after hongbao_, in Prometheus' manner: "player_requests_total"
	Help    string            // a sentence
	Labels  map[string]string // few values each, and never a uid
	Counter bool              // it only grows; otherwise it is a gauge
	Value   float64
	Times   *Times // a histogram, in place of Value
}

// Times are durations counted in buckets. Their metric's name ends in _seconds.
type Times struct {
	Bounds []time.Duration // upper bounds of the buckets, ascending
	Counts []uint64        // one more than bounds: the last counts what is above them; not cumulative
	Sum    time.Duration
}

// metricsRoute answers loopback peers without a token. One that a proxy on this machine forwards for is no loopback peer.
func (s *Server) metricsRoute(figures func() []Figure) {
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		newCollector(s.service, s.version, figures))
	exposition := promhttp.HandlerFor(registry, promhttp.HandlerOpts{
		ErrorLog: slog.NewLogLogger(s.logger.Handler(), slog.LevelError), MaxRequestsInFlight: 4,
	})
	s.handle(public, huma.Operation{
		OperationID: "metrics", Method: http.MethodGet, Path: "/metrics", Tags: []string{tagServer},
		Summary:     "Read the metrics, for Prometheus",
		Description: "Peers other than loopback need a token.",
		Responses:   streamOf(map[string]*huma.Schema{"text/plain": {Type: huma.TypeString}}),
	}, func(w http.ResponseWriter, r *http.Request) {
		if !fromLoopback(r) {
			if _, err := s.authenticate(r, Viewer); err != nil {
				problemOf(err).write(w)
				return
			}
		}
		exposition.ServeHTTP(w, r)
	})
}

func fromLoopback(r *http.Request) bool {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	forwarded := r.Header.Get("Forwarded") != "" || r.Header.Get("X-Forwarded-For") != ""
	return err == nil && net.ParseIP(host).IsLoopback() && !forwarded
}

// collector reads everything at the moment of a scrape. Its labels are bounded: statuses, and the campaigns that are not
// settled.
type collector struct {
	service *hongbao.Service
	version string
	figures func() []Figure

	info, snatches, openings, healthy, lag, events, groups, synced *prometheus.Desc

	budgetFen, budgetCount, takenFen, taken, openedFen, opened, refundedFen, refunded, signedUp *prometheus.Desc
}

func newCollector(service *hongbao.Service, version string, figures func() []Figure) *collector {
	describe := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc("hongbao_"+name, help, labels, nil)
	}
	campaign := func(name, help string) *prometheus.Desc {
		return describe("campaign_"+name, help, "campaign", "name")
	}
	return &collector{
		service: service, version: version, figures: figures,

		info:     describe("build_info", "Always 1; the version is the label.", "version"),
		snatches: describe("snatches_total", "Answers to snatches by status.", "status"),
		openings: describe("openings_total", "Envelopes opened for the first time."),
		healthy:  describe("healthy", "1 when the engine serves, the disk has room and the clock can be trusted."),
		lag:      describe("books_lag_events", "Events that are durable and not yet in the books."),
		events:   describe("journal_events_total", "Events journaled."),
		groups:   describe("journal_groups_total", "Group commits of the journal."),
		synced:   describe("journal_sync_seconds_total", "Time spent syncing the journal."),

		budgetFen:   campaign("budget_fen", "Budget in force, in fen."),
		budgetCount: campaign("budget_envelopes", "Budget in force, in envelopes."),
		takenFen:    campaign("taken_fen", "Won so far, in fen."),
		taken:       campaign("taken_envelopes", "Won so far, in envelopes."),
		openedFen:   campaign("opened_fen", "Opened so far, in fen."),
		opened:      campaign("opened_envelopes", "Opened so far, in envelopes."),
		refundedFen: campaign("refunded_fen", "Refunded so far, in fen."),
		refunded:    campaign("refunded_envelopes", "Refunded so far, in envelopes."),
		signedUp:    campaign("signed_up_players", "Players signed up."),
	}
}

// Describe tells nothing, which makes the collector unchecked: other parts' figures are not known beforehand.
func (c *collector) Describe(chan<- *prometheus.Desc) {}

// Collect reads service, engine and campaigns.
func (c *collector) Collect(out chan<- prometheus.Metric) {
	counter, gauge := emitter(out, prometheus.CounterValue), emitter(out, prometheus.GaugeValue)
	counts, health := c.service.Counts(), c.service.Health()
	gauge(c.info, 1, c.version)
	for status, n := range counts.Statuses {
		counter(c.snatches, float64(n), hongbao.Status(status).String())
	}
	counter(c.openings, float64(counts.Openings))
	healthy := 1.0
	if health.Trouble() != nil {
		healthy = 0
	}
	gauge(c.healthy, healthy)
	gauge(c.lag, float64(health.Lag))
	counter(c.events, float64(health.Events))
	counter(c.groups, float64(health.Groups))
	counter(c.synced, float64(health.SyncedNS)/1e9)
	c.collectCampaigns(gauge)
	c.collectFigures(out)
}

// emit sends one value.
type emit func(desc *prometheus.Desc, value float64, labels ...string)

func emitter(out chan<- prometheus.Metric, kind prometheus.ValueType) emit {
	return func(desc *prometheus.Desc, value float64, labels ...string) {
		out <- prometheus.MustNewConstMetric(desc, kind, value, labels...)
	}
}

func (c *collector) collectCampaigns(gauge emit) {
	now := c.service.Now()
	for _, campaign := range c.service.Campaigns() {
		progress, rules := c.service.Progress(campaign.ID), campaign.Rules()
		if campaign.Phase(now, progress.Held().Count) == hongbao.PhaseSettled {
			continue
		}
		labels := []string{strconv.FormatUint(uint64(campaign.ID), 10), rules.Name}
		gauge(c.budgetFen, float64(rules.Budget.TotalFen), labels...)
		gauge(c.budgetCount, float64(rules.Budget.Count), labels...)
		gauge(c.takenFen, float64(progress.Taken.TotalFen), labels...)
		gauge(c.taken, float64(progress.Taken.Count), labels...)
		gauge(c.openedFen, float64(progress.Opened.TotalFen), labels...)
		gauge(c.opened, float64(progress.Opened.Count), labels...)
		gauge(c.refundedFen, float64(progress.Refunded.TotalFen), labels...)
		gauge(c.refunded, float64(progress.Refunded.Count), labels...)
		gauge(c.signedUp, float64(progress.SignedUp), labels...)
	}
}

func (c *collector) collectFigures(out chan<- prometheus.Metric) {
	if c.figures == nil {
		return
	}
	for _, figure := range c.figures() {
		kind := prometheus.GaugeValue
		if figure.Counter {
			kind = prometheus.CounterValue
		}
		desc := prometheus.NewDesc("hongbao_"+figure.Name, figure.Help, nil, figure.Labels)
		if figure.Times != nil {
			out <- figure.Times.metric(desc)
			continue
		}
		out <- prometheus.MustNewConstMetric(desc, kind, figure.Value)
	}
}

func (t *Times) metric(desc *prometheus.Desc) prometheus.Metric {
	buckets := make(map[float64]uint64, len(t.Bounds))
	var count uint64
	for i, n := range t.Counts {
		count += n
		if i < len(t.Bounds) {
			buckets[t.Bounds[i].Seconds()] = count
		}
	}
	return prometheus.MustNewConstHistogram(desc, count, t.Sum.Seconds(), buckets)
}
