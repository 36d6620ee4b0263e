package api

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"net/http"

	"github.com/labstack/echo/v4"
)

//go:embed openapi.json
var openapi []byte

// describe serves the description of the API, written by hand and held against
// the routes and their answers by a test.
func (s *server) describe() echo.HandlerFunc {
	version, err := json.Marshal(s.Version)
	if err != nil {
		version = []byte(`"unknown"`)
	}
	text := bytes.Replace(openapi, []byte(`"version": "VERSION"`), append([]byte(`"version": `), version...), 1)
	if path := s.basePath(); path != "" {
		text = bytes.Replace(text, []byte(`"url": "/"`), []byte(`"url": "`+path+`/"`), 1)
	}
	return func(c echo.Context) error { return c.JSONBlob(http.StatusOK, text) }
}
