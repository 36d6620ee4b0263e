package api

import (
	"net/http"
	"runtime"
	"runtime/metrics"
	"time"

	"github.com/labstack/echo/v4"

	"mcp-gw/gateway/journal"
)

// maxTools is how many tools are in a table of numbers.
const maxTools = 50

type statsAnswer struct {
	From time.Time `json:"from"`
	To   time.Time `json:"to"`
	// Since is when the data begin.
	Since       time.Time                `json:"since"`
	StepSeconds int                      `json:"stepSeconds"`
	Series      journal.Series           `json:"series"`
	Total       journal.Totals           `json:"total"`
	Tools       []journal.ToolNumbers    `json:"tools"`
	Backends    []journal.BackendNumbers `json:"backends"`
	Self        selfNumbers              `json:"self"`
}

// selfNumbers are those of the gateway's own process.
type selfNumbers struct {
	Version     string `json:"version"`
	UptimeMs    int64  `json:"uptimeMs"`
	MemoryBytes uint64 `json:"memoryBytes"`
	Goroutines  int    `json:"goroutines"`
}

func (s *server) showStats(c echo.Context) error {
	r := journal.Range(c.QueryParam("range"))
	if r == "" {
		r = journal.Range1h
	}
	if !r.Valid() {
		return fail(http.StatusBadRequest, "range=%.40q is none of 15m, 1h, 6h and 24h", string(r))
	}
	backend, tool := c.QueryParam("backend"), c.QueryParam("tool")
	tools := s.Gateway.Catalogue().Tools
	exposed := make(map[[2]string]string, len(tools))
	for _, t := range tools {
		exposed[[2]string{t.Backend, t.OriginalName}] = t.Name
		// By either name: that of clients is one backend's alone.
		if tool == t.Name && (backend == "" || backend == t.Backend) {
			backend, tool = t.Backend, t.OriginalName
		}
	}
	if tool != "" && backend == "" {
		return fail(http.StatusNotFound, "no tool is called %.100q; with backend=, tool is the name that the backend has for it", tool)
	}
	n := s.Gateway.Journal().Numbers(r, backend, tool)
	a := statsAnswer{From: moment(n.From), To: moment(n.To), Since: moment(n.Since), StepSeconds: int(n.Step.Seconds()), Series: n.Series, Total: n.Total,
		Tools: append([]journal.ToolNumbers{}, n.Tools[:min(len(n.Tools), maxTools)]...), Backends: n.Backends, Self: s.self()}
	if a.Backends == nil {
		a.Backends = []journal.BackendNumbers{}
	}
	for i, t := range a.Tools {
		if name := exposed[[2]string{t.Backend, t.Name}]; name != "" {
			a.Tools[i].Name = name
		}
	}
	return c.JSON(http.StatusOK, a)
}

func moment(t time.Time) time.Time { return t.UTC().Truncate(time.Millisecond) }

func (s *server) self() selfNumbers {
	memory := []metrics.Sample{{Name: "/memory/classes/total:bytes"}, {Name: "/memory/classes/heap/released:bytes"}}
	metrics.Read(memory)
	n := selfNumbers{Version: s.Version, UptimeMs: max(1, time.Since(s.started).Milliseconds()), Goroutines: runtime.NumGoroutine()}
	if memory[0].Value.Kind() == metrics.KindUint64 && memory[1].Value.Kind() == metrics.KindUint64 {
		n.MemoryBytes = memory[0].Value.Uint64() - memory[1].Value.Uint64()
	}
	return n
}
