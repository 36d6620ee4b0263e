package main

import (
	"bytes"
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestCommandLine(t *testing.T) {
	for _, tc := range []struct {
		name           string
		args           []string
		code           int
		stdout, stderr string
	}{
		{"version", []string{"version"}, 0, "mcp-gw dev\n", ""},
		{"help", []string{"help"}, 0, "--port, PORT (default 3000)", ""},
		{"help as a flag", []string{"serve", "--help"}, 0, "healthcheck", ""},
		{"unknown command", []string{"sevre"}, 2, "", `unknown command "sevre"`},
		{"unknown flag", []string{"serve", "--prot=1"}, 2, "", "-prot"},
		{"stray argument", []string{"serve", "now"}, 2, "", `unexpected argument "now"`},
		{"wrong setting", []string{"--port=abc"}, 2, "", "--port=abc: expected a number"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			code := run(context.Background(), tc.args, nil, &stdout, &stderr)
			if code != tc.code {
				t.Errorf("exit code %d, want %d; stderr %q", code, tc.code, stderr.String())
			}
			if !strings.Contains(stdout.String(), tc.stdout) || !strings.Contains(stderr.String(), tc.stderr) {
				t.Errorf("stdout %q, stderr %q; want %q, %q in them", stdout.String(), stderr.String(), tc.stdout, tc.stderr)
			}
		})
	}
}

func TestHealthcheck(t *testing.T) {
	status := http.StatusOK
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/healthz" {
			t.Errorf("asked for %s", r.URL.Path)
		}
		w.WriteHeader(status)
		w.Write([]byte("reason"))
	}))
	listen := "--listen=" + srv.Listener.Addr().String()
	check := func() (int, string) {
		var out, errs bytes.Buffer
		code := run(context.Background(), []string{"healthcheck", listen}, nil, &out, &errs)
		return code, out.String() + errs.String()
	}
	if code, out := check(); code != 0 || out != "ok\n" {
		t.Errorf("alive: exit %d, %q", code, out)
	}
	status = http.StatusServiceUnavailable
	if code, out := check(); code != 1 || !strings.Contains(out, "503") || !strings.Contains(out, "reason") {
		t.Errorf("not alive: exit %d, %q", code, out)
	}
	srv.Close()
	if code, out := check(); code != 1 || !strings.Contains(out, "does not answer") {
		t.Errorf("gone: exit %d, %q", code, out)
	}
}

func TestLoopback(t *testing.T) {
	for in, want := range map[string]string{
		":3000": "127.0.0.1:3000", "0.0.0.0:3000": "127.0.0.1:3000", "[::]:3000": "127.0.0.1:3000",
		"[::1]:3000": "[::1]:3000", "10.1.2.3:80": "10.1.2.3:80", "localhost:1": "localhost:1",
	} {
		if got := loopback(in); got != want {
			t.Errorf("loopback(%q) = %q, want %q", in, got, want)
		}
	}
}
