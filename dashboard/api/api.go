// Package api is the control plane: the REST API, the log stream, the metrics and
// the start page, and the door behind which the MCP endpoint is mounted. It shows
// what the gateway and discovery know, and changes only what people decide: what
// they register, and what they switch off.
package api

import (
	"context"
	"log/slog"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/labstack/echo/v4/middleware"
	"golang.org/x/time/rate"

	"mcp-gw/dashboard/web"
	"mcp-gw/discovery"
	"mcp-gw/discovery/manual"
	"mcp-gw/gateway"
	"mcp-gw/gateway/auth"
	"mcp-gw/gateway/journal"
)

// Gateway is the data plane as the API needs it.
type Gateway interface {
	gateway.State
	// Reconnect makes a new connection to a backend and waits until that attempt
	// has ended, or ctx has. It reports whether there is such a backend.
	Reconnect(ctx context.Context, name string) bool
	// Try connects to b once, and answers how far that came until ctx ended.
	Try(ctx context.Context, b discovery.Backend) gateway.BackendState
	// Call calls a tool by the name that clients know.
	Call(ctx context.Context, tool string, arguments []byte) gateway.CallResult
	// WaitSwitched waits until clients see what is switched on and off now, or ctx has
	// ended.
	WaitSwitched(ctx context.Context)
	// WaitAttempt waits until the backend that is wanted under name has been
	// tried once, or ctx has ended.
	WaitAttempt(ctx context.Context, name string)
	Journal() *journal.Journal
	// Changed answers a channel that is closed when something in Backends or Catalogue
	// may be otherwise.
	Changed() <-chan struct{}
	// EndSession ends the session of a client, by the id that the journal knows it
	// by. It reports whether there was one.
	EndSession(id string) bool
}

// Manual is the registry of what people registered.
type Manual interface {
	// Register saves a registration; a *manual.InvalidError is the caller's fault.
	Register(ctx context.Context, r manual.Registration) error
	// Remove reports whether there was such a registration.
	Remove(ctx context.Context, name string) (bool, error)
	// Enable saves whether a registration is to be connected, and reports whether there
	// is such a one.
	Enable(ctx context.Context, name string, enabled bool) (bool, error)
	Lookup(name string) (manual.Registration, bool)
	// Problems are sentences about what is wrong with the registry's file.
	Problems() []string
	// Path is where that file is.
	Path() string
}

// Switches is what people switched off.
type Switches interface {
	// Backend saves whether a backend is switched on, and reports whether it was
	// otherwise before.
	Backend(ctx context.Context, name string, on bool) (bool, error)
	// Tools saves whether tools are switched on, by backend and its own names of them,
	// all at once, and answers how many were otherwise before.
	Tools(ctx context.Context, tools map[string][]string, on bool) (int, error)
	// Problems are sentences about what is wrong with the file of the switches.
	Problems() []string
	// Path is where that file is.
	Path() string
}

// Discovery is what watches the containers.
type Discovery interface {
	Report() discovery.Report
	// Changed answers a channel that is closed when Report has something else to say.
	Changed() <-chan struct{}
	Rescan(ctx context.Context) error
	// LastLog answers the last lines that a labelled container printed before it stopped;
	// none where there are none, or nobody may see them.
	LastLog(ctx context.Context, id string) ([]string, error)
}

// Config is what an API is made of. What is nil or empty for a reason says so; all
// other fields are needed.
type Config struct {
	Gateway  Gateway
	Manual   Manual
	Switches Switches
	// Discovery is nil when containers are not watched.
	Discovery Discovery
	// MCP serves /mcp, and /sse and /messages for clients of 2024-11-05, every method
	// of them. It guards itself.
	MCP http.Handler
	// Check says why a request must be refused for where it comes from (its Host
	// and Origin), nil when it may pass. It is asked first on every route but /mcp.
	Check func(*http.Request) error
	// Ready says whether clients are served.
	Ready func() bool
	// Page is what browsers get; nil for none.
	Page *web.Page
	// Token is what has to be shown on every route but the page, the two for probes and
	// the one to sign in; MCP asks for it itself. Nil for nothing.
	Token *auth.Token
	// ReadOnly refuses every request that could change something.
	ReadOnly bool
	// BaseURL is where people reach the gateway from outside, without a slash at its
	// end: https://tools.example.com/gw. Below its path everything is served as well
	// as at the root. Empty: it is reached as it listens.
	BaseURL string
	Version string
	Log     *slog.Logger
}

const (
	// patience is how long a person waits for a backend's first answer.
	patience = 5 * time.Second
	// rescanPatience is how long an engine may take to be listed anew.
	rescanPatience = 15 * time.Second
	// heartbeat is the time between two comments on a silent stream: proxies cut
	// connections that are silent for 30 or 60 seconds.
	heartbeat = 15 * time.Second
	// maxStreams bounds how many log streams are open at once.
	maxStreams = 64
	// maxBody bounds a request's body, as echo writes it.
	maxBody = "10MiB"
	// maxSignIn bounds it for those of whom nobody knows who they are.
	maxSignIn = "16KiB"
	// bodyPatience is how long it may take to come.
	bodyPatience = 30 * time.Second
)

type server struct {
	Config
	started   time.Time
	boot      string // tells this process' log ids from another's
	heartbeat time.Duration
	streams   chan struct{} // a place for each open log stream
	pages     chan struct{} // a place for each page that is told of events
	hub       *hub
	linger    time.Duration
	patience  time.Duration // for a body to come
	tries     chan struct{} // a place for each backend that is being tried
	wrong     *rate.Limiter // of what is said about wrong tokens
}

// API is the handler of everything that the gateway serves.
type API struct {
	http.Handler
	server *server
}

// New makes an API. It serves at once; Run keeps the record of what changes.
func New(cfg Config) *API {
	s := newServer(cfg)
	return &API{below(s.basePath(), s.routes()), s}
}

// Run works until ctx ends.
func (a *API) Run(ctx context.Context) error {
	var work sync.WaitGroup
	defer work.Wait()
	work.Go(func() { a.server.keepTelling(ctx) })
	a.server.watchContainers(ctx)
	return nil
}

func newServer(cfg Config) *server {
	now := time.Now()
	boot := strconv.FormatInt(now.UnixMilli(), 36)
	return &server{
		Config:    cfg,
		started:   now,
		boot:      boot,
		hub:       newHub(boot),
		heartbeat: heartbeat,
		streams:   make(chan struct{}, maxStreams),
		pages:     make(chan struct{}, maxPages),
		linger:    linger,
		patience:  bodyPatience,
		tries:     make(chan struct{}, maxTries),
		wrong:     rate.NewLimiter(rate.Every(time.Minute), 5),
	}
}

// routes is all there is, on one screen.
func (s *server) routes() *echo.Echo {
	e := echo.New()
	e.HideBanner, e.HidePort = true, true
	e.IPExtractor = echo.ExtractIPDirect() // nobody may claim to be somebody else
	e.HTTPErrorHandler = s.onError
	e.JSONSerializer = serializer{}

	// A call passes here on its way: nothing stands between it and the gateway.
	mcp := func(c echo.Context) error {
		s.MCP.ServeHTTP(c.Response().Writer, c.Request())
		return nil
	}
	for _, path := range []string{"/mcp", "/mcp/*", "/sse", "/sse/*", "/messages"} {
		e.Any(path, mcp)
	}

	// Not groups: a group answers for every path below it, and would say of a
	// method that is not possible that there is no such path.
	door := []echo.MiddlewareFunc{s.guard, middleware.RecoverWithConfig(s.recovery())}
	session := append(door[:2:2], plain, deliberate, middleware.BodyLimit(maxSignIn), s.whole)
	api := append(door[:2:2], plain, s.known, deliberate, s.writable, middleware.BodyLimit(maxBody), s.whole)
	get := []string{http.MethodGet, http.MethodHead}

	e.Match(get, "/", s.page, door...)
	if s.Page != nil {
		for _, path := range s.Page.Paths() {
			e.Match(get, path, s.page, door...)
		}
	}
	e.Match(get, "/healthz", s.healthz, door...)
	e.Match(get, "/readyz", s.readyz, door...)
	e.GET("/metrics", s.metrics(), append(door[:2:2], s.known)...)
	e.Any("/.well-known/*", s.noOAuth, door...) // clients ask how they are to sign in
	e.Any("/register", s.noOAuth, door...)

	e.GET("/api/session", s.showSession, session...)
	e.POST("/api/session", s.signIn, session...)
	e.DELETE("/api/session", s.signOut, session...)
	e.GET("/api/health", s.health, api...)
	e.GET("/api/overview", s.showOverview, api...)
	e.GET("/api/backends", s.listBackends, api...)
	e.POST("/api/backends", s.register, api...)
	e.POST("/api/backends/test", s.try, api...)
	e.GET("/api/backends/:name", s.showBackend, api...)
	e.PATCH("/api/backends/:name", s.switchBackend, api...)
	e.DELETE("/api/backends/:name", s.remove, api...)
	e.POST("/api/backends/:name/reconnect", s.reconnect, api...)
	e.GET("/api/changes", s.listChanges, api...)
	e.GET("/api/discovery", s.showDiscovery, api...)
	e.GET("/api/discovery/:id", s.showContainer, api...)
	e.POST("/api/discovery/rescan", s.rescan, api...)
	e.GET("/api/tools", s.listTools, api...)
	e.PATCH("/api/tools", s.switchTools, api...)
	e.PATCH("/api/tools/:name", s.switchTool, api...)
	e.GET("/api/tools/:name/callers", s.listCallers, api...)
	e.POST("/api/tools/:name/call", s.callTool, api...)
	e.GET("/api/resources", s.listResources, api...)
	e.GET("/api/prompts", s.listPrompts, api...)
	e.GET("/api/events", s.streamEvents, api...)
	e.GET("/api/calls", s.listCalls, api...)
	e.GET("/api/calls/:id", s.showCall, api...)
	e.GET("/api/stats", s.showStats, api...)
	e.GET("/api/clients", s.listClients, api...)
	e.DELETE("/api/clients/:id", s.endClient, api...)
	e.GET("/api/logs", s.listLogs, api...)
	e.GET("/api/logs/stream", s.streamLogs, api...)
	e.GET("/api/openapi.json", s.describe(), api...)
	return e
}
