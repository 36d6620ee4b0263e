// Package web is what a browser gets. It knows nothing of how its facts are
// found: they are handed to it.
package web

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"html/template"
	"net/http"
	"strconv"
	"strings"
)

// Page is what the start page says.
type Page struct {
	Version string
	// Origin is where this gateway is reached: scheme and host.
	Origin string
	// Network is the one that containers must share with the gateway. Empty when
	// that is not known.
	Network string
	// Tools is how many a client can see.
	Tools    int
	Backends []Backend
	// Problems are sentences about what a person should mend.
	Problems []string
}

// Backend is one row of the table.
type Backend struct {
	Name, Status, Source, Note string
	Tools                      int
}

type link struct{ Path, What string }

var links = []link{
	{"/api/backends", "all backends, their tools and their state"},
	{"/api/discovery", "every container that was seen, and why it is a backend or not"},
	{"/api/tools", "the catalogue, as clients see it"},
	{"/api/logs", "the last calls and events"},
	{"/api/health", "the numbers in short"},
	{"/metrics", "for Prometheus"},
	{"/api/openapi.json", "the description of the whole API"},
}

//go:embed page.html
var pageHTML string

//go:embed page.css
var pageCSS string

var page = template.Must(template.New("page").Parse(pageHTML))

// policy allows this page's own style and nothing else: no script, no frame, no
// connection. Names and errors on the page come from strangers.
var policy = func() string {
	sum := sha256.Sum256([]byte(pageCSS))
	return strings.Join([]string{
		"default-src 'none'",
		"style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'",
		"base-uri 'none'",
		"form-action 'none'",
		"frame-ancestors 'none'",
	}, "; ")
}()

// Serve writes the page.
func Serve(w http.ResponseWriter, p Page) error {
	connected := 0
	for _, b := range p.Backends {
		if b.Status == "connected" {
			connected++
		}
	}
	// Rendered whole before anything is sent, so that an error is still one.
	var body bytes.Buffer
	err := page.Execute(&body, map[string]any{
		"Page": p, "Links": links, "Connected": connected, "Style": template.CSS(pageCSS),
	})
	if err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Length", strconv.Itoa(body.Len()))
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cache-Control", "no-store")
	_, err = w.Write(body.Bytes())
	return err
}
