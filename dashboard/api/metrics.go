package api

import (
	"runtime"
	"strings"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

var (
	callsDesc = prometheus.NewDesc("mcp_gw_calls_total",
		"Tool calls by outcome: ok, error (the backend answered with an error), failed (there was no answer).",
		[]string{"backend", "tool", "status"}, nil)
	durationDesc = prometheus.NewDesc("mcp_gw_call_duration_seconds",
		"How long tool calls took.", []string{"backend"}, nil)
	inFlightDesc = prometheus.NewDesc("mcp_gw_calls_in_flight",
		"Calls that clients wait for.", nil, nil)
	streamsDesc = prometheus.NewDesc("mcp_gw_client_streams",
		"Event streams that clients hold open.", nil, nil)
	backendsDesc = prometheus.NewDesc("mcp_gw_backends",
		"Backends by state.", []string{"state"}, nil)
	toolsDesc = prometheus.NewDesc("mcp_gw_tools",
		"Tools that clients can see.", nil, nil)
	dockerDesc = prometheus.NewDesc("mcp_gw_docker_connected",
		"Whether containers are being watched: 1 or 0.", nil, nil)
	containersDesc = prometheus.NewDesc("mcp_gw_discovery_containers",
		"Containers that were seen, by verdict.", []string{"verdict"}, nil)
	diagnosticsDesc = prometheus.NewDesc("mcp_gw_discovery_diagnostics",
		"Remarks on containers, by code; labels.md explains the codes.", []string{"code"}, nil)
	eventDesc = prometheus.NewDesc("mcp_gw_discovery_last_event_timestamp_seconds",
		"When the container engine's last event was read.", nil, nil)
	syncDesc = prometheus.NewDesc("mcp_gw_discovery_last_sync_timestamp_seconds",
		"When all containers were looked at last.", nil, nil)
	buildDesc = prometheus.NewDesc("mcp_gw_build_info",
		"The running version; always 1.", []string{"version", "goversion"}, nil)
)

// states are shown even when no backend is in them, so that an alert on one has
// something to look at.
var states = []string{"probing", "ready", "degraded", "holding", "failed", "disabled"}

// metrics serves the exposition from a registry of its own: what libraries put
// into the global one is nobody's promise.
func (s *server) metrics() echo.HandlerFunc {
	registry := prometheus.NewRegistry()
	registry.MustRegister(
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		collector{s},
	)
	return echo.WrapHandler(promhttp.HandlerFor(registry, promhttp.HandlerOpts{
		MaxRequestsInFlight: 4,
		ErrorHandling:       promhttp.ContinueOnError, // one odd series hides no other
		ErrorLog:            complaints{s},
	}))
}

// complaints takes the exposition's errors to the log.
type complaints struct{ *server }

func (c complaints) Println(v ...any) { c.Log.Warn("metrics incomplete", "err", v) }

// collector reads the numbers when they are asked for. Nothing is counted twice.
type collector struct{ *server }

// Describe implements prometheus.Collector.
func (collector) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{callsDesc, durationDesc, inFlightDesc, streamsDesc, backendsDesc, toolsDesc, dockerDesc, containersDesc,
		diagnosticsDesc, eventDesc, syncDesc, buildDesc} {
		ch <- d
	}
}

// Collect implements prometheus.Collector.
func (c collector) Collect(ch chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, value float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, value, labels...)
	}
	snapshot := c.Gateway.Journal().Snapshot()
	for _, t := range snapshot.Tools {
		for status, n := range map[string]uint64{"ok": t.OK, "error": t.Errors, "failed": t.Failed} {
			ch <- prometheus.MustNewConstMetric(callsDesc, prometheus.CounterValue, float64(n), label(t.Backend), label(t.Tool), status)
		}
	}
	for _, b := range snapshot.Backends {
		ch <- prometheus.MustNewConstHistogram(durationDesc, b.Durations.Count, b.Durations.Seconds, b.Durations.Buckets, label(b.Backend))
	}
	pulse := c.Gateway.Journal().Pulse()
	gauge(inFlightDesc, float64(pulse.Running))
	gauge(streamsDesc, float64(pulse.Streams))

	byState := map[string]int{}
	for _, state := range states {
		byState[state] = 0
	}
	for _, b := range c.Gateway.Backends() {
		byState[b.State]++
	}
	for state, n := range byState {
		gauge(backendsDesc, float64(n), label(state))
	}
	gauge(toolsDesc, float64(len(c.Gateway.Tools())))

	report := c.discovery()
	connected := 0.0
	if report.Engine.Connected {
		connected = 1
	}
	gauge(dockerDesc, connected)
	byVerdict, byCode := map[string]int{}, map[string]int{}
	for _, o := range report.Containers {
		byVerdict[o.Verdict]++
		for _, d := range o.Diagnostics {
			byCode[d.Code]++
		}
	}
	for verdict, n := range byVerdict {
		gauge(containersDesc, float64(n), label(verdict))
	}
	for code, n := range byCode {
		gauge(diagnosticsDesc, float64(n), label(code))
	}
	// A moment, not an age: it does not change while nothing happens, and time()
	// minus it is the age.
	for desc, at := range map[*prometheus.Desc]time.Time{eventDesc: report.Engine.LastEventAt, syncDesc: report.Engine.LastSyncAt} {
		if !at.IsZero() {
			gauge(desc, float64(at.UnixMilli())/1000)
		}
	}
	gauge(buildDesc, 1, label(c.Version), runtime.Version())
}

// label makes what a backend called its tool fit to be a label's value.
func label(s string) string { return strings.ToValidUTF8(s, "\uFFFD") }
